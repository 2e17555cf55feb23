"""Words that several shapes of the HTTP interface share: statuses, verdicts, formats."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

DatasetStatus = Literal["importing", "ready", "failed", "cancelled"]
RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Verdict = Literal["keep", "relabel", "remove", "unsure", "cleared"]
Unreviewed = Literal["keep", "accept", "remove"]
NoiseKind = Literal["symmetric", "symmetric-exclusive", "class-conditional", "instance"]
ExportFormat = Literal[
    "csv",
    "json",
    "jsonl",
    "parquet",
    "as-delivered",
    "class-folder",
    "manifest",
    "webdataset",
    "coco",
    "cifar-binary",
    "zip",
    "safetensors",
    "html",
]
ImportFormat = Literal[
    "auto", "class-folder", "manifest", "parquet", "webdataset", "cifar", "idx", "arrays", "coco"
]
ColumnUse = Literal["image", "label", "true_label", "split", "annotators"]
ColumnName = Annotated[str, Field(max_length=4096)]
Setting = str | int | float | bool
