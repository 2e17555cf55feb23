"""CIFAR's binary form: a byte of label and 3 072 bytes of pixels (red, green, blue planes) per sample.

The pixels are the decoded ones: this form holds no image files. Shapes: H = W = 32, C = 3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.audit.forms.archive import Member, whole
from backend.audit.forms.content import Content
from backend.audit.forms.shards import places_by_split

SIDE, CHANNELS = 32, 3
RECORD_BYTES = 1 + CHANNELS * SIDE * SIDE
BATCH = 10_000
"""Records per file, as in the original."""
FOLDER = "cifar-batches-bin"


def refusal(content: Content) -> str | None:
    """Why the dataset cannot take this form; None when it can."""
    if content.pixel_shape[:2] != (SIDE, SIDE) or not (
        np.all(content.width_M == SIDE) and np.all(content.height_M == SIDE)
    ):
        return f"only images of {SIDE} × {SIDE} pixels fit"
    if len(content.classes) > 256:
        return "no more than 256 classes fit"
    if any("\n" in name or "\r" in name for name in content.classes):
        return "no class name with line breaks or outer spaces fits"
    return None


def members(content: Content) -> Iterator[Member]:
    """`data_batch_N.bin` (test samples in `test_batch.bin`), and the class names, one a line."""
    yield whole(f"{FOLDER}/batches.meta.txt", "".join(f"{name}\n" for name in content.classes).encode())
    by_split = places_by_split(content)
    test = by_split.pop("test", [])
    train = [place for places in by_split.values() for place in places]
    for number, begin in enumerate(range(0, len(train), BATCH), start=1):
        yield _batch(content, f"data_batch_{number}.bin", train[begin : begin + BATCH])
    if test:
        yield _batch(content, "test_batch.bin", test)


def _batch(content: Content, name: str, places: list[int]) -> Member:
    return Member(
        f"{FOLDER}/{name}", RECORD_BYTES * len(places), lambda: (_record(content, place) for place in places)
    )


def _record(content: Content, place: int) -> bytes:
    image_HWC = np.broadcast_to(content.pixels(place), (SIDE, SIDE, CHANNELS))
    return bytes([int(content.label_M[place])]) + image_HWC.transpose(2, 0, 1).tobytes()
