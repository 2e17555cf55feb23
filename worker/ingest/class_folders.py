"""Datasets whose folders are the classes, `[split/]class/…/image`; knows names, not containers or pixels."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import PARQUET_SUFFIX, Members
from worker.ingest.names import PICKLE_SUFFIXES, natural_key, shown
from worker.ingest.source import SPLIT_NAMES, UNNAMED_SPLIT, Entry, Refusal, take_split

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


@dataclass(frozen=True, slots=True)
class _Image:
    name: str
    label: str
    split: str | None


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """Class folders in a zip or a folder.

    Order: splits one after the other (train first), within a split the classes interleaved in proportion to
    their sizes, within a class by name (img2 before img10). So the first N of a dataset hold its classes in
    about the proportions of the whole, and `limit` takes a prefix of the order that an unlimited import has.
    """

    members: Members
    images: Sequence[_Image]
    refusals: Sequence[Refusal]
    classes: list[str]
    splits: dict[str, int]
    taken: str
    ignored: int
    reason: str
    format: str = "class-folder"

    @property
    def total(self) -> int:
        return len(self.images)

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        yield from self.refusals
        with self.members.reading() as reader:
            for image in self.images[:limit]:
                yield Entry(image.name, image.label, image.split, reader.read(image.name))


def recognise(members: Members, split: str, limits: Limits) -> ClassFolders | None:
    """The members as class folders, or None when no image lies in a folder.

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
    has_splits = any(image.split is not None for image in found)
    counts = Counter(image.split or UNNAMED_SPLIT for image in found) if has_splits else Counter()
    taken = take_split(dict(counts), split)
    images = [image for image in found if taken == "all" or (image.split or UNNAMED_SPLIT) == taken]
    classes = sorted({image.label for image in images}, key=lambda label: (natural_key(label), label))
    _check_classes(classes, limits)
    return ClassFolders(
        members=members,
        images=list(_interleaved(images, classes)),
        refusals=refusals,
        classes=classes,
        splits=dict(counts),
        taken=taken,
        ignored=ignored,
        reason=f"{members.what} with {len(classes)} class folders{shape}",
    )


def _read_names(names: Sequence[str]) -> tuple[list[_Image], list[str], str]:
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
    found: list[_Image] = []
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
            found.append(_Image(name, unicodedata.normalize("NFC", rest[0]), split))
    shape = f" in {shown('/'.join(next(iter(paths.values()))[:skip]))}" if skip else ""
    if split_layout:
        shape += " below split folders"
    return found, unlabelled, shape


def _check_classes(classes: Sequence[str], limits: Limits) -> None:
    if len(classes) > limits.classes:
        raise BadInput("LIMIT_EXCEEDED", "Too many classes.", limit=limits.classes, found=len(classes))
    for label in classes:
        if len(label) > limits.label_characters:
            raise BadInput(
                "LIMIT_EXCEEDED",
                "A class name is too long.",
                item=shown(label),
                limit=limits.label_characters,
                found=len(label),
            )
    if len(classes) < 2:
        raise BadInput(
            "TOO_FEW",
            "The images lie in one class folder only; an audit compares classes.",
            hint="Give every class a folder of its own: cat/1.jpg, dog/2.jpg.",
            item=shown(classes[0]) if classes else None,
            limit=2,
            found=len(classes),
        )


def _interleaved(images: Sequence[_Image], classes: Sequence[str]) -> Iterator[_Image]:
    rank = {label: place for place, label in enumerate(classes)}
    by_group: dict[tuple[str | None, str], list[_Image]] = defaultdict(list)
    for image in images:
        by_group[image.split, image.label].append(image)
    split_order = {name: place for place, name in enumerate(("train", "val", "test"))}
    placed: list[tuple[int, float, int, _Image]] = []
    for (split, label), group in by_group.items():
        group.sort(key=lambda image: (natural_key(image.name), image.name))
        for place, image in enumerate(group):
            order = split_order.get(split or "", len(split_order))
            placed.append((order, (place + 0.5) / len(group), rank[label], image))
    placed.sort(key=lambda item: item[:3])
    return (image for *_, image in placed)
