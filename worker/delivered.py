"""Opens what somebody delivered, an upload or a folder of the server, as a recognised source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.settings import Settings
from backend.store import uploads
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from worker.ingest import Recognised, Wish
from worker.ingest.opening import opened_source


@contextmanager
def delivered(
    wish: dict[str, Any], settings: Settings, database: Database, artifacts: Artifacts, scratch: Path
) -> Iterator[Recognised]:
    """The source that a dataset's or a preflight's `source` speaks of, open inside the block.

    An appended one's speaks of what is to be added. Both are read where they lie (the backend has checked a folder
    against the allow-list); an upload in a bucket is fetched into `scratch` first. Raises BadInput for what cannot be
    used, Damaged for an upload that rotted.
    """
    name = None
    if "upload_id" in wish:
        path = uploads.located(database, artifacts, wish["upload_id"], scratch / "upload")
        name = wish["filename"]
    else:
        path = Path(wish["path"])
    with opened_source(
        path,
        name=name,
        format=wish.get("format", "auto"),
        wish=Wish(
            wish.get("split", "train"),
            wish.get("columns") or {},
            fewest_classes=1 if wish["kind"] == "append" or wish.get("append") else 2,
        ),
        limits=settings.limits,
        scratch=scratch,
    ) as source:
        yield source
