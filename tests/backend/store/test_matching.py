"""What a filter finds equals a reference written sample by sample; pages, total and indices are one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.api.published import Published
from backend.audit.errors import BadInput
from backend.store import accounts, claims, datasets, deciding, matching, results, runs, selections
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.matching import SampleFilter
from backend.store.results import RESULT_DTYPE
from backend.store.tables import Dataset, Run

SAMPLES = 90
CLASSES = 3


@dataclass(frozen=True)
class Item:
    """A decision to record."""

    index: int
    verdict: str
    label: int | None = None


SPLITS = ("train", "test", None, "other", "dev")
"""By sample index, again and again; what is none of ours counts as other."""


@dataclass(frozen=True)
class Reviewed:
    """A published run with some decisions, two others beside it, two selections, and what every row must be."""

    database: Database
    published: Published
    run: Run
    others: dict[str, np.ndarray[Any, np.dtype[np.bool_]]]
    selections: dict[str, list[int]]
    result_N: np.ndarray[Any, np.dtype[np.void]]
    verdicts: dict[int, str]


@pytest.fixture(scope="module")
def reviewed(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    database = Database(new_database())
    artifacts = Artifacts.open("", tmp_path_factory.mktemp("artifacts"))
    index_N = np.arange(SAMPLES)
    rng = np.random.default_rng(1)
    tables = [_results(seed) for seed in range(3)]
    with database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        dataset = datasets.create(session, owner, "insects", {"kind": "folder"})
        other = datasets.create(session, owner, "others", {"kind": "folder"})
        for made in (dataset, other):
            claims.claim(session, Dataset, made.id, "import", 5)
            datasets.publish_samples(
                session, made.id, names=["x"] * SAMPLES, given_label_N=index_N % CLASSES,
                content_hash=["0" * 64] * SAMPLES, width_N=index_N, height_N=index_N,
                split=[SPLITS[index % len(SPLITS)] for index in range(SAMPLES)],
            )  # fmt: skip
            claims.finish(
                session, Dataset, made.id, "import", "ready", sample_count=SAMPLES, classes=["a", "b", "c"]
            )
        made_runs = [runs.create(session, owner, dataset.id, "fast", {}, 0) for _ in tables]
        for run, result_N in zip(made_runs, tables, strict=True):
            claims.claim(session, Run, run.id, "one", 5)
            results.publish_results(session, run.id, "one", result_N, {})
        verdicts: dict[int, str] = {}
        for time in range(80):
            index = int(rng.integers(SAMPLES))
            verdict = str(rng.choice(["keep", "relabel", "remove", "unsure", "cleared"]))
            item = Item(index, verdict, 0 if verdict == "relabel" else None)
            deciding.append(
                session, dataset.id, deciding.Request(owner, [item], made_runs[0].id, f"key {time:04d}")
            )
            verdicts[index] = verdict
        # Decisions on another dataset's samples of the same indices must not show.
        elsewhere = [Item(int(index), "remove") for index in index_N]
        deciding.append(session, other.id, deciding.Request(owner, elsewhere, None, "elsewhere"))
    picked = [rng.permutation(SAMPLES)[:40].tolist(), [5]]
    with database.transaction() as session:
        run = runs.load(session, made_runs[0].id)
    published = Published(artifacts)
    yield Reviewed(
        database,
        published,
        run,
        {made_runs[place].id: _sorted(tables[place])["flagged"] for place in (1, 2)},
        {selections.keep(artifacts, run.id, members): members for members in picked},
        _sorted(tables[0]),
        {index: verdict for index, verdict in verdicts.items() if verdict != "cleared"},
    )
    published.close()
    database.dispose()


def _results(seed: int) -> np.ndarray[Any, np.dtype[np.void]]:
    """Random results with many equal posteriors, in no order."""
    rng = np.random.default_rng(seed)
    result_N = np.zeros(SAMPLES, RESULT_DTYPE)
    result_N["sample_index"] = rng.permutation(SAMPLES)
    result_N["noise_posterior"] = rng.choice([0.0, 1e-300, 0.1, 1 / 3, np.nextafter(1 / 3, 1), 1.0], SAMPLES)
    result_N["flagged"] = result_N["noise_posterior"] > 0.3
    result_N["suggested_label"] = rng.integers(CLASSES, size=SAMPLES)
    result_N["agreement"] = rng.integers(6, size=SAMPLES)
    return result_N


def _sorted(result_N: np.ndarray[Any, np.dtype[np.void]]) -> np.ndarray[Any, np.dtype[np.void]]:
    return result_N[np.argsort(result_N["sample_index"])]


# Runs and selections by their place among those that the fixture makes: their ids are not known yet.
Places = list[int]
filters = st.tuples(
    st.builds(
        SampleFilter,
        flagged=st.none() | st.booleans(),
        given_label=st.none() | st.integers(0, CLASSES),
        suggested_label=st.none() | st.integers(0, CLASSES),
        min_posterior=st.none() | st.sampled_from([0.0, 0.1, 1 / 3, 1.0]),
        max_posterior=st.none() | st.sampled_from([0.0, 0.1, 1 / 3, 1.0]),
        verdict=st.none() | st.sampled_from(["none", "keep", "relabel", "remove", "unsure"]),
        indices=st.none() | st.lists(st.integers(0, SAMPLES + 3)).map(tuple),
        min_agreement=st.none() | st.integers(0, 6),
        split=st.none() | st.sampled_from(["train", "val", "test", "other", "none"]),
        order=st.sampled_from(["posterior", "index", "selection"]),
    ),
    st.none() | st.integers(0, 1),
    st.lists(st.integers(0, 1), max_size=2),
    st.lists(st.integers(0, 1), max_size=2),
)


def _completed(reviewed: Reviewed, drawn: tuple[SampleFilter, int | None, Places, Places]) -> SampleFilter:
    wanted, selection, flagged_by, not_flagged_by = drawn
    others = list(reviewed.others)
    order = "index" if selection is None and wanted.order == "selection" else wanted.order
    return replace(
        wanted,
        order=order,
        selection=None if selection is None else list(reviewed.selections)[selection],
        flagged_by=tuple(others[place] for place in flagged_by),
        not_flagged_by=tuple(others[place] for place in not_flagged_by),
    )


def _split(index: int) -> str:
    said = SPLITS[index % len(SPLITS)] or "none"
    return "other" if said == "dev" else said


def _expected(reviewed: Reviewed, wanted: SampleFilter) -> list[int]:
    members = list(range(SAMPLES)) if wanted.selection is None else reviewed.selections[wanted.selection]

    def fits(index: int) -> bool:
        row = reviewed.result_N[index]
        posterior = row["noise_posterior"]
        return all(
            (
                wanted.flagged is None or bool(row["flagged"]) == wanted.flagged,
                wanted.given_label is None or index % CLASSES == wanted.given_label,
                wanted.suggested_label is None or row["suggested_label"] == wanted.suggested_label,
                wanted.min_posterior is None or posterior >= wanted.min_posterior,
                wanted.max_posterior is None or posterior <= wanted.max_posterior,
                wanted.verdict is None or reviewed.verdicts.get(index, "none") == wanted.verdict,
                wanted.indices is None or index in wanted.indices,
                wanted.min_agreement is None or row["agreement"] >= wanted.min_agreement,
                wanted.split is None or wanted.split == _split(index),
                all(reviewed.others[other][index] for other in wanted.flagged_by),
                not any(reviewed.others[other][index] for other in wanted.not_flagged_by),
            )
        )

    found = [index for index in members if fits(index)]
    if wanted.order == "posterior":
        found.sort(key=lambda index: (reviewed.result_N["noise_posterior"][index], index), reverse=True)
    elif wanted.order == "index":
        found.sort()
    return found


@settings(max_examples=150, deadline=None)
@given(drawn=filters, limit=st.integers(1, 40))
def test_the_pages_one_after_another_are_the_filtered_sorted_reference(
    reviewed: Reviewed, drawn: tuple[SampleFilter, int | None, Places, Places], limit: int
) -> None:
    wanted = _completed(reviewed, drawn)
    with reviewed.database.transaction() as session:
        found = reviewed.published.matches(session, reviewed.run, wanted)
    indices: list[int] = []
    after = None
    while True:
        start = matching.after(found, wanted.order, after)
        page = found.index_M[start : start + limit].tolist()
        indices += page
        after = matching.following(found, wanted.order, start + len(page))
        if after is None:
            break
        assert len(page) == limit
    assert indices == found.index_M.tolist() == _expected(reviewed, wanted)


@pytest.mark.parametrize("order", ["posterior", "index", "selection"])
def test_a_cursor_goes_on_where_it_was_though_samples_before_it_were_decided(
    reviewed: Reviewed, order: Any
) -> None:
    selection = next(iter(reviewed.selections))
    everything = SampleFilter(order=order, selection=selection)
    fewer = replace(everything, flagged=True)
    with reviewed.database.transaction() as session:
        before = reviewed.published.matches(session, reviewed.run, everything)
        now = reviewed.published.matches(session, reviewed.run, fewer)
    cursor = matching.following(before, order, 10)
    start = matching.after(now, order, cursor)
    remaining = set(before.index_M[10:].tolist())
    assert now.index_M[start:].tolist() == [index for index in now.index_M.tolist() if index in remaining]


def test_every_filter_finds_something_in_the_reference(reviewed: Reviewed) -> None:
    """Else the comparison above would compare empty lists."""
    one, two = reviewed.others
    for verdict in ("none", "keep", "relabel", "remove", "unsure"):
        for flagged in (True, False):
            assert _expected(reviewed, SampleFilter(verdict=verdict, flagged=flagged))
    assert _expected(reviewed, SampleFilter(flagged_by=(one,), not_flagged_by=(two,), min_agreement=5))


@pytest.mark.parametrize(
    "cursor", ["", "x", "p", "p0.5", "p-1", "i3", "s3", "p0_1", "0", "p99999999999", "p²"]
)
def test_a_made_up_cursor_is_refused(reviewed: Reviewed, cursor: str) -> None:
    with reviewed.database.transaction() as session:
        found = reviewed.published.matches(session, reviewed.run, SampleFilter())
    with pytest.raises(BadInput) as caught:
        matching.after(found, "posterior", cursor)
    assert caught.value.code == "CURSOR_INVALID"


@pytest.mark.parametrize(
    ("wanted", "code", "item"),
    [
        (SampleFilter(order="selection"), "SELECTION_MISSING", "selection"),
        (SampleFilter(selection="0" * 32), "SELECTION_UNKNOWN", "selection"),
        (SampleFilter(flagged_by=("0" * 32,)), "RUN_UNKNOWN", "flagged_by"),
        (SampleFilter(not_flagged_by=("0" * 32,)), "RUN_UNKNOWN", "not_flagged_by"),
    ],
)
def test_what_the_run_does_not_have_is_named(
    reviewed: Reviewed, wanted: SampleFilter, code: str, item: str
) -> None:
    with pytest.raises(BadInput) as caught, reviewed.database.transaction() as session:
        reviewed.published.matches(session, reviewed.run, wanted)
    assert (caught.value.code, caught.value.item) == (code, item)
