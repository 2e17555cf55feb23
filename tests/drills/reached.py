"""What a drill found, how several turns of one add up, and the file in which turns are kept between calls."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Reached:
    """How often a drill hit, what was wrong (nothing, one hopes), and what it counted; `slowest` in seconds."""

    times: int
    wrong: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    slowest: float | None = None
    remark: str = ""

    @property
    def figure(self) -> str:
        """In words."""
        words = [f"{count:,} {what}" for what, count in self.counts.items()]
        if self.slowest is not None:
            words.append(f"slowest {self.slowest:.1f} s")
        return "; ".join([*words, *filter(None, [self.remark])])

    def __add__(self, other: Reached) -> Reached:
        counts = Counter(self.counts)
        counts.update(other.counts)
        slow = [each for each in (self.slowest, other.slowest) if each is not None]
        return Reached(
            self.times + other.times,
            [*self.wrong, *other.wrong],
            dict(counts),
            max(slow, default=None),
            other.remark or self.remark,
        )


@dataclass(frozen=True)
class Turn:
    """One call's part of a drill. `at`: when it ended, ISO 8601, UTC; `version`: the commit that was drilled."""

    promise: str
    reached: Reached
    seconds: float
    at: str
    version: str
    where: str

    @classmethod
    def now(cls, promise: str, reached: Reached, seconds: float, where: str) -> Turn:
        """A turn that has just ended on this machine."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(promise, reached, seconds, at, _version(), f"{where}, {_machine()}")


class Record:
    """The turns in a file, a line each; so that a drill of hours may be broken off and gone on with."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def turns(self, promise: str) -> list[Turn]:
        """All of one promise, oldest first."""
        return [turn for turn in self._read() if turn.promise == promise]

    def add(self, turn: Turn) -> None:
        """Keep a turn."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(turn), ensure_ascii=False) + "\n")

    def forget(self, promises: Iterable[str]) -> None:
        """Begin with these anew."""
        gone = set(promises)
        kept = [turn for turn in self._read() if turn.promise not in gone]
        self.path.unlink(missing_ok=True)
        for turn in kept:
            self.add(turn)

    def _read(self) -> list[Turn]:
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        return [Turn(**{**said, "reached": Reached(**said["reached"])}) for said in map(json.loads, lines)]


def _version() -> str:
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores {platform.machine()}"
