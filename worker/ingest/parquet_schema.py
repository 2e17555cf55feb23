"""Which columns of a Parquet schema hold the images and the labels, and what the labels are called.

Knows schemas and class names; opens no file. Hugging Face writes its description of the columns under
`huggingface` in the schema's metadata: {"info": {"features": {column: {"_type": "ClassLabel", "names": […]}}}}.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.columns import (
    IMAGE_NAMES,
    LABEL_NAMES,
    TRUE_LABEL_NAMES,
    annotators_of,
    by_name,
    plain,
    wished,
)
from worker.ingest.names import has_bad_character, shown
from worker.ingest.source import Columns

Value = int | str
"""What a label column holds in a row."""

UNLABELLED = -1
"""What Hugging Face stores in the rows of a split that is published without labels."""


# What pyarrow raises on hostile bytes (ArrowInvalid is a ValueError, ArrowIOError an OSError).
MALFORMED = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True, slots=True)
class ParquetColumns:
    """Which columns hold what, and the class names by label value where the schema declares them.

    `candidates` are the columns that could hold images, and those that could hold labels.
    """

    image: str
    label: str
    names: tuple[str, ...] | None
    true_label: str | None = None
    annotators: tuple[str, ...] = ()
    candidates: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def labels(self) -> tuple[str, ...]:
        """Every column of labels: the given ones, the true ones, then the annotators'."""
        return (self.label, *((self.true_label,) if self.true_label else ()), *self.annotators)

    def as_columns(self) -> Columns:
        """The same as every format tells it."""
        chosen = {"image": self.image, "label": self.label}
        if self.true_label:
            chosen["true_label"] = self.true_label
        if self.annotators:
            chosen["annotators"] = ", ".join(self.annotators)
        images, labels = map(list, self.candidates)
        return Columns(chosen, {"image": images, "label": labels, "true_label": labels})


def invalid(message: str, name: str | None = None) -> BadInput:
    """What a Parquet file that cannot be read gets."""
    return BadInput(
        "PARQUET_INVALID",
        message,
        hint="Write the file again, or repeat the upload.",
        item=None if name is None else shown(name),
    )


def columns_of(schema: pa.Schema, name: str, wish: Mapping[str, str] | None = None) -> ParquetColumns:
    """The columns of a schema; `wish` names those that the user knows better (see `source.Wish`).

    Raises BadInput PARQUET_INVALID (no images), LABEL_MISSING (no labels), COLUMN_UNKNOWN.
    """
    wish = wish or {}
    features = _features(schema, name)

    def declared(kind: str) -> list[str]:
        return [
            key for key, value in features.items() if isinstance(value, dict) and value.get("_type") == kind
        ]

    images = [field.name for field in schema if _holds_images(field.type)]
    image = wished(wish, "image", images, name) or _pick(images, IMAGE_NAMES, declared("Image"))
    if image is None:
        raise BadInput(
            "PARQUET_INVALID",
            "The Parquet file has no image column.",
            hint="Images are bytes, or a struct with a field “bytes”, in a column called image.",
            item=shown(name),
            found=shown(", ".join(schema.names)),
        )
    labels = [field.name for field in schema if field.name != image and _holds_labels(field.type)]
    class_labels = declared("ClassLabel")
    label = wished(wish, "label", labels, name) or _pick(
        [column for column in labels if column in class_labels or plain(column) in LABEL_NAMES],
        LABEL_NAMES,
        class_labels,
    )
    if label is None:
        raise BadInput(
            "LABEL_MISSING",
            "The Parquet file has no label column.",
            hint="Labels are whole numbers or words in a column called label.",
            item=shown(name),
            found=shown(", ".join(schema.names)),
        )
    names = features[label].get("names") if label in class_labels else None
    if names is not None:
        if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
            raise invalid("The class names in the schema are not a list of words.", name)
        if len(set(names)) != len(names):
            raise invalid("Two classes of the schema have the same name.", name)
    others = [column for column in labels if column != label]
    true_label = wished(wish, "true_label", others, name)
    if "true_label" not in wish:
        true_label = by_name(others, TRUE_LABEL_NAMES)
    annotators = annotators_of(wish, [column for column in others if column != true_label], name)
    return ParquetColumns(
        image,
        label,
        None if names is None else tuple(names),
        true_label,
        tuple(annotators),
        (tuple(images), tuple(labels)),
    )


def _features(schema: pa.Schema, name: str) -> dict[str, Any]:
    text = (schema.metadata or {}).get(b"huggingface")
    if text is None:
        return {}
    try:
        features = json.loads(text)["info"]["features"]
        return features if isinstance(features, dict) else {}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise invalid("The dataset's description in the schema cannot be read.", name) from error


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_bytes(kind.field(place).type)
    return _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_labels(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _pick(present: Sequence[str], usual: Iterable[str], declared: Sequence[str]) -> str | None:
    """The column to use: a declared one with a usual name, a declared one, a usual name, or the only one."""
    by_usual = [column for word in usual for column in present if plain(column) == word]
    for column in (
        *(c for c in by_usual if c in declared),
        *(c for c in declared if c in present),
        *by_usual,
    ):
        return column
    return present[0] if len(present) == 1 else None


def check_classes(
    values: Mapping[Value, str], seen: Counter[Value | None], limits: Limits, fewest: int
) -> None:
    if len(values) > limits.classes:
        raise BadInput(
            "LIMIT_EXCEEDED",
            "Too many classes; is this the label column?",
            limit=limits.classes,
            found=len(values),
        )
    for label in values.values():
        if len(label) > limits.label_characters or has_bad_character(label):
            raise BadInput(
                "BAD_NAME" if has_bad_character(label) else "LIMIT_EXCEEDED",
                "A class name is too long or holds control characters.",
                item=shown(label),
                limit=limits.label_characters,
                found=len(label),
            )
    used = [value for value in values if seen[value]]
    if seen and not used:
        missing = seen[None] + seen[UNLABELLED] == seen.total()
        raise BadInput(
            "LABEL_MISSING" if missing else "LABEL_UNKNOWN",
            "No row has a label." if missing else "No row has a label of the declared classes.",
            hint="Splits that are published without labels cannot be audited.",
        )
    if len(used) < fewest:
        raise BadInput(
            "TOO_FEW",
            "The labels name one class only; an audit compares classes.",
            limit=fewest,
            found=len(used),
        )
