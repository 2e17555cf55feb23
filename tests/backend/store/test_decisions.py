"""Decisions are appended once, never changed, and the newest of a sample stands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from backend.audit.errors import BadInput
from backend.store import deciding, decisions
from backend.store.database import Database
from backend.store.tables import Dataset, Run


@dataclass(frozen=True)
class Item:
    """A decision to record."""

    index: int
    verdict: str
    label: int | None = None


Append = Callable[..., int]


@pytest.fixture
def append(database: Database, owner: str, dataset: Dataset) -> Append:
    """Records decisions in a transaction of their own."""

    def record(key: str, *items: Item, run_id: str | None = None) -> int:
        with database.transaction() as session:
            return deciding.append(session, dataset.id, deciding.Request(owner, items, run_id, key))

    return record


def _verdicts(database: Database, dataset: Dataset) -> dict[int, tuple[str, int | None]]:
    with database.transaction() as session:
        standing = decisions.standing(session, dataset.id)
    return {index: (one.verdict, one.label) for index, one in standing.items()}


def test_the_newest_decision_of_each_sample_stands(
    database: Database, dataset: Dataset, append: Append
) -> None:
    assert append("key-0001", Item(3, "keep"), Item(4, "remove"), Item(5, "unsure")) == 3
    assert append("key-0002", Item(3, "relabel", 2), Item(4, "cleared")) == 2
    assert _verdicts(database, dataset) == {3: ("relabel", 2), 5: ("unsure", None)}
    with database.transaction() as session:
        assert decisions.counts(session, dataset.id) == {"relabel": 1, "unsure": 1}
        assert set(decisions.standing(session, dataset.id, [4, 5])) == {5}
        assert decisions.standing(session, dataset.id, []) == {}
        past = decisions.history(session, dataset.id, 3)
        newest = decisions.standing(session, dataset.id, [3])[3]
    assert [(one.verdict, one.label) for one in past] == [("keep", None), ("relabel", 2)]
    assert newest == past[-1]
    assert newest.account == "local"
    assert newest.decided_at.tzinfo is not None


def test_nothing_recorded_is_ever_changed_or_removed(database: Database, append: Append) -> None:
    everything = text("SELECT id, sample_index, verdict, label, decided_at FROM decision ORDER BY id")
    append("key-0001", Item(3, "keep"), Item(4, "remove"))
    with database.transaction() as session:
        before = session.execute(everything).all()
    append("key-0002", Item(3, "cleared"), Item(4, "relabel", 0))
    append("key-0001", Item(3, "unsure"))
    with database.transaction() as session:
        after = session.execute(everything).all()
    assert after[:2] == before
    assert len(after) == 4


def test_the_same_key_again_records_nothing(database: Database, dataset: Dataset, append: Append) -> None:
    assert append("key-0001", Item(3, "keep")) == 1
    assert append("key-0002", Item(3, "remove")) == 1
    assert append("key-0001", Item(3, "keep")) == 0
    assert append("key-0001", Item(9, "keep")) == 0
    assert _verdicts(database, dataset) == {3: ("remove", None)}


def test_the_same_request_sent_many_times_at_once_is_recorded_once(
    database: Database, dataset: Dataset, append: Append
) -> None:
    items = [Item(index, "keep") for index in range(40)]
    with ThreadPoolExecutor(6) as threads:
        sent = [threads.submit(append, "key-0001", *items) for _ in range(6)]
        assert sorted(one.result() for one in sent) == [0, 0, 0, 0, 0, 40]
    with database.transaction() as session:
        assert decisions.counts(session, dataset.id) == {"keep": 40}
        assert session.scalar(text("SELECT count(*) FROM decision")) == 40


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (Item(60, "keep"), "SAMPLE_UNKNOWN"),
        (Item(-1, "keep"), "SAMPLE_UNKNOWN"),
        (Item(3, "relabel", 3), "LABEL_UNKNOWN"),
        (Item(3, "relabel", -1), "LABEL_UNKNOWN"),
        (Item(3, "relabel"), "LABEL_MISSING"),
        (Item(3, "keep", 1), "LABEL_MISSING"),
        (Item(0, "remove"), "DUPLICATE_SAMPLE"),
    ],
)
def test_one_wrong_item_refuses_the_whole_request(
    database: Database, dataset: Dataset, append: Append, item: Item, code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        append("key-0001", Item(0, "keep"), item)
    assert caught.value.code == code
    assert _verdicts(database, dataset) == {}
    assert append("key-0001", Item(0, "keep")) == 1


def test_a_decision_may_name_a_run_of_its_own_dataset_only(
    append: Append, running: Run, database: Database, dataset: Dataset
) -> None:
    assert append("key-0001", Item(0, "keep"), run_id=running.id) == 1
    with pytest.raises(BadInput) as caught:
        append("key-0002", Item(0, "keep"), run_id="0" * 32)
    assert caught.value.code == "RUN_UNKNOWN"


def test_what_was_recorded_may_come_again_although_its_run_was_deleted_since(
    append: Append, running: Run, database: Database
) -> None:
    assert append("key-0001", Item(0, "keep"), run_id=running.id) == 1
    with database.transaction() as session:
        session.execute(text("UPDATE decision SET run_id = NULL"))
        session.execute(text("DELETE FROM run"))
    assert append("key-0001", Item(0, "keep"), run_id=running.id) == 0
    with pytest.raises(BadInput) as caught:
        append("key-0002", Item(0, "keep"), run_id=running.id)
    assert caught.value.code == "RUN_UNKNOWN"
