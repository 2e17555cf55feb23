"""Exports: what can be taken away and as what, a preview, the files, and the manifest of each."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from backend.api.context import Caller, Context, Id, In, Me
from backend.api.delivered import content_of
from backend.api.exported import File, State, describe, gather, stem
from backend.api.reports import report_file
from backend.api.schemas import ExportChoice, ExportFormat, ExportList, ExportPreview, LabelChange
from backend.audit import exporting
from backend.audit.cleaning import BECAUSE, REMOVED, Unreviewed, changed_indices
from backend.audit.errors import BadInput, NotFound
from backend.audit.exporting import MEDIA_TYPES, Format
from backend.audit.forms import AS_DELIVERED, FORMS, FormName, arranged, form_as_delivered, refusal
from backend.audit.forms.archive import Arranged
from backend.audit.forms.network import network_archive
from backend.audit.tables import Exported, cleaned_labels_table, samples_table, scores_table
from backend.store import activity

router = APIRouter(prefix="/api/runs/{run_id}/exports", tags=["exports"])

CHANGES_SHOWN = 200
FEATURES_AT_ONCE = 4096
"""Rows of the embedding in memory at a time."""
TABLES: tuple[Format, ...] = ("csv", "json", "jsonl", "parquet")
FORMATS: dict[Exported, tuple[ExportFormat, ...]] = {
    "cleaned-labels": TABLES,
    "samples": TABLES,
    "scores": TABLES,
    "dataset": (AS_DELIVERED, *FORMS),
    "embedding": ("parquet",),
    "model": ("zip", "safetensors"),
    "report": ("html",),
}
"""The formats of each export; the first is what one gets without a wish."""
ZIP = "application/zip"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"}
}


@router.get("")
def list_exports(run_id: Id, context: In, caller: Me, unreviewed: Unreviewed = "keep") -> ExportList:
    """What this run's dataset can be taken away as, and why not as the rest."""
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
    content = content_of(context, state)
    came = form_as_delivered(_recognised(state), content)
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
        formats={what: list(formats) for what, formats in FORMATS.items()},
        forms=forms,
        images=len(content),
        image_bytes=int(content.bytes_M.sum()),
        came_as=_recognised(state),
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
    file = _file(context, caller, run_id, what, format, unreviewed)
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
    file = _file(context, caller, run_id, what, format, unreviewed)
    if isinstance(file.data, bytes):
        return exporting.describe_file(file.manifest, file.name, file.data)
    return {**file.manifest, "file": {"name": file.name, "bytes": file.data.length}}


def _file(
    context: Context,
    caller: Caller,
    run_id: str,
    what: Exported,
    format: ExportFormat | None,
    unreviewed: Unreviewed,
) -> File:
    chosen = format or FORMATS[what][0]
    if chosen not in FORMATS[what]:
        raise BadInput(
            "FORMAT_UNSUITABLE",
            f"There is no {what} as {chosen}.",
            item="format",
            limit=", ".join(FORMATS[what]),
            found=chosen,
        )
    if what == "report":
        return report_file(context, caller, run_id, unreviewed)
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
    name = stem(state, what)
    if what == "dataset":
        return _dataset(context, state, chosen)
    if what == "embedding":
        return _embedding(context, state, name)
    if what == "model":
        return _model(context, state, name, chosen)
    about = describe(state, what)
    if what == "scores":
        table = scores_table(state.audit, state.cleaned, _scores(context, run_id))
    else:
        table = (cleaned_labels_table if what == "cleaned-labels" else samples_table)(
            state.audit, state.cleaned
        )
    for format_ in TABLES:
        if format_ == chosen:
            data = exporting.write(table, format_, about)
            return File(f"{name}.{format_}", MEDIA_TYPES[format_], data, about)
    raise AssertionError(chosen)


def _dataset(context: Context, state: State, chosen: str) -> File:
    content = content_of(context, state)
    recognised = _recognised(state)
    name: FormName = form_as_delivered(recognised, content)
    for known in FORMS:
        if known == chosen:
            name = known
    if why := refusal(name, content):
        raise BadInput(
            "FORMAT_UNSUITABLE",
            f"This dataset cannot leave as {name}: {why}.",
            hint="Choose another form; class-folder and parquet hold any dataset.",
            item="format",
            found=name,
        )
    form = FORMS[name]
    about = describe(
        state,
        "dataset",
        form=name,
        came_as=recognised,
        images={"files": len(content), "are": form.images},
    )
    file_name = f"{stem(state, 'dataset')}-{name}.zip"
    return File(file_name, ZIP, arranged(name, content, about), about)


def _recognised(state: State) -> str:
    """How the dataset came, in the importer's word."""
    return str(state.dataset.report.get("recognised", ""))


def _scores(context: Context, run_id: str) -> dict[str, np.ndarray[Any, Any]]:
    """What the run's own file of results holds beyond the samples' columns; older runs have none."""
    try:
        data = context.artifacts.get(f"runs/{run_id}/results.parquet")
    except NotFound:
        return {}
    with pq.ParquetFile(io.BytesIO(data)) as file:
        names = [
            name
            for name in file.schema_arrow.names
            if name in ("label_quality", "agreement", "x", "y") or name.startswith("score_")
        ]
        table = file.read(columns=names)
    return {name: table.column(name).to_numpy() for name in names}


def _embedding(context: Context, state: State, name: str) -> File:
    """The penultimate features, a list of numbers per sample."""
    run_id, names = state.run.id, state.audit.names
    about = describe(state, "embedding", width=context.published.width(run_id, "features"))
    kind = pa.list_(pa.float32(), about["width"])
    schema = pa.schema(
        [("index", pa.int64()), ("name", pa.string()), ("feature", kind)],
        metadata={exporting.MANIFEST_KEY: exporting.json_bytes(about)},
    )

    def group(begin: int) -> pa.Table:
        end = min(begin + FEATURES_AT_ONCE, len(names))
        feature_NF = context.published.rows(run_id, "features", list(range(begin, end)))
        flat = pa.array(feature_NF.astype(np.float32).ravel())
        feature = pa.FixedSizeListArray.from_arrays(flat, about["width"])
        index = pa.array(np.arange(begin, end, dtype=np.int64))
        return pa.table([index, pa.array(names[begin:end], pa.string()), feature], schema=schema)

    groups = (group(begin) for begin in range(0, len(names), FEATURES_AT_ONCE))
    chunks = exporting.parquet_chunks(schema, groups)
    return File(f"{name}.parquet", MEDIA_TYPES["parquet"], Arranged(None, chunks), about)


def _model(context: Context, state: State, name: str, chosen: str) -> File:
    about = describe(state, "model")
    weights = context.artifacts.get(f"runs/{state.run.id}/model.safetensors")
    if chosen == "safetensors":
        return File(f"{name}.safetensors", "application/octet-stream", weights, about)
    return File(f"{name}.zip", ZIP, network_archive(weights, state.audit.classes, about), about)


def _change(state: State, index: int) -> LabelChange:
    label = int(state.cleaned.label_N[index])
    return LabelChange(
        index=index,
        name=state.audit.names[index],
        given_label=int(state.audit.given_N[index]),
        cleaned_label=None if label == REMOVED else label,
        because=BECAUSE[state.cleaned.because_N[index]],
    )
