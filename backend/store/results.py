"""What a run says of each sample: published whole, read in pages or as columns. Shapes: N samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg import sql
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.audit.errors import BadInput, NotFound
from backend.store import bulk, claims, datasets, decisions
from backend.store.decisions import Standing
from backend.store.tables import Decision, Result, Run, Sample

FIXED: bulk.Fixed = [
    ("sample_index", "i4"),
    ("noise_posterior", "f8"),
    ("flagged", "?"),
    ("suggested_label", "i4"),
    ("loss", "f4"),
    ("margin", "f4"),
    ("label_quality", "f4"),
    ("x", "f4"),
    ("y", "f4"),
]
RESULT_DTYPE = np.dtype(FIXED)
"""One sample's result as `publish_results` takes it; the meanings are those of `tables.Result`."""


class ResultColumns(NamedTuple):
    """Everything a run says, by sample index, each (N,); `true_label` is None where true labels are not known."""

    sample_index: npt.NDArray[np.int32]
    noise_posterior: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]
    suggested_label: npt.NDArray[np.int32]
    loss: npt.NDArray[np.float32]
    margin: npt.NDArray[np.float32]
    label_quality: npt.NDArray[np.float32]
    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]
    given_label: npt.NDArray[np.int32]
    true_label: npt.NDArray[np.int32] | None


@dataclass(frozen=True)
class SampleFilter:
    """Which samples of a run, and in which order; None means any.

    `verdict` "none" finds samples without a standing decision. `order` is by noise posterior, largest
    first (equal ones by index, largest first), or by sample index, smallest first.
    """

    flagged: bool | None = None
    given_label: int | None = None
    suggested_label: int | None = None
    min_posterior: float | None = None
    max_posterior: float | None = None
    verdict: str | None = None
    indices: list[int] | None = None
    order: Literal["posterior", "index"] = "posterior"


@dataclass(frozen=True)
class SampleRow:
    """One sample with what a run says and what people decided; `width`, `height` of the original in pixels."""

    index: int
    name: str
    given_label: int
    true_label: int | None
    width: int
    height: int
    suggested_label: int
    noise_posterior: float
    label_quality: float
    loss: float
    margin: float
    flagged: bool
    x: float
    y: float
    decision: Standing | None = field(default=None)


def publish_results(
    session: Session,
    run_id: str,
    claim_id: str,
    result_N: np.ndarray[Any, np.dtype[np.void]],
    outcome: dict[str, Any],
) -> bool:
    """Make the results readable and the run succeeded, both at the commit of the caller's transaction.

    `result_N` has the fields of RESULT_DTYPE. Delivered twice it is one result: False when the run has
    succeeded already, whoever published it. Raises ClaimLost when the claim does not hold, and ValueError
    for a posterior that is no probability or a sample that is missing.
    """
    _check(result_N)
    if (
        session.scalar(select(Run.status).where(Run.id == run_id).with_for_update(key_share=True))
        == "succeeded"
    ):
        return False
    claims.check(session, Run, run_id, claim_id)
    bulk.attach_partition(
        session,
        "result",
        "run_id",
        run_id,
        bulk.encode(result_N, FIXED, run_id),
        ["run_id", *(name for name, _ in FIXED)],
        ["run_id, noise_posterior, sample_index"],
    )
    claims.finish(session, Run, run_id, claim_id, "succeeded", outcome=outcome)
    return True


def page(
    session: Session, run: Run, filters: SampleFilter, after: str | None, limit: int
) -> tuple[list[SampleRow], int, str | None]:
    """Up to `limit` samples after the cursor, how many match in all, and the cursor of the next page (or None).

    Raises BadInput (CURSOR_INVALID) for a cursor that no page of this order gave.
    """
    conditions = _conditions(run, filters)
    by_posterior = filters.order == "posterior"
    query = _rows(run).where(*conditions)
    if by_posterior:
        query = query.order_by(Result.noise_posterior.desc(), Result.sample_index.desc())
    else:
        query = query.order_by(Result.sample_index)
    if after is not None:
        query = query.where(_beyond(after, by_posterior))
    # One more than asked for tells whether there is a next page.
    found = session.execute(query.limit(limit + 1)).all()
    rows = _sample_rows(session, run, found[:limit])
    more = rows[-1] if len(found) > limit else None
    count = select(func.count()).select_from(Result)
    if filters.given_label is not None:
        count = count.join(Sample, Sample.sample_index == Result.sample_index)
        count = count.where(Sample.dataset_id == run.dataset_id)
    total = session.scalar(count.where(*conditions)) or 0
    return rows, total, _cursor(more, by_posterior) if more else None


def one(session: Session, run: Run, index: int) -> SampleRow:
    """One sample of the run. Raises NotFound (SAMPLE_UNKNOWN)."""
    found = session.execute(_rows(run).where(Result.sample_index == index)).all()
    if not found:
        raise NotFound("SAMPLE_UNKNOWN", "The run has no result for a sample of this index.", found=index)
    return _sample_rows(session, run, found)[0]


def columns(session: Session, run_id: str) -> ResultColumns:
    """Everything the run says of all samples, by sample index (empty arrays while it has not succeeded)."""
    query = sql.SQL("SELECT {columns} FROM result WHERE run_id = {run_id} ORDER BY sample_index").format(
        columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in FIXED), run_id=sql.Literal(run_id)
    )
    rows_N = bulk.read(session, query, FIXED)
    arrays = {name: np.ascontiguousarray(rows_N[name]) for name, _ in FIXED}
    # Read apart, not joined: both are there for every index 0…N−1 (checked when published), in order.
    dataset_id = session.scalar(select(Run.dataset_id).where(Run.id == run_id))
    given_N, true_N = datasets.labels(session, dataset_id or "")
    index_N = arrays["sample_index"]
    return ResultColumns(
        **arrays,
        given_label=given_N[index_N],
        true_label=None if true_N is None else true_N[index_N],
    )


def _check(result_N: np.ndarray[Any, np.dtype[np.void]]) -> None:
    posterior_N = result_N["noise_posterior"]
    if not bool(((posterior_N >= 0) & (posterior_N <= 1)).all()):
        raise ValueError("a noise posterior is not in [0, 1]")
    if not np.array_equal(np.sort(result_N["sample_index"]), np.arange(len(result_N))):
        raise ValueError("the results are not one per sample")


def _rows(run: Run) -> Select[Result, Sample]:
    return (
        select(Result, Sample)
        .join(Sample, Sample.sample_index == Result.sample_index)
        .where(Result.run_id == run.id, Sample.dataset_id == run.dataset_id)
    )


def _sample_rows(session: Session, run: Run, found: Any) -> list[SampleRow]:
    standing = decisions.standing(session, run.dataset_id, [result.sample_index for result, _ in found])
    return [
        SampleRow(
            index=result.sample_index,
            name=sample.name,
            given_label=sample.given_label,
            true_label=sample.true_label,
            width=sample.width,
            height=sample.height,
            suggested_label=result.suggested_label,
            noise_posterior=result.noise_posterior,
            label_quality=result.label_quality,
            loss=result.loss,
            margin=result.margin,
            flagged=result.flagged,
            x=result.x,
            y=result.y,
            decision=standing.get(result.sample_index),
        )
        for result, sample in found
    ]


def _conditions(run: Run, filters: SampleFilter) -> list[ColumnElement[bool]]:
    conditions = [Result.run_id == run.id]
    if filters.flagged is not None:
        conditions.append(Result.flagged == filters.flagged)
    if filters.given_label is not None:
        conditions.append(Sample.given_label == filters.given_label)
    if filters.suggested_label is not None:
        conditions.append(Result.suggested_label == filters.suggested_label)
    if filters.min_posterior is not None:
        conditions.append(Result.noise_posterior >= filters.min_posterior)
    if filters.max_posterior is not None:
        conditions.append(Result.noise_posterior <= filters.max_posterior)
    if filters.indices is not None:
        conditions.append(Result.sample_index.in_(filters.indices))
    if filters.verdict is not None:
        conditions.append(_stands(run, filters.verdict))
    return conditions


def _stands(run: Run, verdict: str) -> ColumnElement[bool]:
    """The sample's newest decision is this verdict; for "none": it has none, or it was taken back.

    Written with (NOT) EXISTS: on ten million rows a joined column's IS NULL is a thousand times slower.
    """
    later = aliased(Decision)
    replaced = select(later.id).where(
        later.dataset_id == run.dataset_id,
        later.sample_index == Decision.sample_index,
        later.id > Decision.id,
    )
    newest = select(Decision.id).where(
        Decision.dataset_id == run.dataset_id,
        Decision.sample_index == Result.sample_index,
        ~replaced.exists(),
    )
    if verdict == "none":
        return ~newest.where(Decision.verdict != "cleared").exists()
    return newest.where(Decision.verdict == verdict).exists()


def _cursor(row: SampleRow, by_posterior: bool) -> str:
    # repr gives a float back to the last bit.
    return f"p{row.noise_posterior!r}_{row.index}" if by_posterior else f"i{row.index}"


def _beyond(after: str, by_posterior: bool) -> ColumnElement[bool]:
    try:
        if by_posterior and after.startswith("p"):
            posterior, index = after[1:].split("_")
            key = tuple_(Result.noise_posterior, Result.sample_index)
            return key < tuple_(float(posterior), int(index))
        if not by_posterior and after.startswith("i"):
            return Result.sample_index > int(after[1:])
    except ValueError:
        pass
    raise BadInput(
        "CURSOR_INVALID",
        "This is no cursor of such a list.",
        hint="Begin again without `after`.",
        item="after",
    )
