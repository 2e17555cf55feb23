"""Decisions from a table that people bring: looked at first, then recorded like any others."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.annotators import fetched
from backend.api.context import Context, Id, In, Me
from backend.api.schemas.base import Answer, Body
from backend.api.schemas.words import Verdict
from backend.api.uploads import unused
from backend.audit.importing import new_among
from backend.store import datasets, deciding, decisions, reviews
from worker.ingest.deciding import DecisionsTable, read_decisions

router = APIRouter(prefix="/api/datasets/{dataset_id}/decisions/import", tags=["decisions"])

ERRORS_SHOWN, CHANGES_SHOWN = 200, 200


class DecisionsImport(Body):
    """A finished upload: CSV, JSON Lines or Parquet with a column index or name, and a column decision, label, or both."""

    upload_id: str = Field(max_length=64)


class DecisionsImportApply(DecisionsImport):
    """Sending the same `idempotency_key` again changes nothing."""

    idempotency_key: str = Field(min_length=8, max_length=64)


class ImportedChange(Answer):
    index: int
    name: str
    given_label: int
    verdict: Verdict
    label: int | None
    before: Verdict | None = Field(description="the verdict that stands now")


class ImportedError(Answer):
    where: str = Field(description="the line, or the row of a Parquet file")
    code: str
    message: str


class ImportPreview(Answer):
    """What the table would change; lines with an error are left out, all others apply."""

    rows: int
    new: int = Field(description="decisions that change something")
    same: int = Field(description="decisions that stand already")
    empty: int = Field(description="rows that say nothing")
    replaced: int = Field(description="of the new ones, those on samples with another decision")
    verdicts: dict[str, int]
    errors_total: int
    errors: list[ImportedError] = Field(description="the first 200")
    changes: list[ImportedChange] = Field(description="the first 200")


class ImportApplied(Answer):
    recorded: int
    left_out: int = Field(description="rows with an error")


@router.post("/preview")
def preview_import(dataset_id: Id, body: DecisionsImport, context: In, caller: Me) -> ImportPreview:
    """What a table of decisions would change, and what is wrong with its lines; nothing is recorded."""
    read = _read(context, caller, dataset_id, body.upload_id)
    with context.database.transaction() as session:
        standing = _standing(session, caller, dataset_id)
        new = new_among(read.items, standing)
        shown = new[:CHANGES_SHOWN]
        rows = {
            row.sample_index: row
            for row in datasets.some_samples(session, dataset_id, [item.index for item in shown])
        }
        changes = [
            ImportedChange(
                index=item.index,
                name=rows[item.index].name,
                given_label=rows[item.index].given_label,
                verdict=item.verdict,
                label=item.label,
                before=found.verdict if (found := standing.get(item.index)) else None,
            )
            for item in shown
        ]
    return ImportPreview(
        rows=read.rows,
        new=len(new),
        same=len(read.items) - len(new),
        empty=read.rows - len(read.items) - len(read.wrong),
        replaced=sum(item.index in standing for item in new),
        verdicts=dict(Counter(item.verdict for item in new)),
        errors_total=len(read.wrong),
        errors=[ImportedError.model_validate(each) for each in read.wrong[:ERRORS_SHOWN]],
        changes=changes,
    )


@router.post("", status_code=201)
def apply_import(dataset_id: Id, body: DecisionsImportApply, context: In, caller: Me) -> ImportApplied:
    """Record the decisions of a table, all in one batch that one undo takes back."""
    read = _read(context, caller, dataset_id, body.upload_id)
    with context.database.transaction() as session:
        new = new_among(read.items, _standing(session, caller, dataset_id))
        request = deciding.Request(caller.id, new, None, body.idempotency_key, "decisions.import")
        recorded = deciding.append(session, dataset_id, request)
    return ImportApplied(recorded=recorded, left_out=len(read.wrong))


def _standing(session: Session, caller: Me, dataset_id: str) -> dict[int, decisions.Standing]:
    """What stands before the import, as this account is shown it."""
    reviewer = reviews.shown_to(session, dataset_id, caller.id)
    return decisions.standing(session, dataset_id, reviewer=reviewer)


def _read(context: Context, caller: Me, dataset_id: str, upload_id: str) -> DecisionsTable:
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        classes = list(dataset.classes)
        names_N, given_N = (
            datasets.names(session, dataset_id),
            datasets.labels(session, dataset_id)[0],
        )
    upload = unused(context, caller.id, upload_id)
    with tempfile.TemporaryDirectory(prefix="noise-audit-") as folder:
        return read_decisions(
            fetched(context, upload, Path(folder)),
            names_N=names_N,
            classes=classes,
            given_N=given_N,
            limits=context.settings.limits,
            apart=True,
        )
