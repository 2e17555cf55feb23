"""The verdicts in memory are those in the database, whoever appends at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from backend.store import deciding, decisions
from backend.store.database import Database
from backend.store.tables import Dataset
from backend.store.verdicts import CODE, NAMES, Verdicts, counts


@dataclass(frozen=True)
class Item:
    """A decision to record."""

    index: int
    verdict: str
    label: int | None = None


def _now(database: Database, verdicts: Verdicts) -> list[str]:
    with database.transaction() as session:
        return [NAMES[code] for code in verdicts.now(session)]


def _append(database: Database, dataset: Dataset, owner: str, key: str, *items: Item) -> None:
    with database.transaction() as session:
        deciding.append(session, dataset.id, deciding.Request(owner, items, None, key))


def test_the_newest_verdict_of_each_sample_stands_also_after_what_was_seen_before(
    database: Database, dataset: Dataset, owner: str
) -> None:
    verdicts = Verdicts(dataset.id, 60)
    assert set(_now(database, verdicts)) == {"none"}
    _append(database, dataset, owner, "key-0001", Item(3, "keep"), Item(4, "remove"), Item(5, "unsure"))
    _append(database, dataset, owner, "key-0002", Item(3, "relabel", 2))
    seen = _now(database, verdicts)
    assert (seen[3], seen[4], seen[5], seen[6]) == ("relabel", "remove", "unsure", "none")
    _append(database, dataset, owner, "key-0003", Item(4, "cleared"), Item(6, "keep"))
    seen = _now(database, verdicts)
    assert (seen[3], seen[4], seen[5], seen[6]) == ("relabel", "none", "unsure", "keep")
    assert seen == _now(database, Verdicts(dataset.id, 60))


def test_what_is_given_out_does_not_change_afterwards(
    database: Database, dataset: Dataset, owner: str
) -> None:
    verdicts = Verdicts(dataset.id, 60)
    with database.transaction() as session:
        before = verdicts.now(session)
    _append(database, dataset, owner, "key-0001", Item(3, "keep"))
    _now(database, verdicts)
    assert not before.any()


def test_a_decision_that_is_taken_back_by_its_transaction_is_never_seen(
    database: Database, dataset: Dataset, owner: str
) -> None:
    verdicts = Verdicts(dataset.id, 60)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012
        deciding.append(session, dataset.id, deciding.Request(owner, [Item(3, "keep")], None, "key-0001"))
        assert set(_now(database, verdicts)) == {"none"}
        raise ZeroDivisionError
    _append(database, dataset, owner, "key-0002", Item(4, "keep"))
    assert [index for index, verdict in enumerate(_now(database, verdicts)) if verdict != "none"] == [4]


def test_none_is_missed_while_many_append_and_many_look(
    database: Database, dataset: Dataset, owner: str
) -> None:
    verdicts, done = Verdicts(dataset.id, 60), threading.Event()

    def review(reviewer: int) -> None:
        rng = np.random.default_rng(reviewer)
        for turn in range(25):
            items = [
                Item(int(index), str(rng.choice(["keep", "remove", "unsure", "cleared"])))
                for index in rng.choice(60, 4, replace=False)
            ]
            _append(database, dataset, owner, f"key-{reviewer}-{turn:04d}", *items)

    def look() -> None:
        while not done.is_set():
            _now(database, verdicts)

    with ThreadPoolExecutor(8) as threads:
        lookers = [threads.submit(look) for _ in range(3)]
        for reviewer in [threads.submit(review, reviewer) for reviewer in range(5)]:
            reviewer.result()
        done.set()
        for looker in lookers:
            looker.result()
    with database.transaction() as session:
        standing = decisions.standing(session, dataset.id)
        code_N = verdicts.now(session)
        assert counts(code_N) == decisions.counts(session, dataset.id)
    assert [NAMES[code] for code in code_N] == [
        standing[index].verdict if index in standing else "none" for index in range(60)
    ]


def test_counts_leave_out_what_nobody_gave() -> None:
    code_N = np.array([CODE["none"], CODE["keep"], CODE["keep"], CODE["unsure"]], np.uint8)
    assert counts(code_N) == {"keep": 2, "unsure": 1}
