"""What each export is made of: tables and archives of a run, written into memory or while they are sent."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.api.context import Caller, Context
from backend.api.delivered import content_of
from backend.api.exported import File, State, came_as, describe, gather, stem
from backend.api.reports import report_file
from backend.api.schemas.words import ExportFormat
from backend.audit import exporting
from backend.audit.cleaning import Unreviewed
from backend.audit.errors import BadInput, NotFound
from backend.audit.exporting import MEDIA_TYPES, Format
from backend.audit.forms import AS_DELIVERED, FORMS, FormName, arranged, form_as_delivered, refusal
from backend.audit.forms.archive import Arranged
from backend.audit.forms.network import network_archive
from backend.audit.tables import Exported, cleaned_labels_table, samples_table, scores_table
from backend.store import runs
from backend.store.tables import Run

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
KEPT_FILES: dict[Exported, str] = {"embedding": "features.npy", "model": "model.safetensors"}
"""Exports of what not every run leaves."""
ZIP = "application/zip"


def is_kept(context: Context, run: Run, what: Exported) -> bool:
    """Whether this run left what the export is made of."""
    return what not in KEPT_FILES or context.artifacts.exists(f"{runs.place(run)}/{KEPT_FILES[what]}")


def export_file(
    context: Context,
    caller: Caller,
    run_id: str,
    what: Exported,
    format: ExportFormat | None,
    unreviewed: Unreviewed,
) -> File:
    """The caller's export. Raises NotFound, Conflict, and BadInput (FORMAT_UNSUITABLE)."""
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
    if not is_kept(context, state.run, what):
        raise NotFound(
            "EXPORT_MISSING", f"This run left no {what}.", hint="Choose another export.", item="what"
        )
    name = stem(state, what)
    if what == "dataset":
        return _dataset(context, state, chosen)
    if what == "embedding":
        return _embedding(context, state, name)
    if what == "model":
        return _model(context, state, name, chosen)
    about = describe(state, what)
    if what == "scores":
        table = scores_table(state.audit, state.cleaned, _scores(context, state.run))
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
    recognised = came_as(state)
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


def _scores(context: Context, run: Run) -> dict[str, np.ndarray[Any, Any]]:
    """What the run's own file of results holds beyond the samples' columns; older runs have none."""
    try:
        data = context.artifacts.get(f"{runs.place(run)}/results.parquet")
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
    run, names = state.run, state.audit.names
    about = describe(state, "embedding", width=context.published.width(run, "features"))
    kind = pa.list_(pa.float32(), about["width"])
    schema = pa.schema(
        [("index", pa.int64()), ("name", pa.string()), ("feature", kind)],
        metadata={exporting.MANIFEST_KEY: exporting.json_bytes(about)},
    )

    def group(begin: int) -> pa.Table:
        end = min(begin + FEATURES_AT_ONCE, len(names))
        feature_NF = context.published.rows(run, "features", list(range(begin, end)))
        flat = pa.array(feature_NF.astype(np.float32).ravel())
        feature = pa.FixedSizeListArray.from_arrays(flat, about["width"])
        index = pa.array(np.arange(begin, end, dtype=np.int64))
        return pa.table([index, pa.array(names[begin:end], pa.string()), feature], schema=schema)

    groups = (group(begin) for begin in range(0, len(names), FEATURES_AT_ONCE))
    chunks = exporting.parquet_chunks(schema, groups)
    return File(f"{name}.parquet", MEDIA_TYPES["parquet"], Arranged(None, chunks), about)


def _model(context: Context, state: State, name: str, chosen: str) -> File:
    about = describe(state, "model")
    weights = context.artifacts.get(f"{runs.place(state.run)}/model.safetensors")
    if chosen == "safetensors":
        return File(f"{name}.safetensors", "application/octet-stream", weights, about)
    return File(
        f"{name}.zip",
        ZIP,
        network_archive(weights, state.audit.classes, about, of_an_embedding="upload_id" in state.run.config),
        about,
    )
