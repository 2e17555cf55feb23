"""Wake-ups come at the commit, to those who watch, and to all after the connection was away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.store import claims, datasets, events, runs
from backend.store.database import Database
from backend.store.events import Listener, Subscription
from backend.store.tables import Dataset, Run

SOON = 5.0
"""Seconds in which a wake-up must have come; it takes a few milliseconds."""
NEVER = 0.3


@pytest.fixture
def listener(database: Database) -> Iterator[Listener]:
    with Listener(database.url) as started:
        assert started.wait_until_listening(SOON)
        yield started


def _notify(database: Database, kind: events.Kind, subject: str) -> None:
    with database.transaction() as session:
        events.notify(session, kind, subject)


def _quiet(watcher: Subscription) -> None:
    """Take the wake-up that a connection just made gives to everybody."""
    watcher.wait(0.0)


def test_only_who_watches_the_changed_thing_is_woken(database: Database, listener: Listener) -> None:
    with (
        listener.subscribe("run", "a") as first,
        listener.subscribe("run", "a") as second,
        listener.subscribe("run", "b") as other,
        listener.subscribe("dataset", "a") as namesake,
    ):
        for watcher in (first, second, other, namesake):
            _quiet(watcher)
        _notify(database, "run", "a")
        assert first.wait(SOON)
        assert second.wait(SOON)
        assert not other.wait(NEVER)
        assert not namesake.wait(0.0)
        assert not first.wait(0.0), "one change is one wake-up"


def test_nobody_is_woken_before_the_commit_nor_by_a_rollback(database: Database, listener: Listener) -> None:
    with listener.subscribe("run", "a") as watcher:
        _quiet(watcher)
        with database.transaction() as session:
            events.notify(session, "run", "a")
            session.flush()
            assert not watcher.wait(NEVER)
        assert watcher.wait(SOON)
        with database.transaction() as session:
            events.notify(session, "run", "a")
            session.rollback()
        assert not watcher.wait(NEVER)


def test_an_event_loop_sleeps_until_it_is_woken(database: Database, listener: Listener) -> None:
    async def watch() -> list[bool]:
        with listener.subscribe("run", "a") as watcher:
            _quiet(watcher)
            timed_out = await watcher.wait_async(NEVER)
            timer = threading.Timer(0.1, _notify, (database, "run", "a"))
            timer.start()
            woken = await watcher.wait_async(SOON)
            timer.join()
            # What came between two sleeps is not missed.
            watcher.wake()
            return [timed_out, woken, await watcher.wait_async(0.0)]

    assert asyncio.run(watch()) == [False, True, True]


def test_every_write_of_a_job_wakes_who_watches_it(
    database: Database, listener: Listener, running: Run, owner: str
) -> None:
    with database.transaction() as session:
        importing = datasets.create(session, owner, "coming", {"kind": "folder"}).id
    with listener.subscribe("run", running.id) as run, listener.subscribe("dataset", importing) as data:
        _quiet(run)
        _quiet(data)
        with database.transaction() as session:
            claims.fenced_update(session, Run, running.id, "one", progress={"epoch": 1})
        assert run.wait(SOON)
        with database.transaction() as session:
            runs.write_epoch(session, running.id, "one", 1, {}, {}, {}, {})
        assert run.wait(SOON)
        with database.transaction() as session:
            claims.request_stop(session, Run, running.id)
        assert run.wait(SOON)
        with database.transaction() as session:
            claims.acknowledge_cancel(session, Run, running.id)
        assert run.wait(SOON)
        assert not data.wait(0.0)
        with database.transaction() as session:
            claims.claim(session, Dataset, importing, "two", 5)
        assert data.wait(SOON)


def test_after_the_connection_was_cut_everybody_is_woken_and_hears_again(
    database: Database, listener: Listener
) -> None:
    with listener.subscribe("run", "a") as watcher:
        _quiet(watcher)
        with database.transaction() as session:
            cut = session.scalar(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
                )
            )
            assert cut == 1
        # Perhaps something changed meanwhile, and nobody will tell.
        assert watcher.wait(SOON)
        _notify(database, "run", "a")
        assert watcher.wait(SOON)


def test_closing_wakes_the_watchers_soon(database: Database) -> None:
    listener = Listener(database.url)
    listener.start()
    assert listener.wait_until_listening(SOON)
    with listener.subscribe("run", "a") as watcher:
        _quiet(watcher)
        began = time.monotonic()
        listener.close()
        assert watcher.wait(0.0)
        assert time.monotonic() - began < 3
        assert not listener.is_listening()


def test_a_listener_without_a_database_keeps_trying_quietly(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with Listener(database.url.replace("socket", "nowhere")) as listener:
        assert not listener.wait_until_listening(1.5)
    assert "trying again" in caplog.text
    assert "nowhere" not in caplog.text
