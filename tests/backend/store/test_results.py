"""Results are published whole and once, and read back to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from backend.audit.errors import ClaimLost, NotFound
from backend.store import claims, datasets, results, runs
from backend.store.database import Database
from backend.store.results import RESULT_DTYPE
from backend.store.tables import Dataset, Run

Results = np.ndarray[Any, np.dtype[np.void]]
CLASSES = 3


def _results(samples: int, seed: int = 0) -> Results:
    """Random results with many equal posteriors, in no order."""
    rng = np.random.default_rng(seed)
    result_N = np.zeros(samples, RESULT_DTYPE)
    result_N["sample_index"] = rng.permutation(samples)
    result_N["noise_posterior"] = rng.choice([0.0, 1e-300, 0.1, 1 / 3, np.nextafter(1 / 3, 1), 1.0], samples)
    result_N["flagged"] = result_N["noise_posterior"] > 0.3
    result_N["suggested_label"] = rng.integers(CLASSES, size=samples)
    for name in ("loss", "margin", "label_quality", "x", "y"):
        result_N[name] = rng.normal(size=samples)
    return result_N


def _publish(database: Database, run_id: str, claim_id: str, result_N: Results) -> bool:
    with database.transaction() as session:
        return results.publish_results(session, run_id, claim_id, result_N, {"flagged": 1})


def test_what_is_published_is_read_back_to_the_bit(
    database: Database, dataset: Dataset, running: Run
) -> None:
    result_N = _results(60)
    assert _publish(database, running.id, "one", result_N)
    with database.transaction() as session:
        columns = results.columns(session, running.id)
        given_N, true_N = datasets.labels(session, dataset.id)
        row = results.one(session, running, columns, 7)
        now = runs.load(session, running.id)
    sorted_N = result_N[np.argsort(result_N["sample_index"])]
    for name in RESULT_DTYPE.names or ():
        np.testing.assert_array_equal(getattr(columns, name), sorted_N[name])
        assert getattr(columns, name).dtype == RESULT_DTYPE[name]
    np.testing.assert_array_equal(columns.given_label, given_N)
    np.testing.assert_array_equal(columns.true_label, true_N)
    assert row.noise_posterior == sorted_N["noise_posterior"][7]
    assert np.float32(row.loss) == sorted_N["loss"][7]
    assert (row.name, row.width, row.height, row.given_label) == ("0007 ü\t\"'.png", 15, 16, 1)
    assert (now.status, now.outcome) == ("succeeded", {"flagged": 1})
    assert now.finished_at is not None


def test_published_twice_is_one_result(database: Database, running: Run) -> None:
    assert _publish(database, running.id, "one", _results(60, seed=0))
    assert not _publish(database, running.id, "one", _results(60, seed=1))
    with database.transaction() as session:
        columns = results.columns(session, running.id)
        assert len(columns.x) == 60
        first = results.one(session, running, columns, 5).loss
        whole = _results(60, seed=0)
        assert np.float32(first) == whole["loss"][whole["sample_index"] == 5][0]


def test_a_publication_that_fails_later_leaves_nothing(database: Database, running: Run) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012
        assert results.publish_results(session, running.id, "one", _results(60), {})
        raise ZeroDivisionError
    with database.transaction() as session:
        assert runs.load(session, running.id).status == "running"
        assert len(results.columns(session, running.id).x) == 0
    assert _publish(database, running.id, "one", _results(60))


def test_a_run_replaced_in_the_middle_of_publishing_is_published_by_the_newer_claim_alone(
    database: Database, running: Run
) -> None:
    with database.transaction() as session:
        claims.claim(session, Run, running.id, "two", 5)
    with pytest.raises(ClaimLost):
        _publish(database, running.id, "one", _results(60, seed=0))
    assert _publish(database, running.id, "two", _results(60, seed=1))


def test_the_partition_holds_its_index_and_no_leftover_check(database: Database, running: Run) -> None:
    _publish(database, running.id, "one", _results(60))
    with database.transaction() as session:
        attached = session.scalar(
            text("SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = to_regclass(:name)"),
            {"name": f"result_{running.id}"},
        )
        kept = session.scalars(
            text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name) AND contype = 'c'"),
            {"name": f"result_{running.id}"},
        ).all()
        plan = session.scalars(
            text(
                "EXPLAIN SELECT * FROM result WHERE run_id = :run"
                " ORDER BY noise_posterior DESC, sample_index DESC LIMIT 1"
            ),
            {"run": running.id},
        ).all()
    assert attached == "result"
    assert kept == []
    assert any("Index Scan Backward" in line for line in plan)
    assert not any("Sort" in line for line in plan)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -0.1, 1.1])
def test_a_posterior_that_is_no_probability_is_never_published(
    database: Database, running: Run, broken: float
) -> None:
    result_N = _results(60)
    result_N["noise_posterior"][3] = broken
    with pytest.raises(ValueError, match="posterior"):
        _publish(database, running.id, "one", result_N)


def test_results_that_miss_a_sample_or_say_one_twice_are_never_published(
    database: Database, running: Run
) -> None:
    result_N = _results(60)
    result_N["sample_index"][3] = result_N["sample_index"][4]
    with pytest.raises(ValueError, match="one per sample"):
        _publish(database, running.id, "one", result_N)


def test_a_sample_that_is_not_there_is_not_found(database: Database, running: Run) -> None:
    _publish(database, running.id, "one", _results(60))
    with pytest.raises(NotFound), database.transaction() as session:
        results.one(session, running, results.columns(session, running.id), 60)


def test_a_run_from_before_agreement_was_kept_is_read_as_not_knowing_it(
    database: Database, running: Run
) -> None:
    result_N = _results(60)
    result_N["agreement"] = np.arange(60) % 6
    _publish(database, running.id, "one", result_N)
    with database.transaction() as session:
        known = results.columns(session, running.id)
        row = results.one(session, running, known, 9)
        session.execute(text(f'UPDATE "result_{running.id}" SET agreement = NULL WHERE sample_index = 9'))
        unknown = results.columns(session, running.id)
        rows = results.rows(session, running, unknown, [9, 8])
    by_index = np.argsort(result_N["sample_index"])
    np.testing.assert_array_equal(known.agreement, result_N["agreement"][by_index])
    assert row.agreement == known.agreement[9]
    assert unknown.agreement[9] == results.NOT_KNOWN
    assert [(one.index, one.agreement) for one in rows] == [(9, None), (8, int(known.agreement[8]))]
