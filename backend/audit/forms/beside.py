"""Images in files, and one table or document beside them that holds the labels: a manifest, or COCO's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from backend.audit.exporting import Format, write
from backend.audit.forms.archive import Member, whole
from backend.audit.forms.class_folder import images
from backend.audit.forms.content import Content
from backend.audit.forms.paths import in_place

COCO_FILE = "annotations.json"


def manifest_members(content: Content) -> Iterator[Member]:
    """The images where they lay, and `labels.csv` (or .jsonl, .parquet) with the columns of the file that came."""
    paths = in_place(content)
    yield from images(content, paths)
    names = {"file": "file_name", "label": "label", "split": "split", **content.columns}
    columns = {
        names["file"]: pa.array(paths, pa.string()),
        names["label"]: pa.array([content.classes[int(label)] for label in content.label_M], pa.string()),
    }
    if content.split_M is not None:
        columns[names["split"]] = pa.array(content.split_M, pa.string())
    format: Format = "parquet" if content.table_format == "parquet" else "jsonl"
    if content.table_format == "csv":
        format = "csv"
    yield whole(f"labels.{format}", write(pa.table(columns), format, None))


def coco_members(content: Content) -> Iterator[Member]:
    """COCO's `images`, `categories` and `annotations` in one document, one annotation (a class) per image."""
    paths = in_place(content)
    yield from images(content, [f"images/{path}" for path in paths])
    yield whole(COCO_FILE, _coco(content, paths))


def _coco(content: Content, paths: list[str]) -> bytes:
    split_M = content.split_M
    document = {
        "images": [
            {
                "id": int(content.index_M[place]),
                "file_name": path,
                "width": int(content.width_M[place]),
                "height": int(content.height_M[place]),
                **({} if split_M is None else {"split": split_M[place]}),
            }
            for place, path in enumerate(paths)
        ],
        "categories": [{"id": label, "name": name} for label, name in enumerate(content.classes)],
        "annotations": [
            {"id": place, "image_id": int(content.index_M[place]), "category_id": int(content.label_M[place])}
            for place in range(len(content))
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()
