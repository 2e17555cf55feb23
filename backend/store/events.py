"""Wake-ups: who changed a run or a dataset says so at its commit, who watches one is woken.

A wake-up carries no data and may come too often; the watcher reads the row again. Nothing is lost when
one is missed, because the rows are the truth and everybody is woken after every reconnection.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.store.attention import attentive

CHANNEL = "noise_audit"
Kind = Literal["run", "dataset", "preflight"]
POLL_SECONDS = 0.5
"""How long closing may take: the listening thread looks this often whether it should end."""
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


def notify(session: Session, kind: Kind, subject: str) -> None:
    """Wake everybody who watches this run or dataset, when the caller's transaction commits."""
    payload = json.dumps({"kind": kind, "id": subject})
    session.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload})


class Subscription:
    """One watcher's wake-ups; several that come before it looks count as one."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def wake(self) -> None:
        """Wake the watcher; from any thread."""
        self._changed.set()
        with self._lock:
            for loop, event in self._sleepers:
                loop.call_soon_threadsafe(event.set)

    def wait(self, timeout: float) -> bool:
        """Sleep until the next wake-up, at most `timeout` seconds; False when none came."""
        woken = self._changed.wait(timeout)
        self._changed.clear()
        return woken

    async def wait_async(self, timeout: float) -> bool:
        """As `wait`, for an event loop."""
        sleeper = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._sleepers.append(sleeper)
        try:
            if not self._changed.is_set():
                await asyncio.wait_for(sleeper[1].wait(), timeout)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._sleepers.remove(sleeper)
        self._changed.clear()
        return True


class Listener:
    """One connection per process that hears every wake-up, in a thread of its own.

    Use as a context manager, or `start` and `close`. `subscribe` works before, between and after
    connections: while the database is away nobody is woken, and everybody once it is back.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._watchers: dict[tuple[str, str], set[Subscription]] = defaultdict(set)
        self._ending = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wake everybody a last time; takes at most about a second."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._wake_all()

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_listening(self) -> bool:
        """Whether the connection stands."""
        return self._listening.is_set()

    def wait_until_listening(self, timeout: float) -> bool:
        """Wait for the connection, at most `timeout` seconds; whether it stands."""
        return self._listening.wait(timeout)

    @contextmanager
    def subscribe(self, kind: Kind, subject: str) -> Iterator[Subscription]:
        """Watch one run or dataset inside the block. Read the row after entering, then wait, then read again."""
        watcher = Subscription()
        with self._lock:
            self._watchers[kind, subject].add(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                self._watchers[kind, subject].discard(watcher)
                if not self._watchers[kind, subject]:
                    del self._watchers[kind, subject]

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("The listening connection broke (%s); trying again.", type(error).__name__)
            self._listening.clear()
            self._ending.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(make_conninfo(self._url, **attentive(self._url)), autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._listening.set()
            # What changed while nobody listened is not told again.
            self._wake_all()
            while not self._ending.is_set():
                for note in connection.notifies(timeout=POLL_SECONDS):
                    self._hear(note.payload)
                    if self._ending.is_set():
                        return

    def _hear(self, payload: str) -> None:
        said = json.loads(payload)
        with self._lock:
            watchers = list(self._watchers.get((said["kind"], said["id"]), ()))
        for watcher in watchers:
            watcher.wake()

    def _wake_all(self) -> None:
        with self._lock:
            watchers = [watcher for group in self._watchers.values() for watcher in group]
        for watcher in watchers:
            watcher.wake()
