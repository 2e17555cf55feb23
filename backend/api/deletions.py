"""Deleting a dataset or a run: what would be freed, said beforehand, and the deletion itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from backend.api.context import Context, Id, In, Me
from backend.api.schemas.datasets import DeletionAnswer
from backend.store import activity, datasets, keeping, retention, runs
from backend.store.retention import Freed

router = APIRouter(prefix="/api", tags=["deletions"])


@router.get("/datasets/{dataset_id}/deletion")
def preview_dataset_deletion(dataset_id: Id, context: In, caller: Me) -> DeletionAnswer:
    """What deleting the dataset with its runs and decisions would free; nothing is deleted."""
    with context.database.transaction() as session:
        row = datasets.get(session, caller.id, dataset_id)
        return _answer(retention.cost_of_dataset(session, context.artifacts, row))


@router.delete("/datasets/{dataset_id}")
def delete_dataset(dataset_id: Id, context: In, caller: Me) -> DeletionAnswer:
    """Delete the dataset, its runs and its decisions for good; derived datasets stay."""
    with context.database.transaction() as session:
        row = datasets.get(session, caller.id, dataset_id)
        freed = retention.delete_dataset(session, context.artifacts, row)
        activity.record(session, caller.id, "dataset.delete", dataset_id, name=row.name, **_counts(freed))
    _drop(context, freed)
    return _answer(freed)


@router.get("/runs/{run_id}/deletion")
def preview_run_deletion(run_id: Id, context: In, caller: Me) -> DeletionAnswer:
    """What deleting the run would free; nothing is deleted."""
    with context.database.transaction() as session:
        row = runs.get(session, caller.id, run_id)
        return _answer(retention.cost_of_run(session, context.artifacts, row))


@router.delete("/runs/{run_id}")
def delete_run(run_id: Id, context: In, caller: Me) -> DeletionAnswer:
    """Delete the run with its results for good; decisions made in it belong to the dataset and stay."""
    with context.database.transaction() as session:
        row = runs.get(session, caller.id, run_id)
        freed = retention.delete_run(session, context.artifacts, row)
        activity.record(session, caller.id, "run.delete", run_id, **_counts(freed))
    _drop(context, freed)
    return _answer(freed)


def _drop(context: Context, freed: Freed) -> None:
    for prefix in freed.prefixes:
        # False while a backup has begun meanwhile: swept later, no row speaks of it any more.
        keeping.drop(context.database, context.artifacts, prefix)


def _counts(freed: Freed) -> dict[str, Any]:
    return {key: value for key, value in freed._asdict().items() if key != "prefixes"}


def _answer(freed: Freed) -> DeletionAnswer:
    return DeletionAnswer(**_counts(freed))
