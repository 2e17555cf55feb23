"""What the load counts as falling short, on numbers made up for it; the load itself is `make bench-load`."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from benchmarks.load import Seen, misses, summary

OPTIONS = argparse.Namespace(minutes=1.0, reviewers=2, streams=1, pace=4.0, samples=10, note="")


def _seen(**otherwise: Any) -> Seen:
    seen = Seen(
        decided=100, events=5, streams_opened=1, runs=1, imports=1, memory_mb=[100.0, 200.0, 200.0, 201.0]
    )
    seen.milliseconds["decide"] = [10.0] * 100
    for name, value in otherwise.items():
        setattr(seen, name, value)
    return seen


def test_a_load_that_met_nothing_bad_keeps_the_promise() -> None:
    found = summary(OPTIONS, _seen(), kept=100)
    assert misses(found) == []
    assert found["routes"]["decide"] == {"requests": 100, "p50_ms": 10.0, "p99_ms": 10.0, "most_ms": 10.0}


@pytest.mark.parametrize(
    ("otherwise", "kept", "word"),
    [
        ({"milliseconds": {"decide": [10.0] * 97 + [600.0] * 3}}, 100, "decide: 99th percentile 600.0 ms"),
        ({"errors": ["page: 503"]}, 100, "1 errors"),
        ({}, 99, "100 decisions sent, 99 kept"),
        ({"memory_mb": [100.0, 200.0, 215.0, 230.0]}, 100, "grew from 200.0 to 230.0"),
        ({"runs": 0}, 100, "not what it should be"),
    ],
)
def test_each_thing_that_falls_short_is_said(otherwise: dict[str, Any], kept: int, word: str) -> None:
    (said,) = misses(summary(OPTIONS, _seen(**otherwise), kept))
    assert word in said
