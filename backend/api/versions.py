"""Versions of a dataset: the same images under new labels, and what they changed."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field

from backend.api.answers import dataset_answer
from backend.api.context import Id, In, Me
from backend.api.schemas import Answer, Body, DatasetAnswer
from backend.api.uploads import unused
from backend.store import activity, datasets, jobs

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["datasets"])

TRANSITIONS_SHOWN = 50


class LabelsCreate(Body):
    """A finished upload: CSV or Parquet with a column index or name, and a column label."""

    upload_id: str = Field(max_length=64)
    name: str | None = Field(None, min_length=1, max_length=200)


class Transition(Answer):
    before: int
    after: int
    samples: int


class DifferenceAnswer(Answer):
    """What the labels of a version are beside those of the dataset it was derived from."""

    parent_id: str | None = Field(description="null: it was derived from none")
    changed: int = 0
    transitions: list[Transition] = Field(default=[], description="the 50 commonest")
    indices: list[int] = Field(default=[], description="the first of the samples whose label changed")


@router.post("/labels", status_code=201)
def create_labels(dataset_id: Id, body: LabelsCreate, context: In, caller: Me) -> DatasetAnswer:
    """Derive a version with the same images and new labels; samples that the table leaves out keep theirs."""
    with context.database.transaction() as session:
        datasets.require_ready(datasets.get(session, caller.id, dataset_id))
    upload = unused(context, caller.id, body.upload_id)
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        source = {"kind": "labels", "upload_id": upload.id, "filename": upload.filename}
        name = body.name or f"{parent.name}, new labels"
        row = datasets.create(session, caller.id, name[-200:], source, parent)
        jobs.enqueue_import(session, row.id)
        activity.record(session, caller.id, "dataset.create", row.id, kind="labels")
        return dataset_answer(row)


@router.get("/difference")
def get_difference(
    dataset_id: Id, context: In, caller: Me, limit: Annotated[int, Query(ge=0, le=10_000)] = 1000
) -> DifferenceAnswer:
    """Which samples have another label than in the dataset that this one was derived from, and from what to what."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        if dataset.parent_id is None or dataset.status != "ready":
            return DifferenceAnswer(parent_id=dataset.parent_id)
        after_N, _ = datasets.labels(session, dataset_id)
        before_N, _ = datasets.labels(session, dataset.parent_id)
    index_M = np.flatnonzero(before_N != after_N)
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
    )
