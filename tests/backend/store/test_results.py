"""Results are published whole and once; a page equals the same slice of a sorted reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.audit.errors import BadInput, ClaimLost, NotFound
from backend.store import accounts, claims, datasets, decisions, results, runs
from backend.store.database import Database
from backend.store.results import RESULT_DTYPE, SampleFilter, SampleRow
from backend.store.tables import Dataset, Run

Results = np.ndarray[Any, np.dtype[np.void]]
SAMPLES = 90
CLASSES = 3


@dataclass(frozen=True)
class Item:
    """A decision to record."""

    index: int
    verdict: str
    label: int | None = None


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
        row = results.one(session, running, 7)
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
        assert len(results.columns(session, running.id).x) == 60
        first = results.one(session, running, 5).loss
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
        results.one(session, running, 60)


@pytest.mark.parametrize("cursor", ["", "x", "p", "p0.5", "p0.5_x", "i3", "p0.5_1_2", "0.5_1"])
def test_a_made_up_cursor_is_refused(database: Database, running: Run, cursor: str) -> None:
    with pytest.raises(BadInput) as caught, database.transaction() as session:
        results.page(session, running, SampleFilter(), cursor, 10)
    assert caught.value.code == "CURSOR_INVALID"


# --- pages against a reference -----------------------------------------------------------------------


@dataclass(frozen=True)
class Reviewed:
    """A published run with some decisions, and what every row must be."""

    database: Database
    run: Run
    result_N: Results
    given_N: np.ndarray[Any, np.dtype[np.int32]]
    verdicts: dict[int, str]


@pytest.fixture(scope="module")
def reviewed(new_database: Callable[[], str]) -> Iterator[Reviewed]:
    database = Database(new_database())
    index_N = np.arange(SAMPLES)
    result_N = _results(SAMPLES)
    rng = np.random.default_rng(1)
    with database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        dataset = datasets.create(session, owner, "insects", {"kind": "folder"})
        other = datasets.create(session, owner, "others", {"kind": "folder"})
        for made in (dataset, other):
            claims.claim(session, Dataset, made.id, "import", 5)
            datasets.publish_samples(
                session, made.id, names=["x"] * SAMPLES, given_label_N=index_N % CLASSES,
                content_hash=["0" * 64] * SAMPLES, width_N=index_N, height_N=index_N,
            )  # fmt: skip
            claims.finish(
                session, Dataset, made.id, "import", "ready", sample_count=SAMPLES, classes=["a", "b", "c"]
            )
        run = runs.create(session, owner, dataset.id, "fast", {}, 0)
        claims.claim(session, Run, run.id, "one", 5)
        results.publish_results(session, run.id, "one", result_N, {})
        verdicts: dict[int, str] = {}
        for time in range(80):
            index = int(rng.integers(SAMPLES))
            verdict = str(rng.choice(["keep", "relabel", "remove", "unsure", "cleared"]))
            item = Item(index, verdict, 0 if verdict == "relabel" else None)
            decisions.append(session, dataset.id, owner, [item], run.id, f"key {time:04d}")
            verdicts[index] = verdict
        # Decisions on another dataset's samples of the same indices must not show.
        elsewhere = [Item(int(index), "remove") for index in index_N]
        decisions.append(session, other.id, owner, elsewhere, None, "elsewhere")
    standing = {index: verdict for index, verdict in verdicts.items() if verdict != "cleared"}
    by_index_N = result_N[np.argsort(result_N["sample_index"])]
    yield Reviewed(database, run, by_index_N, index_N.astype(np.int32) % CLASSES, standing)
    database.dispose()


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


filters = st.builds(
    SampleFilter,
    flagged=_maybe(st.booleans()),
    given_label=_maybe(st.integers(0, CLASSES)),
    suggested_label=_maybe(st.integers(0, CLASSES)),
    min_posterior=_maybe(st.sampled_from([0.0, 0.1, 1 / 3, 1.0])),
    max_posterior=_maybe(st.sampled_from([0.0, 0.1, 1 / 3, 1.0])),
    verdict=_maybe(st.sampled_from(["none", "keep", "relabel", "remove", "unsure"])),
    indices=_maybe(st.lists(st.integers(0, SAMPLES + 3))),
    order=st.sampled_from(["posterior", "index"]),
)


def _expected(reviewed: Reviewed, wanted: SampleFilter) -> list[int]:
    def fits(index: int) -> bool:
        row = reviewed.result_N[index]
        posterior = row["noise_posterior"]
        return all(
            (
                wanted.flagged is None or bool(row["flagged"]) == wanted.flagged,
                wanted.given_label is None or reviewed.given_N[index] == wanted.given_label,
                wanted.suggested_label is None or row["suggested_label"] == wanted.suggested_label,
                wanted.min_posterior is None or posterior >= wanted.min_posterior,
                wanted.max_posterior is None or posterior <= wanted.max_posterior,
                wanted.verdict is None or reviewed.verdicts.get(index, "none") == wanted.verdict,
                wanted.indices is None or index in wanted.indices,
            )
        )

    found = [index for index in range(SAMPLES) if fits(index)]
    if wanted.order == "posterior":
        found.sort(key=lambda index: (reviewed.result_N["noise_posterior"][index], index), reverse=True)
    return found


def _walk(reviewed: Reviewed, wanted: SampleFilter, limit: int) -> list[SampleRow]:
    rows: list[SampleRow] = []
    after = None
    with reviewed.database.transaction() as session:
        while True:
            page, total, after = results.page(session, reviewed.run, wanted, after, limit)
            rows += page
            assert len(page) == limit or after is None
            if after is None:
                assert total == len(rows)
                return rows


@settings(max_examples=120, deadline=None)
@given(wanted=filters, limit=st.integers(1, 40))
def test_the_pages_one_after_another_are_the_filtered_sorted_reference(
    reviewed: Reviewed, wanted: SampleFilter, limit: int
) -> None:
    rows = _walk(reviewed, wanted, limit)
    assert [row.index for row in rows] == _expected(reviewed, wanted)
    for row in rows:
        assert (row.decision.verdict if row.decision else "none") == reviewed.verdicts.get(row.index, "none")
        assert row.noise_posterior == reviewed.result_N["noise_posterior"][row.index]
        assert row.true_label is None


def test_every_filter_finds_something_in_the_reference(reviewed: Reviewed) -> None:
    """Else the comparison above would compare empty lists."""
    for verdict in ("none", "keep", "relabel", "remove", "unsure"):
        for flagged in (True, False):
            assert _expected(reviewed, SampleFilter(verdict=verdict, flagged=flagged))
