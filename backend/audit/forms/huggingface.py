"""A folder that Hugging Face's `datasets` loads: Parquet shards with the images inside, and the features described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from backend.audit.exporting import parquet_chunks
from backend.audit.forms.archive import Member, whole
from backend.audit.forms.content import Content
from backend.audit.forms.paths import in_place
from backend.audit.forms.shards import shards, spans

GROUP_BYTES, GROUP_ROWS = 16 << 20, 1000
"""Images of one row group: what is in memory at a time."""


def members(content: Content) -> Iterator[Member]:
    """`README.md` and `data/SPLIT-00000-of-00001.parquet`, …."""
    paths = in_place(content)
    schema = _schema(content.classes)
    found = shards(content)
    yield whole("README.md", _card(content, {shard.split for shard in found}).encode())
    for shard in found:
        name = f"data/{shard.split}-{shard.number:05d}-of-{shard.of:05d}.parquet"
        yield Member(name, None, partial(_shard, content, paths, schema, shard.places))


def _shard(content: Content, paths: list[str], schema: pa.Schema, places: list[int]) -> Iterator[bytes]:
    groups = spans(content, places, GROUP_BYTES, GROUP_ROWS)
    return parquet_chunks(schema, (_group(content, paths, schema, group) for group in groups))


def _group(content: Content, paths: list[str], schema: pa.Schema, places: list[int]) -> pa.Table:
    image = [{"bytes": content.read(place), "path": paths[place]} for place in places]
    columns: list[Any] = [
        image,
        np.asarray(content.label_M)[places].astype(np.int64),
        np.asarray(content.given_M)[places].astype(np.int64),
        np.asarray(content.index_M)[places].astype(np.int64),
    ]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _schema(classes: Any) -> pa.Schema:
    labels = {"_type": "ClassLabel", "names": list(classes)}
    features = {
        "image": {"_type": "Image"},
        "label": labels,
        "given_label": labels,
        "index": {"_type": "Value", "dtype": "int64"},
    }
    return pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("label", pa.int64()),
            ("given_label", pa.int64()),
            ("index", pa.int64()),
        ],
        metadata={b"huggingface": json.dumps({"info": {"features": features}}, ensure_ascii=False).encode()},
    )


def _card(content: Content, splits: set[str]) -> str:
    files = "".join(f"      - split: {split}\n        path: data/{split}-*\n" for split in sorted(splits))
    return (
        "---\ntask_categories:\n  - image-classification\nconfigs:\n  - config_name: default\n    data_files:\n"
        f"{files}---\n\n"
        f"{len(content):,} images in {len(content.classes):,} classes, cleaned with Noise Audit. `label` is the cleaned "
        "label, `given_label` the one that came, `index` the sample's index in the audit; `manifest.json` says by "
        "which run, decisions and policy.\n\n"
        '```python\nfrom datasets import load_dataset\n\ndataset = load_dataset("PATH/OF/THIS/FOLDER")\n```\n'
    )
