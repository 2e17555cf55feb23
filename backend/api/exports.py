"""Exports: cleaned labels, all samples, the trained model, the report; with a preview and a manifest."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from backend.api.context import Caller, Context, Id, In, Me
from backend.api.exported import File, State, describe, gather, stem
from backend.api.reports import report_file
from backend.api.schemas import ExportPreview, LabelChange
from backend.audit import exporting
from backend.audit.cleaning import BECAUSE, REMOVED, Unreviewed, changed_indices
from backend.audit.errors import NotFound
from backend.audit.exporting import MEDIA_TYPES, Format
from backend.audit.tables import Exported, export_table
from backend.store import activity, runs

router = APIRouter(prefix="/api/runs/{run_id}/exports", tags=["exports"])

CHANGES_SHOWN = 200
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"}
}


# Before `/{what}`, which would take the word for a kind of export.
@router.get("/preview")
def preview_export(run_id: Id, context: In, caller: Me, unreviewed: Unreviewed = "keep") -> ExportPreview:
    """What an export with this policy would hold: counts, and the first changes."""
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
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
    what: Exported,
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
    what: Exported,
    context: In,
    caller: Me,
    format: Format = "csv",
    unreviewed: Unreviewed = "keep",
) -> dict[str, Any]:
    """Where the file comes from, by which run and policy, with its SHA-256."""
    file = _file(context, caller, run_id, what, format, unreviewed)
    return exporting.describe_file(file.manifest, file.name, file.data)


def _file(
    context: Context, caller: Caller, run_id: str, what: Exported, format: Format, unreviewed: Unreviewed
) -> File:
    if what == "report":
        return report_file(context, caller, run_id, unreviewed)
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
    about, name = describe(state, what), stem(state, what)
    if what == "model":
        if state.run.recipe == runs.PREDICTIONS:
            raise NotFound("MODEL_MISSING", "This run judged predictions and trained no network.")
        data = context.artifacts.get(f"runs/{run_id}/model.safetensors")
        return File(f"{name}.safetensors", "application/octet-stream", data, about)
    data = exporting.write(export_table(what, state.audit, state.cleaned), format, about)
    return File(f"{name}.{format}", MEDIA_TYPES[format], data, about)


def _change(state: State, index: int) -> LabelChange:
    label = int(state.cleaned.label_N[index])
    return LabelChange(
        index=index,
        name=state.audit.names[index],
        given_label=int(state.audit.given_N[index]),
        cleaned_label=None if label == REMOVED else label,
        because=BECAUSE[state.cleaned.because_N[index]],
    )
