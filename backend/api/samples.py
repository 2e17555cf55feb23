"""Samples: their images, pages of a run's results, and one sample with everything that speaks about it.

Shape letters: N samples, E epochs, C classes, F features, K neighbours.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from numpy.typing import NDArray
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from backend.api.annotators import annotated
from backend.api.context import Context, Id, In, Index, Me
from backend.api.schemas.samples import (
    Annotation,
    DecisionAnswer,
    Likely,
    Neighbour,
    SampleAnnotations,
    SampleAnswer,
    SampleDetail,
    SamplePage,
)
from backend.api.viewing import viewable
from backend.audit.annotators import NONE
from backend.audit.errors import NotFound
from backend.audit.flagging import Evidence, why
from backend.audit.status import must_be
from backend.store import datasets, decisions, matching, results, reviews, runs
from backend.store.annotators import AnnotatorLabels
from backend.store.matching import SampleFilter
from backend.store.packs import Pack
from backend.store.results import ResultColumns, SampleRow
from backend.store.tables import Run

router = APIRouter(prefix="/api", tags=["samples"])

LIKELY_CLASSES = 9
"""As many as there are keys to choose them with."""
FOREVER = "private, max-age=31536000, immutable"
_WEBP: dict[int | str, dict[str, Any]] = {200: {"content": {"image/webp": {}}, "description": "the image"}}

_INDICES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "uint32, little-endian"}
}

HEX = "^[0-9a-f]{1,32}$"
RunId = Annotated[str, StringConstraints(max_length=32, pattern=HEX)]
Label = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
Posterior = Annotated[float | None, Query(ge=0, le=1)]
Split = Literal["train", "val", "test", "other", "none"]


@router.get("/datasets/{dataset_id}/samples/{index}/thumbnail", response_class=Response, responses=_WEBP)
def get_thumbnail(dataset_id: Id, index: Index, context: In, caller: Me) -> Response:
    """The sample's image, its longer side at most 128 pixels; never enlarged."""
    return _image(pack(context, caller, dataset_id, "thumbs").read(index))


@router.get("/datasets/{dataset_id}/samples/{index}/image", response_class=Response, responses=_WEBP)
def get_image(dataset_id: Id, index: Index, context: In, caller: Me) -> Response:
    """The sample's image, its longer side at most 1024 pixels; never enlarged, never the original bytes."""
    data = pack(context, caller, dataset_id, "images").read(index)
    return _image(viewable(data, context.settings.limits.image_pixels))


async def wanted(
    flagged: bool | None = None,
    given_label: Label = None,
    suggested_label: Label = None,
    min_posterior: Posterior = None,
    max_posterior: Posterior = None,
    verdict: Literal["keep", "relabel", "remove", "unsure", "none"] | None = None,
    indices: Annotated[list[int] | None, Query(max_length=2000)] = None,
    selection: Annotated[
        str | None, Query(max_length=32, pattern=HEX, description="only members of this kept selection")
    ] = None,
    flagged_by: Annotated[
        list[RunId] | None, Query(max_length=3, description="also flagged by all of these runs")
    ] = None,
    not_flagged_by: Annotated[
        list[RunId] | None, Query(max_length=3, description="flagged by none of these runs")
    ] = None,
    min_agreement: Annotated[
        int | None, Query(ge=0, le=100, description="so many of the run's scores find it suspect")
    ] = None,
    split: Annotated[Split | None, Query(description="none: samples that came without one")] = None,
    order: Literal["posterior", "index", "selection"] = "posterior",
) -> SampleFilter:
    """The filters of a run's samples; what is left out excludes nothing."""
    return SampleFilter(
        flagged=flagged,
        given_label=given_label,
        suggested_label=suggested_label,
        min_posterior=min_posterior,
        max_posterior=max_posterior,
        verdict=verdict,
        indices=None if indices is None else tuple(index for index in indices if 0 <= index < 2**31),
        selection=selection,
        flagged_by=tuple(flagged_by or ()),
        not_flagged_by=tuple(not_flagged_by or ()),
        min_agreement=min_agreement,
        split=split,
        order=order,
    )


Wanted = Annotated[SampleFilter, Depends(wanted)]


@router.get("/runs/{run_id}/samples", response_model=SamplePage)
def list_samples(
    run_id: Id,
    context: In,
    caller: Me,
    filters: Wanted,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """A page of the samples that match all filters; `total` counts every match."""
    with context.database.autocommit() as session:
        run = succeeded(session, caller, run_id, "to show its samples")
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        found = context.published.matches(session, run, filters, reviewer)
        start = matching.after(found, filters.order, after)
        columns = context.published.results(session, run_id)
        rows = results.rows(session, run, columns, found.index_M[start : start + limit], reviewer=reviewer)
    page = SamplePage(
        items=[_answer(row) for row in rows],
        total=len(found.index_M),
        next=matching.following(found, filters.order, start + len(rows)),
    )
    # Written out here: handed over as a model, every row would be checked a second time.
    return Response(page.model_dump_json(), media_type="application/json")


@router.get("/runs/{run_id}/samples/indices", response_class=Response, responses=_INDICES)
def list_indices(run_id: Id, context: In, caller: Me, filters: Wanted) -> Response:
    """The indices of all samples that match, in the order: little-endian uint32, nothing else."""
    with context.database.autocommit() as session:
        run = succeeded(session, caller, run_id, "to show its samples")
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        found = context.published.matches(session, run, filters, reviewer)
    return Response(found.index_M.astype("<u4").tobytes(), media_type="application/octet-stream")


@router.get("/runs/{run_id}/samples/{index}")
def get_sample(run_id: Id, index: Index, context: In, caller: Me) -> SampleDetail:
    """One sample: what the network said by epoch, likely classes, neighbours, and why, in sentences."""
    with context.database.autocommit() as session:
        run = succeeded(session, caller, run_id, "to show its samples")
        columns = context.published.results(session, run_id)
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        row = results.one(session, run, columns, index, reviewer=reviewer)
        dataset = datasets.load(session, run.dataset_id)
        classes = dataset.classes
        said = annotated(context, session, dataset)
        history = decisions.history(session, run.dataset_id, index, reviewer=reviewer)
    loss_E, margin_E, prediction_E = _by_epoch(context, run, index)
    probability_C = _row_or_nothing(context, run, "probabilities", index)
    neighbours = _neighbours(context, run, index, columns)
    evidence = Evidence(
        given=classes[row.given_label],
        suggested=classes[row.suggested_label],
        loss=row.loss,
        loss_of_class_N=columns.loss[columns.given_label == row.given_label],
        prediction_E=[classes[label] for label in prediction_E],
        neighbour_label_K=[classes[near.given_label] for near in neighbours],
        noise_posterior=row.noise_posterior,
        probability_given=float(probability_C[row.given_label]) if probability_C is not None else None,
    )
    return SampleDetail(
        **_answer(row).model_dump(),
        first_epochs=(run.outcome or {}).get("first_epochs", [1]),
        loss_by_epoch=loss_E,
        margin_by_epoch=margin_E,
        prediction_by_epoch=prediction_E,
        likely=_likely(probability_C),
        neighbours=neighbours,
        why=why(evidence),
        annotations=None if said is None else _annotations(said, index),
        history=[DecisionAnswer.model_validate(decision) for decision in history],
    )


def _annotations(said: AnnotatorLabels, index: int) -> SampleAnnotations | None:
    if said.majority[index] == NONE:
        return None
    return SampleAnnotations(
        labels=[
            Annotation(annotator=annotator, label=int(label))
            for annotator, label in zip(said.annotators, said.label_NA[index], strict=True)
            if label != NONE
        ],
        majority=int(said.majority[index]),
        agreement=_short(said.agreement[index]),
        consensus=int(said.consensus[index]),
        consensus_probability=_short(said.probability[index]),
    )


def succeeded(session: Session, caller: Me, run_id: str, to_do: str) -> Run:
    """The caller's run, which must have succeeded. Raises NotFound and Conflict."""
    run = runs.get(session, caller.id, run_id)
    must_be("run", run.status, "succeeded", to_do)
    return run


def pack(context: Context, caller: Me, dataset_id: str, kind: str) -> Pack:
    """The images or thumbs of the caller's ready dataset. Raises NotFound and Conflict."""
    with context.database.autocommit() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        content_id = dataset.content_id
    return Pack(context.artifacts, f"datasets/{content_id}/{kind}")


def _image(webp: bytes) -> Response:
    return Response(webp, media_type="image/webp", headers={"Cache-Control": FOREVER})


def _answer(row: SampleRow) -> SampleAnswer:
    return SampleAnswer.model_validate(row)


def _by_epoch(context: Context, run: Run, index: int) -> tuple[list[float], list[float], list[int]]:
    try:
        history = context.published.history(run)
    except NotFound:
        return [], [], []
    return (
        [_short(value) for value in history.loss_EN[:, index]],
        [_short(value) for value in history.margin_EN[:, index]],
        [int(label) for label in history.prediction_EN[:, index]],
    )


def _row_or_nothing(context: Context, run: Run, name: str, index: int) -> NDArray[Any] | None:
    try:
        return context.published.row(run, name, index)
    except NotFound:
        return None


def _neighbours(context: Context, run: Run, index: int, columns: ResultColumns) -> list[Neighbour]:
    """The nearest samples with their cosine distance in the embedding, nearest first."""
    near_K = _row_or_nothing(context, run, "neighbours", index)
    if near_K is None:
        return []
    near = [int(other) for other in near_K if other >= 0]
    try:
        feature = context.published.rows(run, "features", [index, *near]).astype(np.float64)
    except NotFound:
        return []
    length = np.linalg.norm(feature, axis=1)
    cosine = feature @ feature[0] / np.maximum(length * length[0], 1e-12)
    return [
        Neighbour(
            index=other,
            given_label=int(columns.given_label[other]),
            distance=_short(max(0.0, 1 - cosine[position + 1])),
        )
        for position, other in enumerate(near)
    ]


def _likely(probability_C: NDArray[Any] | None) -> list[Likely]:
    if probability_C is None:
        return []
    best = np.argsort(-probability_C, kind="stable")[:LIKELY_CLASSES]
    return [Likely(label=int(label), probability=_short(probability_C[label])) for label in best]


def _short(value: float) -> float:
    """A number with the digits that half precision has, and none made up."""
    return float(f"{float(value):.4g}") if np.isfinite(value) else 0.0
