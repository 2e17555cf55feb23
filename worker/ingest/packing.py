"""Files that grow sample by sample: packs of blobs with their offsets, and the array of training pixels.

Knows bytes and shapes only. Shape letters: N samples, H height, W width, C channels.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.ingest.decoder import PIXEL_SIDE, fit

PACK_FILES = ("images.pack", "images.offsets.npy", "thumbs.pack", "thumbs.offsets.npy")
PIXELS_FILE = "pixels.npy"


class PackWriter:
    """`STEM.pack` holds blobs end to end, `STEM.offsets.npy` int64 (N+1,): blob i is offsets[i]:offsets[i+1].

    With `onto` it goes on with the pack that lies there.
    """

    def __init__(self, folder: Path, stem: str, *, onto: bool = False) -> None:
        self.blob_path = folder / f"{stem}.pack"
        self.offsets_path = folder / f"{stem}.offsets.npy"
        self._offsets = array("q", [0])
        if onto:
            self._offsets = array("q", np.load(self.offsets_path, allow_pickle=False).tobytes())
        self._file = self.blob_path.open("ab" if onto else "wb")

    def append(self, blob: bytes) -> None:
        """Adds the next sample's bytes."""
        self._file.write(blob)
        self._offsets.append(self._offsets[-1] + len(blob))

    def close(self) -> None:
        """Finishes the blob and writes the offsets."""
        self._file.close()
        np.save(self.offsets_path, np.frombuffer(self._offsets, dtype=np.int64))

    def discard(self) -> None:
        """Removes what was written."""
        self._file.close()
        self.blob_path.unlink(missing_ok=True)
        self.offsets_path.unlink(missing_ok=True)


class PixelWriter:
    """Training pixels, spooled to disk as they come and shaped at the end, when all sizes are known.

    Images that all share one size of at most `PIXEL_SIDE` keep it; others become squares of that side.
    One channel when every image is grey, else three.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / PIXELS_FILE
        self._spool_path = folder / "pixels.spool"
        self._file = self._spool_path.open("wb")
        self._shapes = array("B")
        self._sizes: set[tuple[int, int]] = set()

    def append(self, shape: tuple[int, int, int], pixels: bytes, *, native: bool) -> None:
        """Adds an image (H, W, C); `native` says that it has the image's own size."""
        self._file.write(pixels)
        self._shapes.extend(shape)
        self._sizes.add(shape[:2] if native else (0, 0))

    def take_over(self, image_NHWC: NDArray[np.uint8], native_N: NDArray[np.bool_]) -> None:
        """Adds images that such a file held already; so all of them come out as if they had come together."""
        shape = image_NHWC.shape[1:]
        for image_HWC, native in zip(image_NHWC, native_N.tolist(), strict=True):
            self.append(shape, image_HWC.tobytes(), native=native)

    def close(self) -> tuple[int, int, int]:
        """Writes `pixels.npy`, uint8 (N, H, W, C), and returns (H, W, C)."""
        self._file.close()
        shape_N3 = np.frombuffer(self._shapes, dtype=np.uint8).reshape(-1, 3)
        channels = int(shape_N3[:, 2].max())
        keep = len(self._sizes) == 1 and (0, 0) not in self._sizes
        height, width = next(iter(self._sizes)) if keep else (PIXEL_SIDE, PIXEL_SIDE)
        image_NHWC = np.lib.format.open_memmap(
            self.path, mode="w+", dtype=np.uint8, shape=(len(shape_N3), height, width, channels)
        )
        for index, image_HWC in enumerate(self._spooled(shape_N3)):
            if image_HWC.shape[:2] != (height, width):
                plain = image_HWC[:, :, 0] if image_HWC.shape[2] == 1 else image_HWC
                image_HWC = np.asarray(fit(Image.fromarray(plain))).reshape(height, width, -1)
            image_NHWC[index] = image_HWC  # one grey channel is repeated
        image_NHWC.flush()
        del image_NHWC
        self._spool_path.unlink()
        return height, width, channels

    def _spooled(self, shape_N3: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        with self._spool_path.open("rb") as file:
            for height, width, channels in shape_N3.tolist():
                raw = file.read(height * width * channels)
                yield np.frombuffer(raw, dtype=np.uint8).reshape(height, width, channels)

    def discard(self) -> None:
        """Removes what was written."""
        self._file.close()
        self._spool_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
