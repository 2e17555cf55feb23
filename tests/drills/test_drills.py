"""The drills, hit a few times each; `make drills` hits them as often as the promises say."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.drills.promises import PROMISES, Promise
from tests.drills.topology import Topology, topology

QUICK = {
    "accepted_jobs_survive": 2,
    "duplicates_publish_once": 20,
    "checkpoints_survive_kills": 40,
    "writes_may_fail": 60,
    "a_full_disk_is_told": 1,
    "uploads_resume": 1,
    "migrations_survive_kills": 1,
    "backups_come_back_equal": 1,
}
"""How often here. What trains for long is left to the full version; `tests/worker/test_execute.py` has one of each."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many() -> Iterator[Topology]:
    """Two backends, three workers, one PostgreSQL, one S3 server, as processes."""
    with topology(backends=2, workers=3, s3=True) as running:
        yield running


@pytest.mark.parametrize(
    "promise",
    [each for each in PROMISES if each.drill.__name__ in QUICK],
    ids=lambda each: each.drill.__name__,
)
def test_the_promise_holds(many: Topology, promise: Promise) -> None:
    reached = promise.drill(many, QUICK[promise.drill.__name__], random.Random(1))
    assert reached.wrong == [], reached.figure
    if not reached.times:
        pytest.skip(reached.figure)
