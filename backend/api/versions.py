"""Versions of a dataset: the same images under new labels, or with more behind them, and what that changed."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api import deliveries
from backend.api.answers import dataset_answer
from backend.api.blindness import require_whole
from backend.api.context import Caller, Id, In, Me
from backend.api.schemas.base import Answer, Body
from backend.api.schemas.datasets import AppendCreate, DatasetAnswer
from backend.api.uploads import unused
from backend.store import activity, datasets, jobs
from backend.store.tables import Dataset

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["datasets"])

TRANSITIONS_SHOWN = 50


class LabelsCreate(Body):
    """A finished upload: CSV, JSON Lines or Parquet with a column index or name, and a column label."""

    upload_id: str = Field(max_length=64)
    name: str | None = Field(None, min_length=1, max_length=200)
    new_classes: bool = Field(
        False, description="labels that the dataset has no class for become classes at its end"
    )
    carry_decisions: bool = Field(
        True, description="decisions on samples whose label stays are recorded in the version too"
    )


class Transition(Answer):
    before: int
    after: int
    samples: int


class DifferenceAnswer(Answer):
    """What a version is beside the dataset that it was derived from."""

    parent_id: str | None = Field(description="null: it was derived from none")
    changed: int = 0
    transitions: list[Transition] = Field(default=[], description="the 50 commonest")
    indices: list[int] = Field(default=[], description="the first of the samples whose label changed")
    added: int = Field(0, description="samples that the other has not; they are the last ones")
    new_classes: list[str] = Field(default=[], description="at the end of the list of classes")
    carried: int = Field(0, description="decisions that were carried over from it")
    left_out: int = Field(
        0, description="decisions that were not: they stand on samples with another label here"
    )


@router.post("/labels", status_code=201)
def create_labels(dataset_id: Id, body: LabelsCreate, context: In, caller: Me) -> DatasetAnswer:
    """Derive a version with the same images and new labels; samples that the table leaves out keep theirs."""
    with context.database.transaction() as session:
        datasets.require_ready(_carried_from(session, caller, dataset_id, body.carry_decisions))
    upload = unused(context, caller.id, body.upload_id)
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        source = {
            "kind": "labels",
            "upload_id": upload.id,
            "filename": upload.filename,
            **body.model_dump(include={"new_classes", "carry_decisions"}),
        }
        name = body.name or f"{parent.name}, new labels"
        row = datasets.create(session, caller.id, name[-200:], source, parent)
        return _begun(session, caller, row, parent)


@router.post("/append", status_code=201)
def append_samples(dataset_id: Id, body: AppendCreate, context: In, caller: Me) -> DatasetAnswer:
    """Derive a version with further samples behind those that are there; new classes come behind the old ones."""
    with context.database.transaction() as session:
        datasets.require_ready(_carried_from(session, caller, dataset_id, body.carry_decisions))
    delivered, source = deliveries.source_of(context, caller.id, body)
    source |= body.model_dump(exclude={"upload_id", "server_folder", "digest", "name"}) | {"kind": "append"}
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        name = body.name or f"{parent.name} and {PurePath(delivered).stem}"
        row = datasets.create(session, caller.id, name[:200], source, parent, own_images=True)
        return _begun(session, caller, row, parent)


def _carried_from(session: Session, caller: Caller, dataset_id: str, carry_decisions: bool) -> Dataset:
    """The dataset to derive from; Forbidden (BLIND) where its decisions would go along that are not to be seen."""
    parent = datasets.get(session, caller.id, dataset_id)
    if carry_decisions:
        require_whole(session, caller, parent)
    return parent


def _begun(session: Session, caller: Caller, row: Dataset, parent: Dataset) -> DatasetAnswer:
    if row.source["carry_decisions"]:
        # Who reviews there goes on as independently as here.
        row.blind_since = parent.blind_since
    jobs.enqueue_import(session, row.id)
    activity.record(session, caller.id, "dataset.create", row.id, kind=row.source["kind"])
    return dataset_answer(row)


@router.get("/difference")
def get_difference(
    dataset_id: Id, context: In, caller: Me, limit: Annotated[int, Query(ge=0, le=10_000)] = 1000
) -> DifferenceAnswer:
    """What this dataset changes and adds beside the one that it was derived from."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        if dataset.parent_id is None or dataset.status != "ready":
            return DifferenceAnswer(parent_id=dataset.parent_id)
        after_N, _ = datasets.labels(session, dataset_id)
        before_N, _ = datasets.labels(session, dataset.parent_id)
        classes_before = len(datasets.load(session, dataset.parent_id).classes)
    added = len(after_N) - len(before_N)
    after_N = after_N[: len(before_N)]
    index_M = np.flatnonzero(before_N != after_N)
    carried = dataset.report.get("carried") or {}
    pair_T2, count_T = np.unique(
        np.stack([before_N[index_M], after_N[index_M]], axis=1), axis=0, return_counts=True
    )
    order_T = np.argsort(-count_T, kind="stable")[:TRANSITIONS_SHOWN]
    return DifferenceAnswer(
        parent_id=dataset.parent_id,
        changed=len(index_M),
        transitions=[
            Transition(before=int(pair_T2[t, 0]), after=int(pair_T2[t, 1]), samples=int(count_T[t]))
            for t in order_T
        ],
        indices=index_M[:limit].tolist(),
        added=added,
        new_classes=dataset.classes[classes_before:],
        carried=carried.get("decisions", 0),
        left_out=carried.get("left_out", 0),
    )
