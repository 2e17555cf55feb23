"""Datasets: made from uploads, server folders, the built-in digits, or by planting noise."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session

from backend.api import deliveries
from backend.api.answers import dataset_answer
from backend.api.context import Context, Id, In, Me
from backend.api.schemas.datasets import DatasetAnswer, DatasetCreate, DatasetList, DigitsCreate, InjectCreate
from backend.audit.errors import BadInput
from backend.store import activity, datasets, decisions, jobs, reviews
from backend.store.tables import Dataset

router = APIRouter(prefix="/api/datasets", tags=["datasets"])

MATRIX_TOLERANCE = 1e-6


@router.get("")
def list_datasets(context: In, caller: Me) -> DatasetList:
    """All datasets of this account, newest first."""
    with context.database.transaction() as session:
        rows = datasets.list_for(session, caller.id)
        return DatasetList(items=[described_dataset(session, caller, row) for row in rows])


@router.post("", status_code=201)
def create_dataset(body: DatasetCreate, context: In, caller: Me) -> DatasetAnswer:
    """Start the import of a finished upload or of a folder on the server."""
    name, source = deliveries.source_of(context, caller.id, body)
    source |= body.model_dump(include={"format", "columns", "split", "limit", "all_or_nothing"})
    name = body.name or PurePath(name).stem or "dataset"
    return _begin(context, caller, name[:200], source)


@router.post("/builtin/digits", status_code=201)
def create_digits(body: DigitsCreate, context: In, caller: Me) -> DatasetAnswer:
    """Make the demo dataset: 1 797 handwritten digits with planted symmetric noise."""
    source = {"kind": "builtin", "name": "digits", "noise_rate": body.noise_rate, "seed": body.seed}
    return _begin(context, caller, f"Handwritten digits, {100 * body.noise_rate:g} % noise", source)


@router.get("/{dataset_id}")
def get_dataset(dataset_id: Id, context: In, caller: Me) -> DatasetAnswer:
    """One dataset: status, classes, counts, import report."""
    with context.database.transaction() as session:
        return described_dataset(session, caller, datasets.get(session, caller.id, dataset_id))


@router.post("/{dataset_id}/stop")
def stop_dataset(dataset_id: Id, context: In, caller: Me) -> DatasetAnswer:
    """Stop the import; nothing of it is kept."""
    with context.database.transaction() as session:
        row = datasets.request_stop(session, caller.id, dataset_id)
        activity.record(session, caller.id, "dataset.stop", dataset_id)
        return described_dataset(session, caller, row)


@router.post("/{dataset_id}/inject", status_code=201)
def inject_noise(dataset_id: Id, body: InjectCreate, context: In, caller: Me) -> DatasetAnswer:
    """Derive a dataset with planted noise; the labels it had become its true labels."""
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(parent)
        _check_noise(body, len(parent.classes))
        amount = "" if body.rate is None else f" {100 * body.rate:g} %"
        name = body.name or f"{parent.name}, {body.kind}{amount} noise"
        plan = body.model_dump(include={"rate", "matrix", "seed"})
        source = {"kind": "injection", "noise": body.kind, **plan}
        row = _create(session, caller.id, name[-200:], source, parent)
        return described_dataset(session, caller, row)


def _begin(context: Context, caller: Me, name: str, source: dict[str, Any]) -> DatasetAnswer:
    with context.database.transaction() as session:
        return described_dataset(session, caller, _create(session, caller.id, name, source, None))


def _create(
    session: Session, account_id: str, name: str, source: dict[str, Any], parent: Dataset | None
) -> Dataset:
    row = datasets.create(session, account_id, name, source, parent)
    jobs.enqueue_import(session, row.id)
    activity.record(session, account_id, "dataset.create", row.id, kind=source["kind"])
    return row


def described_dataset(session: Session, caller: Me, row: Dataset) -> DatasetAnswer:
    """The dataset with the number of decisions that this account is shown."""
    reviewer = reviews.shown_to(session, row.id, caller.id)
    return dataset_answer(row, sum(decisions.counts(session, row.id, reviewer=reviewer).values()))


def _check_noise(body: InjectCreate, classes: int) -> None:
    if body.kind == "class-conditional":
        matrix = body.matrix
        if matrix is None or len(matrix) != classes or any(len(row) != classes for row in matrix):
            raise BadInput(
                "INVALID",
                "Class-conditional noise needs a matrix P(given | true) with a row and a column per class.",
                item="matrix",
                limit=f"{classes} × {classes}",
            )
        for true_label, row in enumerate(matrix):
            if min(row) < 0 or abs(sum(row) - 1) > MATRIX_TOLERANCE:
                raise BadInput(
                    "INVALID",
                    "Each row of the matrix must hold probabilities that sum to 1.",
                    item=f"matrix.{true_label}",
                    limit=1,
                    found=sum(row),
                )
    elif body.rate is None:
        raise BadInput("INVALID", f"The noise {body.kind} needs a rate.", item="rate", limit="0 to 1")
    elif body.matrix is not None:
        raise BadInput("INVALID", "A matrix goes with class-conditional noise alone.", item="matrix")
