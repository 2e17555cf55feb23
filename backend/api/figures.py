"""Figures as plotly JSON, ready for the page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.api.context import Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas import FigureAnswer
from backend.audit.errors import NotFound
from backend.audit.figures.curves import curve_numbers, curves_figure
from backend.audit.figures.loss import loss_figure, loss_numbers
from backend.audit.figures.map import Colour, map_figure, map_numbers
from backend.audit.figures.theme import Theme, as_json
from backend.store import datasets, decisions, runs

router = APIRouter(prefix="/api/runs/{run_id}/figures", tags=["figures"])


@router.get("/loss", response_model=FigureAnswer)
def loss_distribution(
    run_id: Id,
    context: In,
    caller: Me,
    epoch: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    theme: Theme = "light",
) -> Response:
    """The loss distribution after one epoch (the last, when none is named) with both mixtures."""
    with context.database.transaction() as session:
        runs.get(session, caller.id, run_id)
        rows = runs.epochs(session, run_id, (epoch or 1) - 1)
    row = (rows[-1] if epoch is None else rows[0]) if rows else None
    if row is None or row.epoch != (epoch or row.epoch):
        raise NotFound(
            "EPOCH_UNKNOWN", "The run has not tracked that epoch.", hint="It may come yet.", found=epoch
        )
    return _figure(as_json(loss_figure(loss_numbers(row.epoch, row.histogram, row.mixtures), theme)))


@router.get("/curves", response_model=FigureAnswer)
def training_curves(run_id: Id, context: In, caller: Me, theme: Theme = "light") -> Response:
    """Training loss, accuracies and estimated noise rate by epoch."""
    with context.database.transaction() as session:
        runs.get(session, caller.id, run_id)
        rows = runs.epochs(session, run_id)
    return _figure(as_json(curves_figure(curve_numbers([(row.epoch, row.metrics) for row in rows]), theme)))


@router.get("/map", response_model=FigureAnswer)
def embedding_map(
    run_id: Id, context: In, caller: Me, colour: Colour = "given", theme: Theme = "light"
) -> Response:
    """The 2-D map; the point traces' `customdata` are sample indices."""
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to draw its map")
        columns = context.published.results(session, run_id)
        standing = decisions.standing(session, run.dataset_id)
        classes = datasets.load(session, run.dataset_id).classes
    numbers = map_numbers(
        columns.x,
        columns.y,
        given_N=columns.given_label,
        suggested_N=columns.suggested_label,
        noise_posterior_N=columns.noise_posterior,
        flagged_N=columns.flagged,
        standing=standing,
        classes=classes,
        colour=colour,
        theme=theme,
    )
    return _figure(as_json(map_figure(numbers, theme)))


def _figure(document: str) -> Response:
    return Response(document, media_type="application/json")
