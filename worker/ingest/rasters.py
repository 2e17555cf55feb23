"""Images that lie in arrays: records of one size in a file, given out as PNG; knows no format's headers.

Shape letters: H height, W width, C channels.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.listed import Pictures, Row
from worker.ingest.members import Members, Reader
from worker.ingest.names import shown


@dataclass(frozen=True, slots=True)
class Records:
    """Where the images of one member lie: `start` bytes in, `step` bytes from one to the next, `shape` of one.

    `planes` says that the channels come first (C, H, W); `shape` is as stored. `levels` maps what is stored to
    0…255 where that is not uint8 already.
    """

    start: int
    step: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    planes: bool = False
    levels: Callable[[NDArray[Any]], NDArray[np.uint8]] | None = None

    @property
    def bytes(self) -> int:
        """Of one image."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


class RecordPictures:
    """Reads the images of several members of records, each opened once."""

    def __init__(
        self,
        members: Members,
        records: Mapping[str, Records],
        opener: Callable[[Reader, str], BinaryIO] = lambda reader, name: reader.open(name),
    ) -> None:
        self._members, self._records, self._opener = members, records, opener
        self._files: dict[str, BinaryIO] = {}

    @contextmanager
    def opened(self) -> Iterator[Pictures]:
        """Opens members as they are asked for, and closes them when the block ends."""
        with self._members.reading() as reader, ExitStack() as stack:
            self._files, self._reader, self._stack = {}, reader, stack
            yield self

    def record(self, row: Row) -> bytes:
        records = self._records[row.file]
        file = self._files.get(row.file)
        if file is None:
            file = self._files[row.file] = self._stack.enter_context(self._opener(self._reader, row.file))
        file.seek(records.start + row.place * records.step)
        data = file.read(records.bytes)
        if len(data) != records.bytes:
            raise BadInput("SIZE_MISMATCH", "A file is shorter than it says.", item=shown(row.file))
        return data

    def image(self, row: Row) -> bytes:
        records = self._records[row.file]
        stored = np.frombuffer(self.record(row), records.dtype).reshape(records.shape)
        return png(upright(records.levels(stored) if records.levels else stored, planes=records.planes))

    def trait(self, row: Row) -> Hashable:
        return None


def check_raster(shape: tuple[int, ...], item: str, limits: Limits, *, planes: bool = False) -> None:
    """Raises BadInput IMAGE_FORMAT or IMAGE_TOO_LARGE for a shape, (H, W), (H, W, C) or (C, H, W), that is no image's."""
    channels = 1 if len(shape) == 2 else shape[0 if planes else -1]
    sides = shape[1:] if planes and len(shape) == 3 else shape[:2]
    if len(shape) not in (2, 3) or channels not in (1, 3, 4) or min(sides) < 1:
        raise BadInput(
            "IMAGE_FORMAT",
            "The arrays do not have the shape of images.",
            item=shown(item),
            limit="height × width, of 1, 3 or 4 channels",
            found=" × ".join(map(str, shape)),
        )
    if sides[0] * sides[1] > limits.image_pixels:
        raise BadInput(
            "IMAGE_TOO_LARGE",
            "The images have too many pixels.",
            item=shown(item),
            limit=limits.image_pixels,
            found=sides[0] * sides[1],
        )


def upright(image: NDArray[np.uint8], *, planes: bool) -> NDArray[np.uint8]:
    """An image of (H, W), (H, W, C) or, with `planes`, (C, H, W) as (H, W) or (H, W, C)."""
    if image.ndim == 3 and planes:
        image = image.transpose(1, 2, 0)
    return image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image


def png(image: NDArray[np.uint8]) -> bytes:
    """The image, (H, W) grey or (H, W, 3 or 4), as a PNG, lossless and cheap to write."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(out, "PNG", compress_level=1)
    return out.getvalue()
