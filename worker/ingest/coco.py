"""COCO-style classification: a JSON file with images, categories, and one annotation per image; knows no pixels."""

from __future__ import annotations

import re
from typing import Any

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import strict_json
from worker.ingest.class_folders import IMAGE_SUFFIXES
from worker.ingest.listed import Listed, Row, check_classes, file_pictures, take
from worker.ingest.lookup import Lookup
from worker.ingest.members import Members
from worker.ingest.names import natural_key, shown
from worker.ingest.source import SPLIT_NAMES, Refusal, Wish

_KEYS = ("images", "annotations", "categories")


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as images with COCO-style JSON files, or None when there is no such file.

    Raises BadInput JSON_INVALID, LABEL_UNKNOWN (a category that is not declared), TOO_FEW, SPLIT_MISSING.
    """
    files = {
        name: data
        for name in sorted(members.sizes, key=natural_key)
        if name.casefold().endswith(".json") and (data := _content(members, name, limits)) is not None
    }
    if not files:
        return None
    images = Lookup(name for name in members.sizes if name.casefold().endswith(IMAGE_SUFFIXES))
    rows: list[Row] = []
    refusals: list[Refusal] = []
    classes: dict[str, None] = {}
    for name, data in files.items():
        categories = _categories(data, name)
        classes.update(dict.fromkeys(categories.values()))
        _read(name, data, categories, images, rows, refusals)
    rows, splits, taken = take(rows, wish.split, has_splits=any(row.split is not None for row in rows))
    check_classes(
        list(classes),
        rows,
        limits,
        "Each image needs one annotation with a category_id.",
        wish.fewest_classes,
    )
    return Listed(
        format="coco",
        reason=f"{members.what} with images and COCO-style JSON ({', '.join(map(shown, files))})",
        rows=rows,
        classes=list(classes),
        open=file_pictures(members, rows, limits),
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=members.ignored,
    )


def _content(members: Members, name: str, limits: Limits) -> dict[str, Any] | None:
    if members.sizes[name] > limits.member_bytes:
        return None
    with members.reading() as reader:
        data = reader.read(name)
    if not all(f'"{key}"'.encode() in data for key in _KEYS):
        return None
    found = strict_json.loads(data, name)
    if not isinstance(found, dict) or not all(isinstance(found.get(key), list) for key in _KEYS):
        return None
    for key in _KEYS:
        if not all(isinstance(one, dict) for one in found[key]):
            raise BadInput("JSON_INVALID", f"One of the {key} is no object.", item=shown(name))
    return found


def _categories(data: dict[str, Any], name: str) -> dict[Any, str]:
    """Class names by category id, in the order of the ids."""
    found = {}
    for one in data["categories"]:
        if not isinstance(one.get("id"), (int, str)) or not isinstance(one.get("name"), str):
            raise BadInput("JSON_INVALID", "A category has no id or no name.", item=shown(name))
        found[one["id"]] = one["name"]
    if len(set(found.values())) != len(data["categories"]):
        raise BadInput("JSON_INVALID", "Two categories have the same id or name.", item=shown(name))
    return dict(sorted(found.items(), key=lambda item: natural_key(str(item[0]))))


def _read(
    name: str,
    data: dict[str, Any],
    categories: dict[Any, str],
    images: Lookup,
    rows: list[Row],
    refusals: list[Refusal],
) -> None:
    said: dict[Any, set[Any]] = {}
    for one in data["annotations"]:
        image, category = one.get("image_id"), one.get("category_id")
        if not isinstance(image, (int, str)) or not isinstance(category, (int, str)):
            raise BadInput(
                "JSON_INVALID", "An annotation has no image_id or no category_id.", item=shown(name)
            )
        said.setdefault(image, set()).add(category)
    split = _split_of(name)
    seen = {row.file for row in rows}
    for one in data["images"]:
        key, path = one.get("id"), one.get("file_name")
        if not isinstance(key, (int, str)) or not isinstance(path, str):
            raise BadInput("JSON_INVALID", "An image has no id or no file_name.", item=shown(name))
        file = images.find(path, name)
        labels = said.get(key, set())
        if file is None:
            refusals.append(Refusal(shown(path), "IMAGE_MISSING", "The image is not there."))
        elif file in seen:
            refusals.append(Refusal(shown(file), "DUPLICATE_NAME", "The JSON names this image twice."))
        elif not labels:
            refusals.append(Refusal(shown(file), "LABEL_MISSING", "No annotation speaks of this image."))
        elif len(labels) > 1:
            refusals.append(
                Refusal(shown(file), "LABEL_AMBIGUOUS", "Annotations give this image several classes.")
            )
        elif (label := next(iter(labels))) not in categories:
            refusals.append(
                Refusal(shown(file), "LABEL_UNKNOWN", f"There is no category {shown(str(label))}.")
            )
        else:
            rows.append(Row(file, categories[label], split, file))
        if file is not None:
            seen.add(file)


def _split_of(name: str) -> str | None:
    words = re.findall(r"[a-z]+", name.casefold().removesuffix(".json"))
    return next((SPLIT_NAMES[word] for word in reversed(words) if word in SPLIT_NAMES), None)
