"""Noise by class: estimated rates with intervals, and the cells given → suggested of the flagged samples."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter

from backend.api.context import Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas.summaries import Cell, ClassNoiseAnswer, ClassRow
from backend.audit.classnoise import Cells, ClassNoise, class_noise, count_in_cells, flag_cells
from backend.store import datasets, reviews
from backend.store.results import ResultColumns

router = APIRouter(prefix="/api/runs/{run_id}", tags=["runs"])


@router.get("/classes")
def get_classes(run_id: Id, context: In, caller: Me) -> ClassNoiseAnswer:
    """Every class with its estimated noise rate, and every cell that holds flagged samples."""
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to show its classes")
        classes = len(datasets.load(session, run.dataset_id).classes)
        columns = context.published.results(session, run_id)
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        decided_N = context.published.verdicts(session, run.dataset_id, reviewer) > 0
    noise, cells = context.published.summary((run_id, "classes"), lambda: _lasting(columns, classes))
    decided_C = np.bincount(columns.given_label[decided_N], minlength=classes)
    done_N = columns.flagged & decided_N
    done_K = count_in_cells(cells, columns.given_label[done_N], columns.suggested_label[done_N], classes)
    return ClassNoiseAnswer(
        items=[
            ClassRow(
                label=label,
                samples=int(noise.samples_C[label]),
                flagged=int(noise.flagged_C[label]),
                noise_rate=float(noise.noise_rate_C[label]),
                noise_rate_interval=[float(noise.low_C[label]), float(noise.high_C[label])],
                decided=int(decided_C[label]),
            )
            for label in range(classes)
        ],
        cells=[
            Cell(
                given=int(cells.given_K[k]),
                suggested=int(cells.suggested_K[k]),
                flagged=int(cells.flagged_K[k]),
                undecided=int(cells.flagged_K[k] - done_K[k]),
            )
            for k in range(len(cells.given_K))
        ],
    )


def _lasting(columns: ResultColumns, classes: int) -> tuple[ClassNoise, Cells]:
    """What no decision changes."""
    return (
        class_noise(columns.given_label, columns.noise_posterior, columns.flagged, classes),
        flag_cells(columns.given_label, columns.suggested_label, columns.flagged, classes),
    )
