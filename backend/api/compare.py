"""Runs of one dataset side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from backend.api.answers import run_answer
from backend.api.context import Id, In, Me
from backend.api.packed import pack, packed_response
from backend.api.samples import RunId
from backend.api.schemas.exports import FigureAnswer
from backend.api.schemas.summaries import Comparison, OverlapAnswer, PairAnswer
from backend.audit.comparison import overlaps, pairs
from backend.audit.errors import BadInput
from backend.audit.figures.compare import compare_figure, compare_numbers
from backend.audit.figures.theme import Theme, as_json
from backend.audit.status import must_be
from backend.store import datasets, runs
from backend.store.tables import Dataset, Run
from worker.training.recipes import SETTABLE

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["compare"])

RunIds = Annotated[list[RunId], Query(min_length=2, max_length=4)]


@router.get("/compare")
def compare_runs(dataset_id: Id, run: RunIds, context: In, caller: Me) -> Comparison:
    """Two to four succeeded runs: what each set of them flagged and no other did, and how alike any two are."""
    now = datetime.now(UTC)
    with context.database.transaction() as session:
        dataset, rows = _compared(session, caller, dataset_id, run)
        columns = [context.published.results(session, row.id) for row in rows]
        answers = [run_answer(row, dataset.name, now) for row in rows]
        made_with = [{**one.settings, **_settings_of(row)} for one, row in zip(answers, rows, strict=True)]
    flagged_RN = [column.flagged for column in columns]
    overlap, alike = context.published.summary(
        (dataset_id, "compare", *run),
        lambda: (overlaps(flagged_RN), pairs(flagged_RN, [column.noise_posterior for column in columns])),
    )
    return Comparison(
        runs=answers,
        settings=made_with,
        overlap=[
            OverlapAnswer(runs=[run[place] for place in one.runs], samples=one.samples) for one in overlap
        ],
        pairs=[
            PairAnswer(
                a=run[one.a],
                b=run[one.b],
                rank_correlation=one.rank_correlation,
                shared=one.shared,
                jaccard=one.jaccard,
            )
            for one in alike
        ],
    )


@router.get("/figures/compare", response_model=FigureAnswer)
def compare_curves(
    dataset_id: Id, run: RunIds, context: In, caller: Me, request: Request, theme: Theme = "light"
) -> Response:
    """Training loss and estimated noise rate by epoch, one line per run."""
    with context.database.transaction() as session:
        _, rows = _compared(session, caller, dataset_id, run)
        document = context.published.document(
            (dataset_id, "compare", theme, *run), lambda: _curves(session, rows, theme)
        )
    return packed_response(request, document, "application/json")


def _settings_of(row: Run) -> dict[str, Any]:
    """All that the run was made with, as it was then; nothing where there was no training."""
    return {name: value for name, value in row.outcome.get("settings", {}).items() if name in SETTABLE}


def _curves(session: Session, rows: list[Run], theme: Theme) -> bytes:
    numbers = compare_numbers([(_name(row), runs.epoch_metrics(session, row.id)) for row in rows])
    return pack(as_json(compare_figure(numbers, theme)).encode())


def _name(row: Run) -> str:
    return f"{row.recipe}, seed {row.seed}, {row.created_at:%Y-%m-%d %H:%M}"


def _compared(session: Session, caller: Me, dataset_id: str, run_ids: list[str]) -> tuple[Dataset, list[Run]]:
    """The runs in the order asked for. Raises NotFound, Conflict, and BadInput for one twice or elsewhere."""
    dataset = datasets.get(session, caller.id, dataset_id)
    if len(set(run_ids)) != len(run_ids):
        raise BadInput("DUPLICATE_RUN", "A run is compared with itself.", item="run")
    rows = []
    for run_id in run_ids:
        row = session.get(Run, run_id)
        if row is None or row.dataset_id != dataset_id:
            raise BadInput("RUN_UNKNOWN", "The dataset has no such run.", item="run", found=run_id)
        must_be("run", row.status, "succeeded", "to be compared")
        rows.append(row)
    return dataset, rows
