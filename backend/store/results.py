"""What a run says of each sample: published whole, read as columns or as single rows. Shapes: N samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.audit.errors import NotFound
from backend.store import bulk, claims, datasets, decisions
from backend.store.decisions import Standing
from backend.store.tables import Run, Sample

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
    ("agreement", "i2"),
]
RESULT_DTYPE = np.dtype(FIXED)
"""One sample's result as `publish_results` takes it; the meanings are those of `tables.Result`."""
NOT_KNOWN = -1
"""The agreement read back of a run that is older than this column."""


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
    agreement: npt.NDArray[np.int16]
    """NOT_KNOWN (-1) where the run is older than this column."""
    given_label: npt.NDArray[np.int32]
    true_label: npt.NDArray[np.int32] | None

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return sum(column.nbytes for column in self if column is not None)


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
    agreement: int | None = None
    split: str | None = None
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


def rows(
    session: Session,
    run: Run,
    result: ResultColumns,
    indices: Sequence[int] | npt.NDArray[Any],
    *,
    reviewer: str | None = None,
) -> list[SampleRow]:
    """These samples in the order asked for, with the decisions that stand now: this reviewer's own, or everybody's.

    `result` is the run's `columns`.
    """
    wanted = [int(index) for index in indices]
    query = select(
        *(Sample.sample_index, Sample.name, Sample.given_label),
        *(Sample.true_label, Sample.width, Sample.height, Sample.split),
    ).where(Sample.dataset_id == run.dataset_id, Sample.sample_index.in_(wanted))
    found = {sample.sample_index: sample for sample in session.execute(query)}
    standing = decisions.standing(session, run.dataset_id, wanted, reviewer=reviewer)
    return [
        SampleRow(
            index=index,
            name=found[index].name,
            given_label=found[index].given_label,
            true_label=found[index].true_label,
            width=found[index].width,
            height=found[index].height,
            suggested_label=int(result.suggested_label[index]),
            noise_posterior=float(result.noise_posterior[index]),
            label_quality=float(result.label_quality[index]),
            loss=float(result.loss[index]),
            margin=float(result.margin[index]),
            flagged=bool(result.flagged[index]),
            x=float(result.x[index]),
            y=float(result.y[index]),
            agreement=None if result.agreement[index] == NOT_KNOWN else int(result.agreement[index]),
            split=found[index].split,
            decision=standing.get(index),
        )
        for index in wanted
    ]


def one(
    session: Session, run: Run, result: ResultColumns, index: int, *, reviewer: str | None = None
) -> SampleRow:
    """One sample of the run, as in `rows`. Raises NotFound (SAMPLE_UNKNOWN)."""
    if not 0 <= index < len(result.sample_index):
        raise NotFound("SAMPLE_UNKNOWN", "The run has no result for a sample of this index.", found=index)
    return rows(session, run, result, [index], reviewer=reviewer)[0]


def columns(session: Session, run_id: str) -> ResultColumns:
    """Everything the run says of all samples, by sample index (empty arrays while it has not succeeded)."""
    query = sql.SQL("SELECT {columns} FROM result WHERE run_id = {run_id} ORDER BY sample_index").format(
        columns=sql.SQL(", ").join(_readable(name) for name, _ in FIXED), run_id=sql.Literal(run_id)
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


def _readable(name: str) -> sql.Composable:
    """The one column that may be NULL is read as a number like the others: COPY's rows are then all of one length."""
    if name == "agreement":
        return sql.SQL("coalesce(agreement, {}::smallint)").format(sql.Literal(NOT_KNOWN))
    return sql.Identifier(name)


def _check(result_N: np.ndarray[Any, np.dtype[np.void]]) -> None:
    posterior_N = result_N["noise_posterior"]
    if not bool(((posterior_N >= 0) & (posterior_N <= 1)).all()):
        raise ValueError("a noise posterior is not in [0, 1]")
    if not np.array_equal(np.sort(result_N["sample_index"]), np.arange(len(result_N))):
        raise ValueError("the results are not one per sample")
