"""Slows down guessing: so many failed sign-ins a minute from one address, then none. In memory, no clock of its own."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable

from backend.audit.errors import TooMany

WINDOW_SECONDS = 60.0
KEPT_ADDRESSES = 10_000


class Throttle:
    """Counts failures per address in a sliding minute; a success costs nothing."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._failures: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """Raise TooMany while the address has failed too often within the last minute."""
        with self._lock:
            if len(self._recent(address)) >= self._per_minute:
                raise TooMany(
                    "SIGN_IN_LIMIT",
                    "Too many failed sign-ins.",
                    hint="Wait a minute, then try again.",
                    limit=self._per_minute,
                )

    def failed(self, address: str) -> None:
        """Note a failure."""
        with self._lock:
            if len(self._failures) >= KEPT_ADDRESSES:
                for known in list(self._failures):
                    if not self._recent(known):
                        del self._failures[known]
            self._recent(address).append(self._clock())

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures[address]
        while failures and failures[0] <= self._clock() - WINDOW_SECONDS:
            failures.popleft()
        return failures
