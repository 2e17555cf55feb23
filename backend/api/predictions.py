"""Predictions that people bring: uploaded, then judged by a run that trains nothing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from backend.api.context import Id, In, Me
from backend.api.runs import answer, queue
from backend.api.schemas.base import Body
from backend.api.schemas.runs import RunAnswer
from backend.api.uploads import unused
from backend.store import datasets, runs

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["runs"])


class PredictionsCreate(Body):
    """A finished upload that holds a prediction for every sample and class: npy, npz, CSV, JSON Lines or Parquet."""

    upload_id: str = Field(max_length=64)
    in_sample: bool = Field(
        False, description="the network that predicts has trained on these samples and labels"
    )
    logits: bool = Field(False, description="the values are logits, not probabilities")


@router.post("/predictions", status_code=201)
def create_predictions(dataset_id: Id, body: PredictionsCreate, context: In, caller: Me) -> RunAnswer:
    """Queue a run that judges the labels by these predictions; what is wrong with them fails the run in words."""
    with context.database.transaction() as session:
        datasets.require_ready(datasets.get(session, caller.id, dataset_id))
    upload = unused(context, caller.id, body.upload_id)
    config: dict[str, Any] = {"filename": upload.filename, **body.model_dump()}
    with context.database.transaction() as session:
        row = queue(session, context, caller, dataset_id, runs.PREDICTIONS, config, 0)
        return answer(session, row)
