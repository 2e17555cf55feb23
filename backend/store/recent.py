"""A bounded store of the results that were asked for last; knows nothing of what they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Kept = TypeVar("Kept")


class Recent:
    """Results of slow questions, the ones used last, of no more than `limit` in weight; thread-safe.

    `weigh` gives one result's weight (its bytes, or 1). The newest one is kept whatever it weighs. Asked for the same
    key at once by many, the question is answered once, and the others wait.
    """

    def __init__(self, limit: int, weigh: Callable[[Any], int] = lambda _: 1) -> None:
        self._limit, self._weigh = limit, weigh
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept under the key, or else what `make` gives."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(Kept, self._kept[key][0])
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._kept:
                    return cast(Kept, self._kept[key][0])
            try:
                made = make()
                self._keep(key, made)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return made

    def drop(self, key: Hashable) -> None:
        """Forget what is kept under the key, if anything."""
        with self._lock:
            self._weight -= self._kept.pop(key, (None, 0))[1]

    def _keep(self, key: Hashable, made: Any) -> None:
        weight = self._weigh(made)
        with self._lock:
            self._weight += weight - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (made, weight)
            while self._weight > self._limit and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._weight -= gone
