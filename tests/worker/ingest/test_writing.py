"""An import onto a dataset leaves the same files as if everything had come together."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.settings import Limits
from worker.ingest.importing import import_images
from worker.ingest.packing import PACK_FILES, PIXELS_FILE
from worker.ingest.source import Columns, Entry, Refusal
from worker.ingest.writing import Imported, Onto

GREY, COLOUR = ("L", (20, 12)), ("RGB", (20, 12))
LARGE, LARGER = ("RGB", (90, 70)), ("L", (64, 80))
FULL = ("RGB", (64, 64))


@dataclass
class Pictures:
    """A source of these images, two classes in turn."""

    images: list[bytes]
    format: str = "pictures"
    reason: str = "a test"
    splits: dict[str, int] = field(default_factory=dict)
    taken: str = "all"
    classes: list[str] = field(default_factory=lambda: ["a", "b"])
    ignored: int = 0
    columns: Columns | None = None
    annotators: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.images)

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        for place, data in enumerate(self.images[:limit]):
            yield Entry(f"{place}.png", "ab"[place % 2], None, data)


def drawn(kinds: list[tuple[str, tuple[int, int]]], seed: int) -> list[bytes]:
    """An image of noise of each (mode, size)."""
    rng = np.random.default_rng(seed)
    images = []
    for mode, (width, height) in kinds:
        out = io.BytesIO()
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).save(out, "PNG")
        images.append(out.getvalue())
    return images


def onto(folder: Path, before: Imported, *, keep: bool = False) -> Onto:
    """What is needed to go on with what was imported into the folder."""
    pixels = (folder / PIXELS_FILE).rename(folder.with_suffix(".npy"))
    image_NHWC = np.load(pixels, mmap_mode="r")
    height, width = image_NHWC.shape[1:3]
    return Onto(
        image_NHWC,
        (before.width_N == width) & (before.height_N == height),
        {digest: (index, "a") for index, digest in enumerate(before.content_hash)},
        keep,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([GREY, GREY], [GREY]),
        ([GREY, GREY], [COLOUR, GREY]),
        ([COLOUR, COLOUR], [LARGE]),
        ([LARGE, GREY], [COLOUR, LARGER]),
        ([FULL, FULL], [FULL, GREY]),
        ([LARGE, LARGER], [FULL]),
    ],
)
def test_files_are_those_of_one_import_of_everything(
    old: list[tuple[str, tuple[int, int]]], new: list[tuple[str, tuple[int, int]]], tmp_path: Path
) -> None:
    first, second = drawn([*old, old[0]], 1), drawn(new, 2)
    one, other = tmp_path / "one", tmp_path / "other"
    together = import_images(Pictures(first + second), one, limits=Limits())
    before = import_images(Pictures(first), other, limits=Limits())

    added = import_images(Pictures(second), other, limits=Limits(), onto=onto(other, before))

    assert added.image_shape == together.image_shape
    assert before.content_hash + added.content_hash == together.content_hash
    for file in (*PACK_FILES, PIXELS_FILE):
        assert (other / file).read_bytes() == (one / file).read_bytes(), file
    assert not list(other.glob("*.spool"))


def _break_off(done: int, total: int) -> None:
    raise RuntimeError("broken off")


def test_a_broken_off_import_leaves_nothing_of_the_copy(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    before = import_images(Pictures(drawn([GREY] * 3, 1)), folder, limits=Limits())
    shutil.copytree(folder, tmp_path / "kept")
    with pytest.raises(RuntimeError, match="broken off"):
        import_images(
            Pictures(drawn([GREY], 3)),
            folder,
            limits=Limits(),
            onto=onto(folder, before),
            progress=_break_off,
        )
    assert list(folder.iterdir()) == []
