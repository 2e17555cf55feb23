"""A job's hold on its row: fenced writes, and patience while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from backend.audit.errors import ClaimLost, Unavailable
from backend.store import claims, datasets
from backend.store.database import Database, patiently
from backend.store.tables import Dataset
from worker.claimed import LOG_LINES, Claimed


@pytest.fixture
def dataset_id(database: Database, owner: str) -> str:
    """An import that waits for a worker."""
    with database.transaction() as session:
        return datasets.create(session, owner, "d", {"kind": "builtin"}).id


@pytest.fixture
def take(database: Database, dataset_id: str) -> Callable[[], Claimed]:
    """Takes the import under a fresh claim."""

    def claim() -> Claimed:
        claim_id = uuid4().hex
        with database.transaction() as session:
            assert claims.claim(session, Dataset, dataset_id, claim_id, 5) is not None
        return Claimed(database, Dataset, dataset_id, claim_id)

    return claim


def test_only_the_newest_holder_writes_and_the_older_one_is_told_to_stop(take: Callable[[], Claimed]) -> None:
    older, newer = take(), take()
    newer.write(progress={"fraction": 0.5})
    assert not newer.should_stop()
    assert older.should_stop()
    with pytest.raises(ClaimLost):
        older.write(progress={"fraction": 0.1})
    with pytest.raises(ClaimLost):
        older.check()


def test_what_is_said_stands_in_the_row_with_its_time_and_only_the_last_lines(
    take: Callable[[], Claimed], database: Database, dataset_id: str
) -> None:
    claimed = take()
    for line in range(LOG_LINES + 5):
        claimed.say(f"line {line}")
    claimed.progress(force=True, fraction=0.3)
    with database.transaction() as session:
        log = datasets.load(session, dataset_id).progress["log"]
    assert [line["text"] for line in log] == [f"line {line}" for line in range(5, LOG_LINES + 5)]
    age = datetime.now(UTC) - datetime.fromisoformat(log[-1]["at"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_progress_is_throttled_unless_it_must_be_written(
    take: Callable[[], Claimed], database: Database, dataset_id: str
) -> None:
    claimed = take()
    claimed.progress(fraction=0.1)
    claimed.progress(fraction=0.2)
    with database.transaction() as session:
        assert datasets.load(session, dataset_id).progress == {"fraction": 0.1}
    claimed.progress(force=True, fraction=0.3)
    with database.transaction() as session:
        assert datasets.load(session, dataset_id).progress == {"fraction": 0.3}


def test_an_absent_database_neither_stops_the_work_nor_loses_a_write(take: Callable[[], Claimed]) -> None:
    claimed, calls = take(), []
    away = Claimed(Database("postgresql://nobody@/none?host=/nowhere"), Dataset, claimed.id, claimed.claim_id)
    assert not away.should_stop()
    away.progress(force=True, fraction=0.5)

    def comes_back() -> None:
        calls.append(1)
        (away if len(calls) < 3 else claimed).write(progress={"fraction": 0.7})

    patiently(comes_back)
    assert len(calls) == 3


def test_patience_is_only_for_an_absent_database() -> None:
    def full() -> None:
        raise Unavailable("DISK_FULL", "The disk is full.")

    with pytest.raises(Unavailable):
        patiently(full)
