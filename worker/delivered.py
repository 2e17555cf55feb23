"""Opens what somebody delivered, an upload or a folder of the server, as a recognised source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.settings import Settings
from backend.store import uploads
from backend.store.artifacts import Artifacts
from worker.ingest import Recognised, Wish
from worker.ingest.opening import opened_source


@contextmanager
def delivered(
    wish: dict[str, Any], settings: Settings, artifacts: Artifacts, scratch: Path
) -> Iterator[Recognised]:
    """The source that a dataset's or a preflight's `source` speaks of, open inside the block.

    An upload is fetched into `scratch`; a folder is read where it lies (the backend has checked it against the
    allow-list). Raises BadInput for what cannot be used.
    """
    if wish["kind"] == "upload":
        # Only the ending of the user's file name is used, to recognise the format; never its path.
        path = scratch / f"upload{Path(wish['filename']).suffix.lower()[:16]}"
        artifacts.download(uploads.key(wish["upload_id"]), path)
    else:
        path = Path(wish["path"])
    with opened_source(
        path,
        format=wish.get("format", "auto"),
        wish=Wish(wish.get("split", "train"), wish.get("columns") or {}),
        limits=settings.limits,
        scratch=scratch,
    ) as source:
        yield source
