"""Which status may follow which."""

import pytest

from backend.audit.errors import Conflict
from backend.audit.status import DATASET_MOVES, RUN_MOVES, check_move, is_final, may_move, must_be
from backend.store.tables import DATASET_STATUSES, RUN_STATUSES


def test_every_status_of_the_tables_has_its_moves_and_no_move_leads_elsewhere() -> None:
    for moves, statuses in ((DATASET_MOVES, DATASET_STATUSES), (RUN_MOVES, RUN_STATUSES)):
        assert set(moves) == set(statuses)
        assert set().union(*moves.values()) <= set(statuses)


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_a_finished_run_never_moves_again(status: str) -> None:
    assert is_final("run", status)
    assert not any(may_move("run", status, target) for target in RUN_STATUSES)


def test_a_running_run_can_be_taken_over_but_never_queued_again() -> None:
    check_move("run", "running", "running")
    with pytest.raises(Conflict, match="running cannot become queued"):
        check_move("run", "running", "queued")


def test_needing_a_ready_dataset_says_what_it_is_instead() -> None:
    must_be("dataset", "ready", "ready", "to start a run")
    with pytest.raises(Conflict) as refused:
        must_be("dataset", "importing", "ready", "to start a run")
    assert refused.value.as_dict() == {
        "code": "WRONG_STATUS",
        "message": "The dataset must be ready to start a run; it is importing.",
        "hint": "Try again when it is.",
        "limit": "ready",
        "found": "importing",
    }
