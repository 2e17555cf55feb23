"""Exports: cleaned labels, all samples, the trained model; with a preview and a manifest."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from backend.api.context import Caller, Context, Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas import ExportPreview, LabelChange
from backend.audit import exporting
from backend.audit.cleaning import (
    BECAUSE,
    REMOVED,
    Cleaned,
    CleaningCounts,
    Unreviewed,
    changed_indices,
    cleaned_labels,
    count_cleaning,
)
from backend.audit.exporting import MEDIA_TYPES, Format
from backend.audit.tables import Audit, export_table, manifest
from backend.store import activity, datasets, decisions
from backend.store.tables import Dataset, Run

router = APIRouter(prefix="/api/runs/{run_id}/exports", tags=["exports"])

What = Literal["cleaned-labels", "samples", "model"]
CHANGES_SHOWN = 200
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"}
}


class State(NamedTuple):
    """A run's results and the decisions as they stand, cleaned by a policy."""

    run: Run
    dataset: Dataset
    audit: Audit
    cleaned: Cleaned
    counts: CleaningCounts
    unreviewed: Unreviewed


class File(NamedTuple):
    """A file to take away."""

    name: str
    media_type: str
    data: bytes
    manifest: dict[str, Any]


# Before `/{what}`, which would take the word for a kind of export.
@router.get("/preview")
def preview_export(run_id: Id, context: In, caller: Me, unreviewed: Unreviewed = "keep") -> ExportPreview:
    """What an export with this policy would hold: counts, and the first changes."""
    with context.database.transaction() as session:
        state = _state(session, context, caller, run_id, unreviewed)
    changed = changed_indices(state.audit.given_N, state.cleaned)
    return ExportPreview(
        unreviewed=unreviewed,
        **state.counts._asdict(),
        changes=[_change(state, int(index)) for index in changed[:CHANGES_SHOWN]],
        changes_total=len(changed),
    )


@router.get("/{what}", response_class=Response, responses=_FILE)
def download_export(
    run_id: Id,
    what: What,
    context: In,
    caller: Me,
    format: Format = "csv",
    unreviewed: Unreviewed = "keep",
) -> Response:
    """The file. CSV neutralises what a spreadsheet would run; JSON and Parquet hold every cell as it is."""
    file = _file(context, caller, run_id, what, format, unreviewed)
    with context.database.transaction() as session:
        activity.record(session, caller.id, "export", run_id, what=what, format=format)
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "ETag": f'"{exporting.sha256(file.data)}"',
    }
    return Response(file.data, media_type=file.media_type, headers=headers)


@router.get("/{what}/manifest")
def export_manifest(
    run_id: Id,
    what: What,
    context: In,
    caller: Me,
    format: Format = "csv",
    unreviewed: Unreviewed = "keep",
) -> dict[str, Any]:
    """Where the file comes from, by which run and policy, with its SHA-256."""
    file = _file(context, caller, run_id, what, format, unreviewed)
    return exporting.describe_file(file.manifest, file.name, file.data)


def _file(
    context: Context, caller: Caller, run_id: str, what: What, format: Format, unreviewed: Unreviewed
) -> File:
    with context.database.transaction() as session:
        state = _state(session, context, caller, run_id, unreviewed)
    about = _manifest(state, what)
    stem = f"{_slug(state.dataset.name)}-{what}"
    if what == "model":
        data = context.artifacts.get(f"runs/{run_id}/model.safetensors")
        return File(f"{stem}.safetensors", "application/octet-stream", data, about)
    data = exporting.write(export_table(what, state.audit, state.cleaned), format, about)
    return File(f"{stem}.{format}", MEDIA_TYPES[format], data, about)


def _state(session: Session, context: Context, caller: Caller, run_id: str, unreviewed: Unreviewed) -> State:
    run = succeeded(session, caller, run_id, "to export its results")
    dataset = datasets.load(session, run.dataset_id)
    columns = context.published.results(session, run_id)
    audit = Audit(
        names=context.published.names(session, run.dataset_id),
        classes=dataset.classes,
        given_N=columns.given_label,
        true_N=columns.true_label,
        suggested_N=columns.suggested_label,
        noise_posterior_N=columns.noise_posterior,
        loss_N=columns.loss,
        margin_N=columns.margin,
        flagged_N=columns.flagged,
        standing=decisions.standing(session, run.dataset_id),
    )
    cleaned = cleaned_labels(audit.given_N, audit.suggested_N, audit.flagged_N, audit.standing, unreviewed)
    counts = count_cleaning(audit.given_N, audit.flagged_N, cleaned)
    return State(run, dataset, audit, cleaned, counts, unreviewed)


def _manifest(state: State, what: What) -> dict[str, Any]:
    run, dataset = state.run, state.dataset
    times = [decision[3] for decision in state.audit.standing.values()]
    return manifest(
        what,
        unreviewed=state.unreviewed,
        counts=state.counts,
        as_of=max([*times, run.finished_at or run.created_at]),
        dataset={
            "id": dataset.id,
            "name": dataset.name,
            "samples": dataset.sample_count,
            "classes": list(dataset.classes),
        },
        run={
            "id": run.id,
            "recipe": run.recipe,
            "settings": dict(run.config),
            "seed": run.seed,
            "finished_at": run.finished_at.isoformat() if run.finished_at else None,
            **{key: run.outcome.get(key) for key in _OUTCOME},
        },
    )


_OUTCOME = (
    "flagged",
    "threshold",
    "noise_rate",
    "noise_rate_interval",
    "model",
    "trust",
    "metrics",
    "versions",
)


def _change(state: State, index: int) -> LabelChange:
    label = int(state.cleaned.label_N[index])
    return LabelChange(
        index=index,
        name=state.audit.names[index],
        given_label=int(state.audit.given_N[index]),
        cleaned_label=None if label == REMOVED else label,
        because=BECAUSE[state.cleaned.because_N[index]],
    )


def _slug(name: str) -> str:
    """A dataset's name as part of a file name: ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "dataset"
