"""A job begins and goes on although the database or the artifacts are away, and is neither failed nor lost for it."""

from __future__ import annotations

import tempfile
import threading
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from backend.settings import Settings
from backend.store import accounts, datasets
from backend.store.artifacts import Artifacts
from backend.store.database import Database, migrate, patiently
from backend.store.postgres import EmbeddedPostgres
from backend.store.tables import Dataset
from worker import door
from worker.claimed import Claimed
from worker.outages import ATTEMPTS


@pytest.mark.slow
def test_tables_and_claims_wait_for_a_database_that_is_just_coming_up(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    monkeypatch.setenv("NOISE_AUDIT_DATA", str(tmp_path))
    monkeypatch.setenv("NOISE_AUDIT_DATABASE_URL", url)
    begun: list[str] = []

    def away_for_a_moment() -> None:
        server.stop()
        threading.Timer(1.5, server.start).start()

    def do(_: Settings, __: Artifacts, claimed: Claimed, ___: Dataset) -> None:
        begun.append(claimed.id)

    away_for_a_moment()
    patiently(lambda: migrate(url))
    database = Database(url)
    with database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        dataset = datasets.create(session, owner, "d", {"kind": "builtin"}).id
    away_for_a_moment()
    assert door.enter(Dataset, do, [dataset, uuid4().hex]) == 0
    assert begun == [dataset]
    database.dispose()
    server.stop()


def cut_off(claimed: Claimed, database: Database) -> None:
    """The server ends the job's connection in the middle of a transaction."""
    with claimed.database.transaction() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        with database.transaction() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        session.execute(text("SELECT 1"))


def a_dataset(database: Database, owner: str) -> str:
    with database.transaction() as session:
        return datasets.create(session, owner, "d", {"kind": "builtin"}).id


def test_a_job_that_the_database_leaves_in_the_middle_is_done_again_and_says_so(
    settings: Settings, database: Database, owner: str
) -> None:
    dataset, begun = a_dataset(database, owner), list[str]()

    def do(_: Settings, __: Artifacts, claimed: Claimed, ___: Dataset) -> None:
        begun.append(claimed.id)
        if len(begun) == 1:
            cut_off(claimed, database)
        claimed.progress(force=True, fraction=0.5)

    assert door.enter(Dataset, do, [dataset, uuid4().hex]) == 0
    assert begun == [dataset, dataset]
    with database.transaction() as session:
        row = datasets.load(session, dataset)
        assert (row.status, row.error, row.starts) == ("importing", None, 1)
        assert [line["text"] for line in row.progress["log"]] == [
            "The database went away in the middle of this; waiting for it",
            "The database is back; going on from what was stored",
        ]


def test_what_fails_each_time_is_no_outage(settings: Settings, database: Database, owner: str) -> None:
    dataset, begun = a_dataset(database, owner), list[str]()

    def do(_: Settings, __: Artifacts, claimed: Claimed, ___: Dataset) -> None:
        begun.append(claimed.id)
        cut_off(claimed, database)

    assert door.enter(Dataset, do, [dataset, uuid4().hex]) == 0
    assert len(begun) == ATTEMPTS
    with database.transaction() as session:
        row = datasets.load(session, dataset)
        assert row.status == "failed"
        assert row.error is not None
        assert row.error["code"] == "DATABASE_AWAY"


def test_a_job_waits_for_artifacts_that_are_away_and_stops_when_it_is_cancelled_meanwhile(
    settings: Settings, database: Database, owner: str
) -> None:
    dataset, begun = a_dataset(database, owner), list[str]()
    folder = settings.data / "artifacts"
    hidden = folder.with_name("unmounted")

    def do(_: Settings, artifacts: Artifacts, claimed: Claimed, ___: Dataset) -> None:
        begun.append(claimed.id)
        if len(begun) != 2:
            folder.rename(hidden)
            then = cancel if len(begun) == 3 else partial(hidden.rename, folder)
            threading.Timer(1.5, then).start()
            artifacts.ping()

    def cancel() -> None:
        with database.transaction() as session:
            assert "artifact store went away" in datasets.load(session, dataset).progress["message"]
            session.execute(text("UPDATE dataset SET cancel_requested = true"))

    assert door.enter(Dataset, do, [dataset, uuid4().hex]) == 0
    assert begun == [dataset, dataset], "done again once the folder was back"
    assert door.enter(Dataset, do, [dataset, uuid4().hex]) == 0
    assert len(begun) == 3
    with database.transaction() as session:
        assert datasets.load(session, dataset).status == "cancelled"
