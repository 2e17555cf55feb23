"""Datasets whose folders are the classes, `[split/]class/…/image`; knows names, not containers or pixels."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from backend.settings import Limits
from worker.ingest.listed import SPLIT_ORDER, Listed, Row, check_classes, classes_of, file_pictures, take
from worker.ingest.members import PARQUET_SUFFIX, Members
from worker.ingest.names import PICKLE_SUFFIXES, natural_key, shown
from worker.ingest.source import SPLIT_NAMES, Refusal, Wish

# fmt: off
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    ".svg", ".heic", ".heif", ".avif", ".jp2", ".eps", ".psd", ".fits", ".ico",
)
"""What people mean as an image, readable here or not: a file that is not gets a row in the report."""

_SIDE_SUFFIXES = (
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".md", ".rst", ".yaml", ".yml", ".html", ".htm",
    ".css", ".js", ".pdf", ".db", ".ini", ".log", ".py", ".ipynb", PARQUET_SUFFIX,
)
"""Notes that lie beside images; they are counted as ignored."""
# fmt: on


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as class folders, or None when no image lies in a folder.

    Order: splits one after the other (train first), within a split the classes interleaved in proportion to
    their sizes, within a class by name (img2 before img10). So the first N of a dataset hold its classes in
    about the proportions of the whole, and a limit takes a prefix of the order that an unlimited import has.
    Raises BadInput TOO_FEW (one class only), LIMIT_EXCEEDED (classes), SPLIT_MISSING.
    """
    candidates, refusals, ignored = [], [], members.ignored
    for name in members.sizes:
        folded = name.casefold()
        if folded.endswith(PICKLE_SUFFIXES):
            refusals.append(Refusal(shown(name), "PICKLE_REFUSED", "Pickled files are never opened."))
        elif folded.endswith(IMAGE_SUFFIXES) or ("/" in name and not folded.endswith(_SIDE_SUFFIXES)):
            candidates.append(name)
        else:
            ignored += 1
    if not any("/" in name for name in candidates):
        return None
    found, unlabelled, shape = _read_names(candidates)
    refusals += [
        Refusal(shown(name), "LABEL_MISSING", "The image lies in no class folder.") for name in unlabelled
    ]
    rows, splits, taken = take(found, wish.split, has_splits=any(row.split is not None for row in found))
    classes = classes_of(rows)
    check_classes(
        classes,
        rows,
        limits,
        "Give every class a folder of its own: cat/1.jpg, dog/2.jpg.",
        wish.fewest_classes,
    )
    return Listed(
        format="class-folder",
        reason=f"{members.what} with {len(classes)} class folders{shape}",
        rows=list(_interleaved(rows, classes)),
        classes=classes,
        open=file_pictures(members, rows, limits),
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=ignored,
    )


def _read_names(names: Sequence[str]) -> tuple[list[Row], list[str], str]:
    """Labels and splits by folder: a folder around everything is skipped, then a split's name, then the class."""
    paths = {name: name.split("/") for name in names}
    skip = 0
    while len({parts[skip] for parts in paths.values()}) == 1:
        around = next(iter(paths.values()))[skip]
        deepest = max(len(parts) for parts in paths.values()) - skip
        if deepest < 3 or any(len(parts) - skip < 2 for parts in paths.values()):
            break
        if around.casefold() in SPLIT_NAMES:
            break
        skip += 1
    tops = {parts[skip].casefold() for parts in paths.values() if len(parts) - skip >= 2}
    split_layout = tops <= SPLIT_NAMES.keys() and any(len(parts) - skip >= 3 for parts in paths.values())
    found: list[Row] = []
    unlabelled: list[str] = []
    for name, parts in paths.items():
        rest = parts[skip:]
        split = None
        if split_layout and len(rest) >= 2:
            split = SPLIT_NAMES[rest[0].casefold()]
            rest = rest[1:]
        if len(rest) < 2:
            unlabelled.append(name)
        else:
            found.append(Row(name, unicodedata.normalize("NFC", rest[0]), split, name))
    shape = f" in {shown('/'.join(next(iter(paths.values()))[:skip]))}" if skip else ""
    if split_layout:
        shape += " below split folders"
    return found, unlabelled, shape


def _interleaved(images: Sequence[Row], classes: Sequence[str]) -> Iterator[Row]:
    rank = {label: place for place, label in enumerate(classes)}
    by_group: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for image in images:
        by_group[image.split, image.label].append(image)
    split_order = {name: place for place, name in enumerate(SPLIT_ORDER)}
    placed: list[tuple[int, float, int, Row]] = []
    for (split, label), group in by_group.items():
        group.sort(key=lambda image: (natural_key(image.name), image.name))
        for place, image in enumerate(group):
            order = split_order.get(split or "", len(split_order))
            placed.append((order, (place + 0.5) / len(group), rank[label], image))
    placed.sort(key=lambda item: item[:3])
    return (image for *_, image in placed)
