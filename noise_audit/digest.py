"""One number for a file's bytes that both ends of an upload can make while the bytes pass by."""

from __future__ import annotations

import hashlib
from pathlib import Path

PIECE_BYTES = 16 * 2**20
"""Each piece is hashed by itself, since a browser can hash only what it holds whole."""


class Digest:
    """SHA-256 over the SHA-256 of each piece of 16 MiB, in order."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        """The next piece; all but the last have `PIECE_BYTES`."""
        self._whole.update(hashlib.sha256(piece).digest())

    def text(self) -> str:
        """The digest of what was added, in hexadecimal."""
        return self._whole.hexdigest()


def of_file(path: Path) -> str:
    """The digest of a file."""
    digest = Digest()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.add(piece)
    return digest.text()
