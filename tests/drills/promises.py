"""The promises of reliability, each with the drill that hits it and how often it is asked to hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from tests.drills.cancelling import cancel_is_quick
from tests.drills.deciding import decisions_are_kept
from tests.drills.interrupting import one_writer, one_writer_over_partitions
from tests.drills.reached import Reached
from tests.drills.storage import (
    a_full_disk_is_told,
    backups_come_back_equal,
    checkpoints_survive_kills,
    flipped_bits_are_noticed,
    flipped_pages_are_noticed,
    migrations_survive_kills,
    writes_may_fail,
)
from tests.drills.topology import Topology
from tests.drills.training import memory_may_run_out, numbers_may_go_wrong
from tests.drills.uploads import uploads_resume
from tests.drills.workers import (
    a_dead_workers_run_goes_on,
    accepted_jobs_survive,
    clocks_may_jump,
    duplicates_publish_once,
    the_database_may_go_away,
)

Drill = Callable[[Topology, int, random.Random], Reached]


class Promise(NamedTuple):
    """One line of the table. `asked`: how often it must hold in the full version; `at_once`: hits of one turn."""

    name: str
    asked: int
    at_once: int
    drill: Drill


PROMISES = [
    Promise("an accepted job survives", 500, 50, accepted_jobs_survive),
    Promise("a dead worker's run goes on within 60 s", 20, 4, a_dead_workers_run_goes_on),
    Promise("one writer, over pauses", 200, 10, one_writer),
    Promise("one writer, over partitions", 50, 5, one_writer_over_partitions),
    Promise("a job delivered twice has one result", 1000, 1000, duplicates_publish_once),
    Promise("a checkpoint is valid after a kill", 1000, 250, checkpoints_survive_kills),
    Promise("a failing write leaves nothing corrupt", 1000, 1000, writes_may_fail),
    Promise("a full disk is told, and nothing corrupt", 50, 10, a_full_disk_is_told),
    Promise("the database may be away for a minute", 10, 2, the_database_may_go_away),
    Promise("memory may run out", 21, 6, memory_may_run_out),
    Promise("numbers may go wrong", 20, 10, numbers_may_go_wrong),
    Promise("clocks may jump", 20, 4, clocks_may_jump),
    Promise("cancel within 10 s in every state", 200, 10, cancel_is_quick),
    Promise("an answered decision is kept, once", 200, 20, decisions_are_kept),
    Promise("an upload resumes after a kill of either side", 200, 20, uploads_resume),
    Promise("a killed migration is finished by the next", 50, 10, migrations_survive_kills),
    Promise("a backup under writes comes back equal", 20, 5, backups_come_back_equal),
    Promise("a flipped bit in an artifact is noticed", 1000, 500, flipped_bits_are_noticed),
    Promise("a flipped bit in a database page is noticed", 50, 50, flipped_pages_are_noticed),
]
