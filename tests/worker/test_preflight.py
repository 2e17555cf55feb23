"""A worker looks at a delivery, writes what it saw on the row, and leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from backend.settings import Settings
from backend.store import preflights
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Preflight
from tests.worker.ingest.written import as_folder, as_zip, class_folders, digits
from worker import door, preflight

Look = Callable[..., Preflight]


@pytest.fixture
def looked(settings: Settings, database: Database, owner: str) -> Look:
    """Makes a preflight of a source and has it done as a worker does."""

    def make(source: dict[str, object]) -> Preflight:
        with database.transaction() as session:
            preflight_id = preflights.create(session, owner, source).id
        assert door.enter(Preflight, preflight.preflight, [preflight_id, uuid4().hex]) == 0
        with database.transaction() as session:
            row = preflights.get(session, owner, preflight_id)
            session.expunge(row)
            return row

    return make


def test_an_upload_is_told_and_stays_an_upload(
    looked: Look, artifacts: Artifacts, settings: Settings, tmp_path: Path
) -> None:
    artifacts.put("uploads/u1", as_zip(tmp_path / "x", class_folders(digits(40))))

    row = looked({"kind": "upload", "upload_id": "u1", "filename": "../x.zip"})

    assert row.status == "ready", row.error
    assert row.report["recognised"] == "class-folder"
    assert row.report["splits"] == {"train": 30, "test": 10}
    assert row.report["seconds"] > 0
    assert artifacts.list("") == ["uploads/u1"]
    assert list((settings.data / "scratch").iterdir()) == []


def test_a_folder_of_the_server_is_told(looked: Look, tmp_path: Path) -> None:
    folder = as_folder(tmp_path / "x", class_folders(digits(40)))

    row = looked({"kind": "folder", "path": str(folder), "format": "class-folder", "columns": {}})

    assert row.status == "ready", row.error
    assert row.report["total"] == 40


def test_what_cannot_be_read_fails_in_words(looked: Look, artifacts: Artifacts) -> None:
    artifacts.put("uploads/u2", b"this is a text")

    row = looked({"kind": "upload", "upload_id": "u2", "filename": "x.zip"})

    assert (row.status, row.report) == ("failed", {})
    assert row.error is not None
    assert row.error["code"] == "ARCHIVE_UNREADABLE"
    assert artifacts.exists("uploads/u2")


def test_what_is_to_be_added_may_be_of_one_class_and_is_not_called_small(
    looked: Look, artifacts: Artifacts, tmp_path: Path
) -> None:
    image = next(digits(1).files())[1]
    artifacts.put("uploads/u3", as_zip(tmp_path / "x", {"new/cat/1.png": image, "new/cat/2.png": b"none"}))
    source = {"kind": "upload", "upload_id": "u3", "filename": "x.zip"}

    alone, part = looked(source), looked({**source, "append": True})

    assert alone.error is not None
    assert alone.error["code"] == "TOO_FEW"
    assert part.status == "ready", part.error
    assert (part.report["classes"], part.report["warnings"]) == (["cat"], [])
