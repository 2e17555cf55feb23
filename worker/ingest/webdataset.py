"""WebDataset: in tar shards, files with one name are one sample: 0001.jpg its image, 0001.cls or .json its label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import strict_json
from worker.ingest.class_names import names_beside
from worker.ingest.columns import annotators_in, guess, label_untold, told
from worker.ingest.listed import (
    Listed,
    Open,
    Pictures,
    Row,
    check_classes,
    classes_of,
    file_pictures,
    named,
    take,
    unknown_label,
)
from worker.ingest.members import Members, Reader, check_member_sizes
from worker.ingest.names import natural_key, shown
from worker.ingest.source import Columns, Refusal, Wish, split_in
from worker.ingest.tar_archive import TarArchive

_IMAGES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "ppm", "img")
_LABEL_BYTES = 1 << 20
"""A label file is read whole."""
_ENOUGH = 0.5
"""Share of the images that must have a label file beside them."""

Sample = dict[str, str]
"""Member names by the part behind the first dot: jpg, cls, json, …"""


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as tar shards, or as the content of one; None when neither.

    Raises BadInput for a damaged shard, JSON_INVALID, TOO_FEW, SPLIT_MISSING, LIMIT_EXCEEDED.
    """
    shards = sorted((name for name in members.sizes if name.casefold().endswith(".tar")), key=natural_key)
    if shards:
        return _of_shards(members, shards, wish, limits)
    samples = _grouped(members)
    if not _are_samples(samples):
        return None
    with members.reading() as reader:
        names = names_beside(members, reader)
        found = _Labels(names, wish)
        for sample in samples.values():
            found.add(members, reader, sample, None, "")
    rows = found.rows()
    return _listed(
        members,
        found,
        rows,
        wish,
        limits,
        f"{members.what} of WebDataset samples",
        file_pictures(members, rows, limits),
    )


def _of_shards(members: Members, shards: list[str], wish: Wish, limits: Limits) -> Listed | None:
    with members.reading() as reader:
        found = _Labels(names_beside(members, reader), wish)
        expanded = count = 0
        for shard in shards:
            with reader.open(shard) as file:
                inner = TarArchive(file, limits, what=f"the shard {shown(shard)}")
                samples = _grouped(inner)
                if not _are_samples(samples):
                    return None
                expanded += sum(inner.sizes.values())
                count += len(samples)
                if expanded > limits.expanded_bytes or count > limits.members:
                    raise BadInput("LIMIT_EXCEEDED", "The shards hold too much together.", item=shown(shard),
                                   limit=limits.expanded_bytes, found=expanded)  # fmt: skip
                before = f"{shard.rsplit('.', 1)[0]}/" if len(shards) > 1 else ""
                for sample in samples.values():
                    found.add(inner, inner, sample, shard, before)
                check_member_sizes(
                    inner, (one[_image(one)] for one in samples.values() if _image(one)), limits.member_bytes
                )
    rows = found.rows()
    what = f"{members.what} of {len(shards)} WebDataset shards"
    return _listed(
        members, found, rows, wish, limits, what, _ShardPictures(members).opened, frozenset(shards)
    )


def _listed(
    members: Members,
    found: _Labels,
    rows: list[Row],
    wish: Wish,
    limits: Limits,
    what: str,
    open: Open,
    shards: frozenset[str] = frozenset(),
) -> Listed:
    rows, splits, taken = take(rows, wish.split, has_splits=any(row.split for row in rows))
    classes = found.names or classes_of(rows)
    check_classes(
        classes,
        rows,
        limits,
        "Each image needs a .cls or .json with its label beside it.",
        wish.fewest_classes,
    )
    where = told(found.columns) if found.columns else "labels in .cls"
    return Listed(
        format="webdataset",
        reason=f"{what}, {where}",
        rows=rows,
        classes=classes,
        open=open,
        splits=splits,
        taken=taken,
        refusals=found.refusals,
        ignored=members.ignored + (len(members.sizes) - len(shards) if shards else 0),
        columns=found.columns,
        annotators=annotators_in(found.columns) if found.columns else [],
        opens=shards,
    )


def _grouped(members: Members) -> dict[str, Sample]:
    """The members by their path up to the first dot of the name, in the order of the container."""
    found: dict[str, Sample] = defaultdict(dict)
    for name in members.sizes:
        folder, slash, base = name.rpartition("/")
        key, dot, rest = base.partition(".")
        if dot and key:
            found[folder + slash + key][rest.casefold()] = name
    return {key: sample for key, sample in found.items() if _image(sample) or "cls" in sample}


def _are_samples(samples: Mapping[str, Sample]) -> bool:
    images = [sample for sample in samples.values() if _image(sample)]
    labelled = sum("cls" in sample or "json" in sample for sample in images)
    return bool(images) and labelled >= _ENOUGH * len(images)


def _image(sample: Sample) -> str:
    """Under which ending the sample's image lies; empty when it has none."""
    return next((ending for ending in _IMAGES if ending in sample), "")


class _Labels:
    """Collects rows while shards are open; columns are told by the first label that is JSON."""

    def __init__(self, names: list[str] | None, wish: Wish) -> None:
        self.names, self._wish = names, wish
        self.columns: Columns | None = None
        self.refusals: list[Refusal] = []
        self._found: list[Row] = []

    def add(self, members: Members, reader: Reader, sample: Sample, shard: str | None, before: str) -> None:
        """One sample; `members` hold it, in `shard` where there are several layers."""
        ending = _image(sample)
        if not ending:
            self.refusals.append(
                Refusal(shown(before + sample["cls"]), "IMAGE_MISSING", "There is no image to this label.")
            )
            return
        image = sample[ending]
        file, place, size = image, 0, 0
        if shard is not None and isinstance(members, TarArchive):
            file, (place, size) = shard, members.place(image)
        label, true_label, annotations = self._labels(members, reader, sample)
        name = before + image
        if label is None:
            self.refusals.append(Refusal(shown(name), "LABEL_MISSING", "There is no label to this image."))
            return
        self._found.append(
            Row(name, label, split_in(shard) if shard else None, file, place, size, true_label, annotations)
        )

    def rows(self) -> list[Row]:
        """All rows, labels by name where a list of classes lies beside the shards and all labels are its numbers."""
        if self.names is None or not all(row.label.isdigit() for row in self._found):
            self.names = None
            return self._found
        rows = []
        for row in self._found:
            label = named(int(row.label), self.names) if len(row.label) < 10 else None
            if label is None:
                self.refusals.append(unknown_label(row.name, row.label))
            else:
                rows.append(Row(row.name, label, row.split, row.file, row.place, row.size))
        return rows

    def _labels(
        self, members: Members, reader: Reader, sample: Sample
    ) -> tuple[str | None, str | None, tuple[str | None, ...]]:
        if "cls" in sample:
            check_member_sizes(members, [sample["cls"]], _LABEL_BYTES)
            return reader.read(sample["cls"]).decode("utf-8", errors="replace").strip() or None, None, ()
        if "json" not in sample:
            return None, None, ()
        check_member_sizes(members, [sample["json"]], _LABEL_BYTES)
        said = strict_json.loads(reader.read(sample["json"]), sample["json"])
        if not isinstance(said, dict):
            return None, None, ()
        if self.columns is None:
            header = [key for key, value in said.items() if _text(value) is not None]
            self.columns = guess(header, self._wish.columns, sample["json"], images=[])
            if "label" not in self.columns.chosen:
                raise label_untold(sample["json"], list(said))
        chosen = self.columns.chosen
        annotations = tuple(_text(said.get(one)) for one in annotators_in(self.columns))
        return _text(said.get(chosen["label"])), _text(said.get(chosen.get("true_label", ""))), annotations


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


class _ShardPictures:
    """Reads images out of shards that stay open until the block ends."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._shard = ""
        self._file: BinaryIO | None = None

    @contextmanager
    def opened(self) -> Iterator[Pictures]:
        """Opens a shard when a row of it is read, one at a time."""
        with self._members.reading() as reader, ExitStack() as stack:
            self._reader, self._stack = reader, stack
            self._shard, self._file = "", None
            yield self

    def image(self, row: Row) -> bytes:
        file = self._opened_shard(row.file)
        file.seek(row.place)
        data = file.read(row.size)
        if len(data) != row.size:
            raise BadInput("SIZE_MISMATCH", "A shard is shorter than it says.", item=shown(row.file))
        return data

    def record(self, row: Row) -> bytes:
        return self.image(row)

    def trait(self, row: Row) -> Hashable:
        return row.size

    def _opened_shard(self, name: str) -> BinaryIO:
        if self._file is None or self._shard != name:
            self._stack.close()
            self._shard, self._file = name, self._stack.enter_context(self._reader.open(name))
        return self._file
