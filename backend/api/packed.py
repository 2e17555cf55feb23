"""Answers that are compressed once and sent as they are to everybody who takes them so. Knows no noun."""

from __future__ import annotations

import gzip

from fastapi import Request, Response

LEVEL = 5
"""Three quarters of the gain for a third of the time."""


def pack(document: bytes) -> bytes:
    """The document as gzip; the same bytes for the same document."""
    return gzip.compress(document, LEVEL, mtime=0)


def packed_response(request: Request, packed: bytes, media_type: str) -> Response:
    """The packed document, unpacked for the rare client that does not take gzip."""
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(packed), media_type=media_type, headers=headers)
    return Response(packed, media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})
