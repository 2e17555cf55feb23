"""The fence: a stale claim writes nothing, starts are counted, a stop is obeyed in every state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.audit.errors import ClaimLost, Conflict, Unavailable
from backend.store import claims, datasets, results, runs
from backend.store.database import Database
from backend.store.tables import Dataset, Run

Write = Callable[[Database, str, str], object]


def _now(database: Database, run_id: str) -> Run:
    with database.transaction() as session:
        return runs.load(session, run_id)


def _results(samples: int) -> np.ndarray:
    result_N = np.zeros(samples, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(samples)
    return result_N


def _update(database: Database, run_id: str, claim_id: str) -> None:
    with database.transaction() as session:
        claims.fenced_update(session, Run, run_id, claim_id, progress={"stage": "stale"})


def _epoch(database: Database, run_id: str, claim_id: str) -> None:
    with database.transaction() as session:
        runs.write_epoch(session, run_id, claim_id, 1, {"stale": True}, {}, {}, {})


def _publish(database: Database, run_id: str, claim_id: str) -> None:
    with database.transaction() as session:
        results.publish_results(session, run_id, claim_id, _results(60), {"stale": True})


def _finish(database: Database, run_id: str, claim_id: str) -> None:
    with database.transaction() as session:
        claims.finish(session, Run, run_id, claim_id, "failed", error={"code": "STALE", "message": "stale"})


def test_a_claim_starts_the_run_and_its_writes_count(database: Database, new_run: Callable[[], Run]) -> None:
    run = new_run()
    with database.transaction() as session:
        claimed = claims.claim(session, Run, run.id, "one", 5)
    assert claimed is not None
    assert (claimed.status, claimed.claim_id, claimed.starts) == ("running", "one", 1)
    assert claimed.started_at is not None
    with database.transaction() as session:
        claims.fenced_update(session, Run, run.id, "one", progress={"stage": "training"})
        assert claims.is_held(session, Run, run.id, "one")
    assert _now(database, run.id).progress == {"stage": "training"}


@pytest.mark.parametrize("write", [_update, _epoch, _publish, _finish])
@pytest.mark.parametrize("how", ["replaced", "stopping", "cancelled", "finished", "never held"])
def test_a_stale_claim_can_write_nothing(database: Database, running: Run, write: Write, how: str) -> None:
    with database.transaction() as session:
        if how == "replaced":
            assert claims.claim(session, Run, running.id, "two", 5) is not None
        elif how == "finished":
            claims.finish(session, Run, running.id, "one", "failed")
        elif how != "never held":
            claims.request_stop(session, Run, running.id)
            if how == "cancelled":
                claims.acknowledge_cancel(session, Run, running.id)
    stale = "zero" if how == "never held" else "one"
    before = _now(database, running.id)
    with pytest.raises(ClaimLost):
        write(database, running.id, stale)
    after = _now(database, running.id)
    for column in [column.key for column in Run.__table__.columns]:
        assert getattr(after, column) == getattr(before, column), column
    with database.transaction() as session:
        assert not claims.is_held(session, Run, running.id, stale)
        assert runs.epochs(session, running.id) == []
        assert len(results.columns(session, running.id).x) == 0
        assert session.scalar(text("SELECT to_regclass(:name)"), {"name": f"result_{running.id}"}) is None


def test_the_newer_claim_goes_on_where_the_older_one_lost(database: Database, running: Run) -> None:
    with database.transaction() as session:
        claims.claim(session, Run, running.id, "two", 5)
        claims.fenced_update(session, Run, running.id, "two", progress={"stage": "map"})
    now = _now(database, running.id)
    assert (now.progress, now.starts, now.started_at) == ({"stage": "map"}, 2, running.started_at)


def test_claiming_again_with_the_same_claim_counts_no_start(database: Database, running: Run) -> None:
    with database.transaction() as session:
        again = claims.claim(session, Run, running.id, "one", 1)
    assert again is not None
    assert again.starts == 1


def test_starts_are_capped_and_the_last_refusal_says_why(
    database: Database, new_run: Callable[[], Run]
) -> None:
    run = new_run()
    for start in range(3):
        with database.transaction() as session:
            assert claims.claim(session, Run, run.id, f"claim {start}", 3) is not None
    with database.transaction() as session:
        assert claims.claim(session, Run, run.id, "one too many", 3) is None
    now = _now(database, run.id)
    assert (now.status, now.starts) == ("failed", 3)
    assert now.error is not None
    assert (now.error["code"], now.error["limit"]) == ("TOO_MANY_STARTS", 3)
    assert now.finished_at is not None


def test_a_worker_that_gives_its_claim_back_in_good_order_costs_no_start(
    database: Database, running: Run
) -> None:
    with database.transaction() as session:
        claims.give_back(session, Run, running.id, "zero")
        claims.give_back(session, Run, running.id, "one")
    assert _now(database, running.id).starts == 0
    with pytest.raises(ClaimLost):
        _update(database, running.id, "one")
    with database.transaction() as session:
        assert claims.claim(session, Run, running.id, "two", 1) is not None


def test_a_worker_that_was_replaced_before_it_claimed_cannot_take_the_run_back(
    database: Database, running: Run
) -> None:
    newest = "7d9f6f0a-5a1c-4f0e-9d53-5a1f6f0e9d53"
    with database.transaction() as session:
        session.execute(
            text("UPDATE chancy_jobs SET state = 'running', claim_id = :claim WHERE unique_key = :key"),
            {"claim": newest, "key": f"run:{running.id}"},
        )
        assert claims.claim(session, Run, running.id, "slept too long", 5) is None
        assert claims.claim(session, Run, running.id, newest, 5) is not None


def _take(session: Session, run_id: str) -> None:
    session.execute(text("SET LOCAL lock_timeout = '10s'"))
    assert claims.claim(session, Run, run_id, "two", 5) is not None


def _stop(session: Session, run_id: str) -> None:
    assert claims.request_stop(session, Run, run_id).cancel_requested


@pytest.mark.parametrize("within", ["a statement", "a transfer"])
@pytest.mark.parametrize("come", [_take, _stop])
def test_who_stands_still_in_a_transaction_keeps_neither_its_successor_nor_a_stop_waiting(
    database: Database, running: Run, come: Callable[[Session, str], None], within: str
) -> None:
    standing = Database(database.url, claims.session_name("one"))

    def stand_still() -> None:
        with standing.transaction() as session, ExitStack() as stack:
            claims.fenced_update(session, Run, running.id, "one", progress={"stage": "stale"})
            driver = session.connection().connection.driver_connection
            assert driver is not None
            if within == "a transfer":
                stack.enter_context(driver.cursor().copy("COPY activity FROM STDIN"))
            with database.transaction() as other:
                come(other, running.id)

    with pytest.raises(Unavailable):
        stand_still()
    standing.dispose()
    now = _now(database, running.id)
    assert (now.claim_id, now.cancel_requested, now.progress) in (("two", False, {}), ("one", True, {}))


def test_a_queued_run_is_cancelled_at_once_and_never_started(
    database: Database, new_run: Callable[[], Run]
) -> None:
    run = new_run()
    with database.transaction() as session:
        assert claims.request_stop(session, Run, run.id).status == "cancelled"
    with database.transaction() as session:
        assert claims.claim(session, Run, run.id, "one", 5) is None
    now = _now(database, run.id)
    assert (now.status, now.starts) == ("cancelled", 0)
    assert now.finished_at is not None


def test_a_running_run_is_told_and_cancelled_when_its_worker_says_so(
    database: Database, running: Run
) -> None:
    with database.transaction() as session:
        assert not claims.acknowledge_cancel(session, Run, running.id)
        assert claims.request_stop(session, Run, running.id).status == "running"
        assert claims.request_stop(session, Run, running.id).status == "running"
        assert not claims.is_held(session, Run, running.id, "one")
    with database.transaction() as session:
        assert claims.acknowledge_cancel(session, Run, running.id)
        assert not claims.acknowledge_cancel(session, Run, running.id)
    assert _now(database, running.id).status == "cancelled"


def test_a_stop_whose_worker_died_is_obeyed_by_the_next_one(database: Database, running: Run) -> None:
    with database.transaction() as session:
        claims.request_stop(session, Run, running.id)
    with database.transaction() as session:
        assert claims.claim(session, Run, running.id, "two", 5) is None
    assert _now(database, running.id).status == "cancelled"


def test_a_failure_during_a_stop_is_a_cancellation_not_a_failure(database: Database, running: Run) -> None:
    with database.transaction() as session:
        claims.request_stop(session, Run, running.id)
        claims.fail(session, Run, running.id, "one", {"code": "X", "message": "killed"})
    now = _now(database, running.id)
    assert (now.status, now.error) == ("cancelled", None)


def test_what_has_ended_cannot_be_stopped(database: Database, running: Run) -> None:
    with database.transaction() as session:
        claims.fail(session, Run, running.id, "one", {"code": "X", "message": "broke"})
    now = _now(database, running.id)
    assert (now.status, now.error) == ("failed", {"code": "X", "message": "broke"})
    with pytest.raises(Conflict), database.transaction() as session:
        claims.request_stop(session, Run, running.id)


def test_an_import_is_claimed_fenced_and_stopped_as_a_run_is(database: Database, owner: str) -> None:
    with database.transaction() as session:
        first, second = (datasets.create(session, owner, "a", {"kind": "folder"}) for _ in range(2))
        assert claims.request_stop(session, Dataset, first.id).status == "cancelled"
        taken = claims.claim(session, Dataset, second.id, "one", 5)
        assert taken is not None
        assert taken.starts == 1
        claims.fenced_update(session, Dataset, second.id, "one", progress={"fraction": 0.5})
        assert claims.request_stop(session, Dataset, second.id).status == "importing"
    with pytest.raises(ClaimLost), database.transaction() as session:
        claims.finish(session, Dataset, second.id, "one", "ready")
    with database.transaction() as session:
        assert claims.acknowledge_cancel(session, Dataset, second.id)
        assert datasets.load(session, second.id).ready_at is None
