"""Labels of several annotators: sent as a table for an existing dataset, shown beside the given labels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.context import Context, Id, In, Me
from backend.api.schemas.base import Answer, Body
from backend.api.uploads import unused
from backend.audit.annotators import NONE
from backend.audit.errors import BadInput
from backend.store import activity, annotators, datasets, keeping
from backend.store import uploads as stored_uploads
from backend.store.annotators import AnnotatorLabels
from backend.store.tables import Dataset, Upload
from worker.ingest.annotations import read_annotations

router = APIRouter(prefix="/api/datasets/{dataset_id}/annotations", tags=["annotations"])

LARGEST = 512 * 2**20
"""Bytes of a table that this process reads itself: a million rows with dozens of columns."""
_INDICES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "uint32, little-endian"}
}


class AnnotationsCreate(Body):
    """A finished upload: CSV, JSON Lines or Parquet with a column index or name, and a column of labels for each annotator."""

    upload_id: str = Field(max_length=64)


class AnnotatorAnswer(Answer):
    name: str
    labels: int = Field(description="samples to which this annotator gave a label")
    accuracy: float | None = Field(
        description="estimated probability that such a label is right; null: not estimated"
    )


class AnnotationsAnswer(Answer):
    """What several annotators say of the dataset; without any, all counts are 0."""

    annotators: list[AnnotatorAnswer] = []
    annotated: int = Field(0, description="samples with at least one annotator's label")
    unanimous: int = Field(0, description="of these, samples on which all annotators agree")
    differing: int = Field(
        0, description="of these, samples whose consensus is another label than the given one"
    )


@router.post("", status_code=201)
def create_annotations(dataset_id: Id, body: AnnotationsCreate, context: In, caller: Me) -> AnnotationsAnswer:
    """Keep the annotators' labels of a finished upload, in the place of earlier ones; given labels stay as they are."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        classes = list(dataset.classes)
        names_N = datasets.names(session, dataset_id)
    upload = unused(context, caller.id, body.upload_id)
    with tempfile.TemporaryDirectory(prefix="noise-audit-") as folder:
        path = fetched(context, upload, Path(folder))
        found = read_annotations(
            path, names_N=names_N, classes=classes, limits=context.settings.limits, apart=True
        )
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        report = annotators.keep(session, context.artifacts, dataset, found.label_NA, found.annotators)
        activity.record(
            session, caller.id, "annotations.create", dataset_id, annotators=len(found.annotators)
        )
    keeping.drop(context.database, context.artifacts, stored_uploads.key(upload.id))
    return AnnotationsAnswer.model_validate(report)


@router.get("")
def get_annotations(dataset_id: Id, context: In, caller: Me) -> AnnotationsAnswer:
    """Who annotated how much, how far they agree, and how reliable each seems."""
    with context.database.transaction() as session:
        report = datasets.get(session, caller.id, dataset_id).report.get(annotators.KEY)
    return AnnotationsAnswer.model_validate(report or {})


@router.get("/differing", response_class=Response, responses=_INDICES)
def list_differing(dataset_id: Id, context: In, caller: Me) -> Response:
    """The indices of all samples whose consensus differs from the given label: little-endian uint32, nothing else."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        found = annotated(context, session, dataset)
        given_N, _ = datasets.labels(session, dataset_id)
    if found is None:
        return Response(b"", media_type="application/octet-stream")
    index_M = np.flatnonzero((found.consensus != NONE) & (found.consensus != given_N))
    return Response(index_M.astype("<u4").tobytes(), media_type="application/octet-stream")


def annotated(context: Context, session: Session, dataset: Dataset) -> AnnotatorLabels | None:
    """The annotations that the dataset has now; the caller has checked that it may be seen."""
    version = annotators.version_of(dataset)
    return None if version is None else context.published.annotations(dataset.id, version)


def fetched(context: Context, upload: Upload, folder: Path) -> Path:
    """The bytes of a table that is small enough to be read here, as a file. Raises BadInput (LIMIT_EXCEEDED)."""
    if upload.size > LARGEST:
        raise BadInput(
            "LIMIT_EXCEEDED", "A table of this kind may not be so large.", limit=LARGEST, found=upload.size
        )
    path = folder / f"table{Path(upload.filename).suffix.lower()[:16]}"
    return stored_uploads.fetch(context.database, context.artifacts, upload.id, path)
