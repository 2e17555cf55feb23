"""Predictions that people bring: uploaded, then judged by a run that trains nothing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from backend.api import uploads
from backend.api.context import Context, Id, In, Me
from backend.api.runs import answer, queue
from backend.api.schemas import Body, RunAnswer
from backend.audit.errors import NotFound
from backend.store import datasets, runs
from backend.store import uploads as stored_uploads
from backend.store.tables import Upload

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["runs"])


class PredictionsCreate(Body):
    """A finished upload that holds a prediction for every sample and class: npy, npz, CSV or Parquet."""

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
    upload = unused(context, caller, body.upload_id)
    config: dict[str, Any] = {"filename": upload.filename, **body.model_dump()}
    with context.database.transaction() as session:
        row = queue(session, context, caller, dataset_id, runs.PREDICTIONS, config, 0)
        return answer(session, row)


def unused(context: Context, caller: Me, upload_id: str) -> Upload:
    """The caller's finished upload, whose bytes are still there. Raises NotFound (UPLOAD_USED)."""
    upload = uploads.finished(context, caller.id, upload_id)
    if not context.artifacts.exists(stored_uploads.key(upload.id)):
        raise NotFound("UPLOAD_USED", "This upload has been used already.", hint="Upload the file again.")
    return upload
