"""The drills, hit a few times each; `make drills` hits them as often as the promises say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.promises import PROMISES, Promise
from tests.drills.reached import Reached, Record, Turn
from tests.drills.topology import Topology, topology

QUICK = {
    "accepted_jobs_survive": 3,
    "duplicates_publish_once": 20,
    "checkpoints_survive_kills": 40,
    "writes_may_fail": 60,
    "one_writer": 2,
    "one_writer_over_partitions": 1,
    "a_full_disk_is_told": 1,
    "numbers_may_go_wrong": 1,
    "cancel_is_quick": 3,
    "decisions_are_kept": 4,
    "uploads_resume": 2,
    "migrations_survive_kills": 1,
    "backups_come_back_equal": 1,
}
"""How often here. What trains for long is left to the full version; `tests/worker` and `tests/backend/store` have one of each."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many() -> Iterator[Topology]:
    """Two backends, three workers, one PostgreSQL, one S3 server, as processes."""
    with topology(backends=2, workers=3, s3=True) as running:
        yield running


def test_a_drill_that_was_broken_off_goes_on_from_its_record(tmp_path: Path) -> None:
    record = Record(tmp_path / "build" / "drills.jsonl")
    first = Reached(3, [], {"kills": 3}, 1.5)
    second = Reached(2, ["one is lost"], {"kills": 2, "late": 1}, 1.0)
    for reached in (first, second):
        record.add(Turn.now("it survives", reached, 10.0, "here"))
    record.add(Turn.now("another", first, 1.0, "here"))
    found = [turn.reached for turn in record.turns("it survives")]
    assert found == [first, second]
    assert found[0] + found[1] == Reached(5, ["one is lost"], {"kills": 5, "late": 1}, 1.5)
    assert (found[0] + found[1]).figure == "5 kills; 1 late; slowest 1.5 s"
    record.forget(["it survives"])
    assert record.turns("it survives") == []
    assert len(record.turns("another")) == 1


@pytest.mark.parametrize(
    "promise",
    [each for each in PROMISES if each.drill.__name__ in QUICK],
    ids=lambda each: each.drill.__name__,
)
def test_the_promise_holds(many: Topology, promise: Promise) -> None:
    reached = promise.drill(many, QUICK[promise.drill.__name__], random.Random(1))
    assert reached.wrong == [], reached.figure
    if not reached.times:
        pytest.skip(reached.remark)
