"""A cleaned dataset on its way out: the columns of the samples that stay, and their images one after another.

Knows no form and no storage. Shape letters: M samples that stay, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from backend.audit.exporting import Format

Read = Callable[[int], bytes]
"""The image at a place 0…M−1, byte for byte as it is kept. Made to be called in rising order."""
ReadPixels = Callable[[int], NDArray[Any]]
"""The training pixels (H, W, C), uint8, at a place 0…M−1."""


@dataclass(frozen=True)
class Content:
    """What every form is written from. All columns have length M, in the order of the samples."""

    names: Sequence[str]
    """As imported; a person's words, never a path here."""
    index_M: NDArray[Any]
    label_M: NDArray[Any]
    """Cleaned labels, as class indices."""
    given_M: NDArray[Any]
    ending_M: Sequence[str]
    """How a file of this image is called: `.png`, `.jpg`, …."""
    bytes_M: NDArray[Any]
    width_M: NDArray[Any]
    height_M: NDArray[Any]
    split_M: Sequence[str] | None
    """train, val, test or other; None where the dataset has no splits."""
    classes: Sequence[str]
    read: Read
    pixels: ReadPixels
    pixel_shape: tuple[int, int, int]
    columns: Mapping[str, str]
    """What the columns of the table beside the images were called: image, label, split; empty where there was none."""
    table_format: Format
    """How that table was written."""

    def __len__(self) -> int:
        return len(self.index_M)


def one_image(content: Content, place: int) -> list[bytes]:
    """The image as the chunks of a file."""
    return [content.read(place)]


MAGIC = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG", ".png"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"RIFF", ".webp"),
)
MAGIC_BYTES = 4
"""So many first bytes tell which of the formats that imports accept an image is in."""
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def ending_of(name: str) -> str | None:
    """The image ending of a name, in lower case; None where it has none."""
    dot = name.rfind(".")
    ending = name[dot:].lower() if dot >= 0 else ""
    return ending if ending in ENDINGS else None


def ending_by_magic(first: bytes) -> str:
    """The ending that an image's first bytes call for."""
    return next((ending for magic, ending in MAGIC if first.startswith(magic)), ".bin")
