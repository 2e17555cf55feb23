"""Exports: what can be taken away and as what, a preview, the files, and the manifest of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from backend.api.context import Id, In, Me
from backend.api.delivered import content_of
from backend.api.exported import State, came_as, gather
from backend.api.exportfiles import FORMATS, export_file, is_kept
from backend.api.schemas.decisions import ReviewCounts
from backend.api.schemas.exports import ExportChoice, ExportList, ExportPreview, LabelChange
from backend.api.schemas.words import ExportFormat
from backend.audit import exporting
from backend.audit.cleaning import BECAUSE, REMOVED, Unreviewed, changed_indices
from backend.audit.forms import FORMS, form_as_delivered, refusal
from backend.audit.tables import Exported
from backend.store import activity

router = APIRouter(prefix="/api/runs/{run_id}/exports", tags=["exports"])

CHANGES_SHOWN = 200
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"}
}


@router.get("")
def list_exports(run_id: Id, context: In, caller: Me, unreviewed: Unreviewed = "keep") -> ExportList:
    """What this run's dataset can be taken away as, and why not as the rest."""
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
    content = content_of(context, state)
    came = form_as_delivered(came_as(state), content)
    forms = [
        ExportChoice(
            format=name,
            title=form.title,
            says=form.says,
            images=form.images,
            refusal=refusal(name, content),
            as_delivered=name == came,
        )
        for name, form in FORMS.items()
    ]
    return ExportList(
        formats={
            what: list(formats) for what, formats in FORMATS.items() if is_kept(context, state.run, what)
        },
        forms=forms,
        images=len(content),
        image_bytes=int(content.bytes_M.sum()),
        came_as=came_as(state),
    )


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
        review=None if state.review is None else ReviewCounts.model_validate(state.review),
    )


@router.get("/{what}", response_class=Response, responses=_FILE)
def download_export(
    run_id: Id,
    what: Exported,
    context: In,
    caller: Me,
    format: ExportFormat | None = None,
    unreviewed: Unreviewed = "keep",
) -> Response:
    """The file. CSV neutralises what a spreadsheet would run; JSON, JSON Lines and Parquet hold every cell as it is.

    Archives are written while they are sent, each image checked against its hash: one that breaks off is incomplete.
    """
    file = export_file(context, caller, run_id, what, format, unreviewed)
    with context.database.transaction() as session:
        activity.record(session, caller.id, "export", run_id, what=what, format=format)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    if isinstance(file.data, bytes):
        headers["ETag"] = f'"{exporting.sha256(file.data)}"'
        return Response(file.data, media_type=file.media_type, headers=headers)
    # Images do not shrink, and packed on the way the length would be lost, which a progress bar needs.
    headers["Content-Encoding"] = "identity"
    if file.data.length is not None:
        headers["Content-Length"] = str(file.data.length)
    return StreamingResponse(file.data.chunks, media_type=file.media_type, headers=headers)


@router.get("/{what}/manifest")
def export_manifest(
    run_id: Id,
    what: Exported,
    context: In,
    caller: Me,
    format: ExportFormat | None = None,
    unreviewed: Unreviewed = "keep",
) -> dict[str, Any]:
    """Where the file comes from: input, run, decisions and policy by hash, counts, and the file's own SHA-256.

    An archive's own hash is known to who has it only; inside it SHA256SUMS names the hash of each file.
    """
    file = export_file(context, caller, run_id, what, format, unreviewed)
    if isinstance(file.data, bytes):
        return exporting.describe_file(file.manifest, file.name, file.data)
    return {**file.manifest, "file": {"name": file.name, "bytes": file.data.length}}


def _change(state: State, index: int) -> LabelChange:
    label = int(state.cleaned.label_N[index])
    return LabelChange(
        index=index,
        name=state.audit.names[index],
        given_label=int(state.audit.given_N[index]),
        cleaned_label=None if label == REMOVED else label,
        because=BECAUSE[state.cleaned.because_N[index]],
    )
