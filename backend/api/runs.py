"""Runs: started on a dataset, watched, stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from backend.api.answers import epoch_answer, run_answer
from backend.api.context import Context, Id, In, Me
from backend.api.recipes import checked_recipe
from backend.api.schemas.runs import EpochList, RunAnswer, RunCreate, RunEstimate, RunList
from backend.api.uploads import unused
from backend.audit.costs import run_bytes, run_seconds
from backend.audit.errors import TooMany
from backend.store import activity, datasets, jobs, runs
from backend.store.tables import Run

router = APIRouter(prefix="/api", tags=["runs"])


@router.post("/datasets/{dataset_id}/runs", status_code=201)
def create_run(dataset_id: Id, body: RunCreate, context: In, caller: Me) -> RunAnswer:
    """Queue a run of a recipe on a ready dataset."""
    with context.database.transaction() as session:
        datasets.get(session, caller.id, dataset_id)
        checked_recipe(body.recipe, body.settings)
    config = dict(body.settings)
    if body.embedding_upload_id is not None:
        upload = unused(context, caller.id, body.embedding_upload_id)
        config |= {"upload_id": upload.id, "filename": upload.filename}
    with context.database.transaction() as session:
        return answer(session, queue(session, context, caller, dataset_id, body.recipe, config, body.seed))


@router.post("/datasets/{dataset_id}/runs/estimate")
def estimate_run(dataset_id: Id, body: RunCreate, context: In, caller: Me) -> RunEstimate:
    """About what such a run takes, with nothing started; refuses what starting it would refuse."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        samples, classes, shape = dataset.sample_count, len(dataset.classes), list(dataset.image_shape)
    each = checked_recipe(body.recipe, body.settings)
    return RunEstimate(
        seconds=run_seconds(each, samples, shape[0] * shape[1]) if shape else None,
        disk_bytes=run_bytes(each, samples, classes, shape) if shape else None,
        free_bytes=context.artifacts.free_bytes(),
    )


@router.get("/runs")
def list_runs(
    context: In, caller: Me, dataset_id: Annotated[str | None, Query(max_length=32)] = None
) -> RunList:
    """All runs, or those of one dataset, newest first."""
    now = datetime.now(UTC)
    with context.database.transaction() as session:
        names = {row.id: row.name for row in datasets.list_for(session, caller.id)}
        rows = runs.list_for(session, caller.id, dataset_id)
        items = [run_answer(row, names[row.dataset_id], now) for row in rows]
    for item in items:
        item.progress.log = []
    return RunList(items=items)


@router.get("/runs/{run_id}")
def get_run(run_id: Id, context: In, caller: Me) -> RunAnswer:
    """One run: status, progress, and once finished its outcome."""
    with context.database.transaction() as session:
        return answer(session, runs.get(session, caller.id, run_id))


@router.post("/runs/{run_id}/stop")
def stop_run(run_id: Id, context: In, caller: Me) -> RunAnswer:
    """Stop a run: a queued one at once, a running one within seconds."""
    with context.database.transaction() as session:
        row = runs.request_stop(session, caller.id, run_id)
        activity.record(session, caller.id, "run.stop", run_id)
        return answer(session, row)


@router.get("/runs/{run_id}/epochs")
def list_epochs(run_id: Id, context: In, caller: Me) -> EpochList:
    """All tracked epochs: metrics, loss histogram, both mixtures, trust."""
    with context.database.transaction() as session:
        runs.get(session, caller.id, run_id)
        return EpochList(items=[epoch_answer(row) for row in runs.epochs(session, run_id)])


def queue(
    session: Session,
    context: Context,
    caller: Me,
    dataset_id: str,
    recipe: str,
    config: dict[str, Any],
    seed: int,
) -> Run:
    """A new run with its job. Raises NotFound, Conflict (DATASET_NOT_READY), TooMany (QUEUE_FULL)."""
    limit = context.settings.limits.queued_runs
    if runs.queued(session, caller.id) >= limit:
        raise TooMany(
            "QUEUE_FULL",
            f"{limit} of your runs are waiting already.",
            hint="Stop one, or wait until one has begun.",
            limit=limit,
        )
    row = runs.create(session, caller.id, dataset_id, recipe, config, seed)
    jobs.enqueue_run(session, row.id)
    activity.record(session, caller.id, "run.create", row.id, recipe=recipe)
    return row


def answer(session: Session, row: Run) -> RunAnswer:
    """The run as it stands now."""
    return run_answer(row, datasets.load(session, row.dataset_id).name, datetime.now(UTC))
