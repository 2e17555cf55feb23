"""Figures as plotly JSON, ready for the page; what nothing can change any more is drawn once per theme.

What depends on decisions is drawn once per state of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import plotly.graph_objects as go
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from backend.api.context import Context, Id, In, Me
from backend.api.packed import pack, packed_response
from backend.api.samples import succeeded
from backend.api.schemas.exports import FigureAnswer
from backend.api.schemas.summaries import LossFigures
from backend.audit.classnoise import class_noise, transition_counts
from backend.audit.errors import NotFound
from backend.audit.figures.classes import class_numbers, classes_figure
from backend.audit.figures.curves import curve_numbers, curves_figure
from backend.audit.figures.loss import loss_document, loss_numbers
from backend.audit.figures.map import Colour, MapNumbers, map_figure, map_numbers, map_points
from backend.audit.figures.matrix import LARGEST, matrix_figure
from backend.audit.figures.posterior import posterior_figure, posterior_numbers
from backend.audit.figures.theme import Theme, as_json
from backend.audit.status import is_final
from backend.store import datasets, reviews, runs
from backend.store.results import ResultColumns
from backend.store.tables import Epoch, Run
from backend.store.verdicts import Codes

router = APIRouter(prefix="/api/runs/{run_id}", tags=["figures"])
_POINTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "uint16 x, uint16 y, uint8 group"}
}


@router.get("/figures/loss", response_model=FigureAnswer)
def loss_distribution(
    run_id: Id,
    context: In,
    caller: Me,
    request: Request,
    epoch: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    theme: Theme = "light",
) -> Response:
    """The loss distribution after one epoch (the last, when none is named) with both mixtures."""
    with context.database.transaction() as session:
        runs.get(session, caller.id, run_id)
        row = runs.epoch(session, run_id, epoch)
    if row is None:
        raise NotFound(
            "EPOCH_UNKNOWN", "The run has not tracked that epoch.", hint="It may come yet.", found=epoch
        )
    return _json(request, pack(as_json(_loss(row, theme)).encode()))


@router.get("/figures/losses", response_model=LossFigures)
def loss_distributions(
    run_id: Id, context: In, caller: Me, request: Request, theme: Theme = "light"
) -> Response:
    """The loss distribution after every tracked epoch, in order, each as `figures/loss` gives it."""
    with context.database.transaction() as session:
        run = runs.get(session, caller.id, run_id)

        def draw() -> bytes:
            drawn = ((row.epoch, as_json(_loss(row, theme))) for row in runs.epochs(session, run_id))
            items = ",".join(f'{{"epoch":{epoch},{figure[1:]}' for epoch, figure in drawn)
            return f'{{"items":[{items}]}}'.encode()

        return _json(request, _drawn(context, run, ("losses", theme), draw))


@router.get("/figures/curves", response_model=FigureAnswer)
def training_curves(
    run_id: Id, context: In, caller: Me, request: Request, theme: Theme = "light"
) -> Response:
    """Training loss, accuracies and estimated noise rate by epoch."""
    with context.database.transaction() as session:
        run = runs.get(session, caller.id, run_id)

        def draw() -> bytes:
            return _bytes(curves_figure(curve_numbers(runs.epoch_metrics(session, run_id)), theme))

        return _json(request, _drawn(context, run, ("curves", theme), draw))


@router.get("/figures/posterior", response_model=FigureAnswer)
def posterior_distribution(
    run_id: Id, context: In, caller: Me, request: Request, theme: Theme = "light"
) -> Response:
    """The distribution of the noise posteriors."""
    with context.database.transaction() as session:
        run, columns = _results(session, context, caller, run_id)

        def draw() -> bytes:
            numbers = posterior_numbers(
                columns.noise_posterior, columns.flagged, run.outcome.get("threshold")
            )
            return _bytes(posterior_figure(numbers, theme))

        return _json(request, _drawn(context, run, ("posterior", theme), draw))


@router.get("/figures/classes", response_model=FigureAnswer)
def noise_by_class(run_id: Id, context: In, caller: Me, request: Request, theme: Theme = "light") -> Response:
    """The estimated noise rate of each class with its interval."""
    with context.database.transaction() as session:
        run, columns = _results(session, context, caller, run_id)
        classes = datasets.load(session, run.dataset_id).classes

        def draw() -> bytes:
            given_N, posterior_N = columns.given_label, columns.noise_posterior
            noise = class_noise(given_N, posterior_N, columns.flagged, len(classes))
            return _bytes(classes_figure(class_numbers(noise), classes, theme))

        return _json(request, _drawn(context, run, ("classes", theme), draw))


@router.get("/figures/matrix", response_model=FigureAnswer)
def label_matrix(
    run_id: Id, context: In, caller: Me, request: Request, diagonal: bool = False, theme: Theme = "light"
) -> Response:
    """Given → suggested label over the flagged samples; with the diagonal, over all samples."""
    with context.database.transaction() as session:
        run, columns = _results(session, context, caller, run_id)
        classes = datasets.load(session, run.dataset_id).classes

        def draw() -> bytes:
            counted_N = columns.flagged | diagonal
            matrix = transition_counts(
                columns.given_label, columns.suggested_label, counted_N, len(classes), LARGEST
            )
            return _bytes(matrix_figure(matrix, classes, diagonal, theme))

        return _json(request, _drawn(context, run, ("matrix", diagonal, theme), draw))


@router.get("/figures/map", response_model=FigureAnswer)
def embedding_map(
    run_id: Id, context: In, caller: Me, request: Request, colour: Colour = "given", theme: Theme = "light"
) -> Response:
    """The 2-D map; the point traces' `customdata` are sample indices.

    Above 50 000 samples it is a density under the strongest flags; `map/points` has everybody's place.
    """
    with context.database.transaction() as session:
        run, columns = _results(session, context, caller, run_id)

        code_N = _codes(session, context, caller, run)

        def draw() -> bytes:
            return _bytes(map_figure(_map(session, run, columns, code_N, colour, theme), theme))

        state = _state(code_N, colour)
        return _json(request, _drawn(context, run, ("map", colour, theme, state), draw))


@router.get("/map/points", response_class=Response, responses=_POINTS)
def map_positions(
    run_id: Id, context: In, caller: Me, request: Request, colour: Colour = "given"
) -> Response:
    """Every sample by index, little-endian: all x (uint16), then all y (uint16), then all groups (uint8).

    x and y are steps of a square from 0 to 65 535, as in the figure; a group is the place of its trace among
    the traces of points that the figure of this colour has (the rings named "flagged" are none).
    """
    with context.database.transaction() as session:
        run, columns = _results(session, context, caller, run_id)

        code_N = _codes(session, context, caller, run)

        def place() -> bytes:
            return map_points(_map(session, run, columns, code_N, colour, "light"))

        state = _state(code_N, colour)
        document = _drawn(context, run, ("points", colour, state), place)
    return packed_response(request, document, "application/octet-stream")


def _results(session: Session, context: Context, caller: Me, run_id: str) -> tuple[Run, ResultColumns]:
    run = succeeded(session, caller, run_id, "to draw its results")
    return run, context.published.results(session, run_id)


def _codes(session: Session, context: Context, caller: Me, run: Run) -> Codes:
    """The verdicts that this account is shown."""
    reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
    return context.published.verdicts(session, run.dataset_id, reviewer)


def _map(
    session: Session, run: Run, columns: ResultColumns, code_N: Codes, colour: Colour, theme: Theme
) -> MapNumbers:
    return map_numbers(
        columns.x,
        columns.y,
        given_N=columns.given_label,
        suggested_N=columns.suggested_label,
        noise_posterior_N=columns.noise_posterior,
        flagged_N=columns.flagged,
        code_N=code_N,
        classes=datasets.load(session, run.dataset_id).classes,
        colour=colour,
        theme=theme,
    )


def _state(code_N: Codes, colour: Colour) -> str:
    """What a map of this colour depends on beside the run: the verdicts that stand, or nothing."""
    if colour != "decision":
        return ""
    return hashlib.blake2b(code_N.tobytes(), digest_size=16).hexdigest()


def _loss(row: Epoch, theme: Theme) -> dict[str, Any]:
    return loss_document(loss_numbers(row.epoch, row.histogram, row.mixtures), theme)


def _drawn(context: Context, run: Run, name: tuple[Any, ...], draw: Callable[[], bytes]) -> bytes:
    """What was drawn and packed before where nothing can change it any more; anew while the run goes on."""
    if not is_final("run", run.status):
        return pack(draw())
    return context.published.document((run.id, *name), lambda: pack(draw()))


def _bytes(figure: go.Figure) -> bytes:
    return as_json(figure).encode()


def _json(request: Request, packed: bytes) -> Response:
    return packed_response(request, packed, "application/json")
