"""A job begins although the database is away at that moment, and is neither failed nor lost for it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from backend.settings import Settings
from backend.store import accounts, datasets
from backend.store.artifacts import Artifacts
from backend.store.database import Database, migrate, patiently
from backend.store.postgres import EmbeddedPostgres
from backend.store.tables import Dataset
from worker import door
from worker.claimed import Claimed


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
