"""Decisions that come at once are recorded together, each as if it had come alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import delete, text

from backend.audit.errors import NotFound, Unavailable
from backend.audit.importing import Item
from backend.store import activity
from backend.store.database import Database
from backend.store.deciding import Request
from backend.store.tables import Dataset, Run
from backend.store.turns import Turns

REQUESTS = 12


@contextmanager
def _somebody_elses_turn(database: Database, dataset: Dataset) -> Iterator[None]:
    """Another process is recording in the dataset all the while."""
    with psycopg.connect(database.url) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"decision:{dataset.id}"])
        yield


def _sent(
    turns: Turns, threads: ThreadPoolExecutor, dataset: Dataset, requests: list[Request]
) -> list[Future[int]]:
    """The requests, one after another, each waiting for its turn before the next is sent."""
    futures = []
    for request in requests:
        futures.append(threads.submit(turns.record, dataset.id, request))
        time.sleep(0.05)
    return futures


def _requests(owner: str, run_ids: list[str | None] | None = None) -> list[Request]:
    runs = run_ids or [None] * REQUESTS
    return [
        Request(
            owner, [Item(place, "keep", None), Item(59, "relabel", place % 3)], run_id, f"key-{place:04d}"
        )
        for place, run_id in enumerate(runs)
    ]


def test_what_waits_at_the_same_time_is_recorded_in_one_transaction_in_the_order_of_its_coming(
    database: Database, dataset: Dataset, owner: str
) -> None:
    turns = Turns(database)
    with ThreadPoolExecutor(REQUESTS) as threads:
        with _somebody_elses_turn(database, dataset):
            sent = _sent(turns, threads, dataset, _requests(owner))
        assert [one.result() for one in sent] == [2] * REQUESTS
    with database.autocommit() as session:
        rows = session.execute(text("SELECT idempotency_key, xmin::text FROM decision ORDER BY id")).all()
        deeds = activity.newest(session, 100, action="decisions.create")
    # The first one alone, since it had begun to wait for the other process; all others with one another.
    assert len({transaction for _, transaction in rows}) == 2
    assert [key for key, _ in rows[::2]] == [f"key-{place:04d}" for place in range(REQUESTS)]
    assert [deed.detail for deed in deeds] == [{"recorded": 2}] * REQUESTS


def test_of_one_request_sent_many_times_while_others_wait_one_counts(
    database: Database, dataset: Dataset, owner: str
) -> None:
    turns = Turns(database)
    twice = [*_requests(owner)[:3], *_requests(owner)[:3]]
    with ThreadPoolExecutor(REQUESTS) as threads:
        with _somebody_elses_turn(database, dataset):
            sent = _sent(turns, threads, dataset, twice)
        assert [one.result() for one in sent] == [2, 2, 2, 0, 0, 0]
    assert turns.record(dataset.id, twice[1]) == 0
    with database.autocommit() as session:
        assert session.scalar(text("SELECT count(*) FROM decision")) == 6
        assert len(activity.newest(session, 100, action="decisions.create")) == 3


def test_a_run_that_went_meanwhile_refuses_its_own_request_and_no_other(
    database: Database, dataset: Dataset, owner: str, new_run: Callable[[], Run]
) -> None:
    turns = Turns(database)
    gone, kept = new_run().id, new_run().id
    with database.transaction() as session:
        session.execute(delete(Run).where(Run.id == gone))
    runs = [kept, gone, kept, None, gone, kept]
    with ThreadPoolExecutor(REQUESTS) as threads:
        with _somebody_elses_turn(database, dataset):
            sent = _sent(turns, threads, dataset, _requests(owner, list(runs)))
        for run_id, one in zip(runs, sent, strict=True):
            if run_id == gone:
                with pytest.raises(NotFound):
                    one.result()
            else:
                assert one.result() == 2
    with database.autocommit() as session:
        assert session.scalar(text("SELECT count(*) FROM decision")) == 8


def test_all_that_wait_together_are_told_at_once_that_the_database_is_away_and_may_come_again(
    database: Database, dataset: Dataset, owner: str
) -> None:
    turns = Turns(database)
    requests = _requests(owner)
    with ThreadPoolExecutor(REQUESTS) as threads, _somebody_elses_turn(database, dataset):
        sent = _sent(turns, threads, dataset, requests)
        # The first one waits alone, the others with one another.
        for together in (sent[:1], sent[1:]):
            assert not any(one.done() for one in together)
            _cut_who_waits(database)
            for one in together:
                with pytest.raises(Unavailable) as caught:
                    one.result(10)
                assert caught.value.code == "DATABASE_AWAY"
    assert [turns.record(dataset.id, request) for request in requests] == [2] * REQUESTS


def _cut_who_waits(database: Database) -> None:
    """Cut the connection of whoever waits for its turn."""
    waits = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(database.url, autocommit=True) as admin:
        while (found := admin.execute(waits).fetchone()) is None:
            time.sleep(0.01)
        assert admin.execute("SELECT pg_terminate_backend(%s, 5000)", found).fetchone() == (True,)
