"""Images in files, and one table or document beside them that holds the labels: a manifest, or COCO's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa

from backend.audit.exporting import is_plain, write
from backend.audit.forms.archive import Member, whole
from backend.audit.forms.class_folder import images
from backend.audit.forms.content import Content
from backend.audit.forms.paths import in_place
from backend.audit.forms.shards import places_by_split


def manifest_members(content: Content) -> Iterator[Member]:
    """The images where they lay, and `labels.csv` (or .jsonl, .parquet) with the columns of the table that came."""
    paths = in_place(content)
    yield from images(content, paths)
    columns = {
        content.columns.get("image", "file_name"): pa.array(paths, pa.string()),
        content.columns.get("label", "label"): pa.array(
            [content.classes[int(label)] for label in content.label_M], pa.string()
        ),
    }
    if content.split_M is not None:
        columns[content.columns.get("split", "split")] = pa.array(content.split_M, pa.string())
    table = pa.table(columns)
    format = content.table_format
    if format == "csv" and not is_plain(table):
        # In CSV they would be marked for spreadsheets, and be other words when they are read again.
        format = "jsonl"
    yield whole(f"labels.{format}", write(table, format, None))


def coco_members(content: Content) -> Iterator[Member]:
    """COCO's `images`, `categories` and `annotations`, one annotation (a class) per image; a document per split."""
    paths = in_place(content)
    yield from images(content, paths)
    if content.split_M is None:
        yield whole("annotations.json", _coco(content, paths, range(len(content))))
        return
    for split, places in places_by_split(content).items():
        yield whole(f"annotations_{split}.json", _coco(content, paths, places))


def _coco(content: Content, paths: Sequence[str], places: Sequence[int]) -> bytes:
    document = {
        "images": [
            {
                "id": int(content.index_M[place]),
                "file_name": paths[place],
                "width": int(content.width_M[place]),
                "height": int(content.height_M[place]),
            }
            for place in places
        ],
        "categories": [{"id": label, "name": name} for label, name in enumerate(content.classes)],
        "annotations": [
            {
                "id": number,
                "image_id": int(content.index_M[place]),
                "category_id": int(content.label_M[place]),
            }
            for number, place in enumerate(places)
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()
