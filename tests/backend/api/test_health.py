"""Live says that the process answers; ready says which part of the installation does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database


def test_ready_names_the_part_that_is_missing_and_live_stays(
    start: Callable[..., Any],
    empty_database_url: str,
    database: Database,
    tmp_path: Path,
) -> None:
    settings = Settings(data=tmp_path)
    nowhere = Database(f"postgresql://nobody@/none?host={tmp_path}")
    bare = Database(empty_database_url)
    lost = Artifacts.open(str(tmp_path / "lost"), tmp_path)
    (tmp_path / "lost").rmdir()
    kept = Artifacts.open(str(tmp_path / "kept"), tmp_path)
    cases = [
        (database, kept, None),
        (database, lost, "ARTIFACTS_AWAY"),
        (bare, kept, "NOT_MIGRATED"),
        (nowhere, kept, "DATABASE_AWAY"),
    ]
    for store, artifacts, code in cases:
        with start(settings, store, artifacts) as live, live.browser() as browser:
            ready = browser.get("/health/ready")
            assert ready.status_code == (200 if code is None else 503)
            assert ready.json().get("code") == code
            assert browser.get("/health/live").status_code == 200
    for opened in (nowhere, bare):
        opened.dispose()
