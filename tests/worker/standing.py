"""An artifact store in which a writer can stand still in the middle, as its process does when it is stopped."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

from obstore.store import LocalStore

from backend.store.artifacts import Artifacts
from backend.store.objects import Objects


class Standing(Objects):
    """Stops before its put number `at` (from 0) until it is let go on. Opened on the folder of an installation."""

    def __init__(self, data: Path, at: int) -> None:
        super().__init__(LocalStore(data / "artifacts", mkdir=True))
        self._left = at
        self._reached, self._go_on = threading.Event(), threading.Event()

    def put(self, key: str, data: bytes | Path, *, replace: bool = False) -> bool:
        """As any store's, once it may."""
        if self._left == 0:
            self._reached.set()
            assert self._go_on.wait(60)
        self._left -= 1
        return super().put(key, data, replace=replace)

    def wait(self, writer: Future[None]) -> None:
        """Until it stands; raises what its writer raised if that came first."""
        while not self._reached.wait(0.05):
            if writer.done():
                writer.result()
                raise AssertionError("it never stood")

    def go_on(self) -> None:
        """Let it write."""
        self._go_on.set()


def damaged(artifacts: Artifacts, prefix: str) -> list[str]:
    """Keys under the prefix of what is not as it was stored."""
    return [key for key in artifacts.list(prefix) if artifacts.state(key) != "whole"]
