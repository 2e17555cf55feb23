"""Which column of a table is the image, the label, and what else we know; looks at names, never at files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from backend.audit.errors import BadInput
from worker.ingest.names import shown
from worker.ingest.source import Columns

# fmt: off
IMAGE_NAMES = (
    "image", "file_name", "filename", "image_path", "image_file", "filepath", "file_path", "path", "file", "img",
    "img_path", "jpg", "png", "webp", "picture", "image_id", "id", "name",
)
LABEL_NAMES = (
    "label", "labels", "given_label", "noisy_label", "class", "class_name", "category", "target", "fine_label", "cls",
    "y", "diagnosis", "species", "breed",
)
TRUE_LABEL_NAMES = ("true_label", "clean_label", "gold_label", "ground_truth", "gt_label", "gt")
SPLIT_COLUMN_NAMES = ("split", "set", "subset", "partition")
# fmt: on
_ANNOTATOR = re.compile(
    r"(annotator|rater|worker|coder|expert|reader|labell?er|grader|vote|label|random_label)[ _-]?([0-9]+|[a-z])"
    r"|(annotator|rater|labell?er|grader)[ _-].+|random_label[0-9]+"
)


def plain(column: str) -> str:
    """The name as it is compared: case, spaces and hyphens do not count."""
    return re.sub(r"[ \-]+", "_", column.strip().casefold())


def by_name(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    """The first column with a usual name, in the order of those names."""
    known = {plain(column): column for column in reversed(columns)}
    return next((known[name] for name in usual if name in known), None)


def annotators_of(wish: Mapping[str, str], could: Sequence[str], table: str) -> list[str]:
    """The columns that the user named, else those that several annotators filled by their names; one alone is none.

    Raises BadInput COLUMN_UNKNOWN for a named one that is not there.
    """
    if "annotators" in wish:
        parts = [part.strip() for part in wish["annotators"].split(",") if part.strip()]
        return [part for part in parts if wished({"annotators": part}, "annotators", could, table)]
    found = [column for column in could if _ANNOTATOR.fullmatch(plain(column))]
    return found if len(found) > 1 else []


def wished(wish: Mapping[str, str], word: str, could: Sequence[str], table: str) -> str | None:
    """The column that the user named for a word; None where none is named, or none is wanted.

    Raises BadInput COLUMN_UNKNOWN when the table has no such column.
    """
    name = wish.get(word)
    if not name:
        return None
    if name not in could:
        raise BadInput(
            "COLUMN_UNKNOWN",
            f"There is no column “{shown(name)}” that could hold this.",
            hint="Name one of its columns.",
            item=shown(table),
            limit=shown(", ".join(could)),
            found=shown(name),
        )
    return name


def label_untold(item: str | None, columns: Sequence[str]) -> BadInput:
    """What a table gets whose label column cannot be told."""
    return BadInput(
        "LABEL_MISSING",
        "The images are there, but which column holds the labels cannot be told.",
        hint="Call it label, or say which one it is (on the command line --column label=NAME).",
        item=None if item is None else shown(item),
        found=shown(", ".join(columns)),
    )


def guess(
    header: Sequence[str],
    wish: Mapping[str, str],
    table: str,
    *,
    images: Sequence[str],
    spare: Callable[[Sequence[str]], str | None] = lambda left: left[0] if len(left) == 1 else None,
) -> Columns:
    """What each column of a table is for.

    `images` are the columns that can be images, the likeliest first; `spare` picks the label among the columns that
    nothing else claims when none has a usual name. What the user wished stands before what is guessed.
    """
    chosen: dict[str, str] = {}

    def settle(word: str, guessed: str | None) -> None:
        found = wished(wish, word, header, table) if word in wish else guessed
        if found is not None:
            chosen[word] = found

    def left() -> list[str]:
        taken = set(chosen.values()) | set(annotators)
        return [column for column in header if column not in taken]

    annotators: list[str] = []
    settle("image", images[0] if images else None)
    if "label" in wish:
        settle("label", None)
    annotators = annotators_of(wish, left(), table)
    settle("true_label", by_name(left(), TRUE_LABEL_NAMES))
    settle("split", by_name(left(), SPLIT_COLUMN_NAMES))
    if "label" not in wish:
        label = by_name(left(), LABEL_NAMES)
        settle("label", label if label is not None or annotators else spare(left()))
    if annotators:
        chosen["annotators"] = ", ".join(annotators)
    others = [column for column in header if column != chosen.get("image")]
    return Columns(
        chosen=chosen,
        candidates={
            "image": list(images) or list(header),
            **dict.fromkeys(("label", "true_label", "split"), others),
        },
    )


def annotators_in(columns: Columns) -> list[str]:
    """The annotators' columns that were chosen."""
    return [part for part in columns.chosen.get("annotators", "").split(", ") if part]


def told(columns: Columns) -> str:
    """In words, for the import report: images in “file”, labels in “class”."""
    words = {"image": "images", "label": "labels", "true_label": "true labels", "split": "splits"}
    parts = [f"{what} in “{columns.chosen[word]}”" for word, what in words.items() if word in columns.chosen]
    annotators = annotators_in(columns)
    if annotators:
        parts.append(f"{len(annotators)} annotators (“{'”, “'.join(annotators)}”)")
    return ", ".join(parts)
