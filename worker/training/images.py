"""The training pixels as the loop asks for them, resident on the device or streamed from a file.

Knows arrays of pixels; must not know labels. Shapes: N images, B of a batch, M indexes one after another,
H × W pixels, C channels, uint8.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.training.augmentation import resized

RESIDENT_CPU = 8 << 30
"""Bytes of pixels that are copied into memory when computing on the CPU; larger sets are read batch by batch."""

STATISTICS_FROM = 4096
"""Images that the channel means are taken from."""

AHEAD = 3
"""Batches that a stream reads before they are asked for."""

RESIZED_AT_ONCE = 1 << 24
"""Pixels resized in one go."""


class Images:
    """Batches of uint8 images on a device, resized to `side` × `side` pixels unless that is 0."""

    def __init__(self, image_NHWC: NDArray[np.uint8], device: torch.device, side: int = 0) -> None:
        self.count = int(image_NHWC.shape[0])
        stored_height, stored_width, self.channels = (int(size) for size in image_NHWC.shape[1:])
        self.height, self.width = (side, side) if side else (stored_height, stored_width)
        self._resizes = (self.height, self.width) != (stored_height, stored_width)
        self._device = device
        self._source_NHWC = image_NHWC
        self._resident_NHWC: Tensor | None = None
        if self.count * self.height * self.width * self.channels <= _resident_limit(device):
            self._resident_NHWC = self._loaded()

    def _loaded(self) -> Tensor:
        if not self._resizes:
            # A copy: memory-mapped arrays are read-only, which tensors cannot be.
            return torch.from_numpy(np.array(self._source_NHWC)).to(self._device)
        shape = (self.count, self.height, self.width, self.channels)
        image_NHWC = torch.empty(shape, dtype=torch.uint8, device=self._device)
        pixels = max(self._source_NHWC[0, ..., 0].size, self.height * self.width)
        batch = max(1, RESIZED_AT_ONCE // pixels)
        for begin in range(0, self.count, batch):
            image_NHWC[begin : begin + batch] = self._on_device(self._source_NHWC[begin : begin + batch])
        return image_NHWC

    def _on_device(self, image_BHWC: NDArray[np.uint8]) -> Tensor:
        image = torch.from_numpy(np.array(image_BHWC)).to(self._device)
        return resized(image, self.height) if self._resizes else image

    def batches(self, index_M: NDArray[np.int64], begin_S: NDArray[np.int64]) -> Iterator[Tensor]:
        """For each step s the images index_M[begin_S[s] : begin_S[s + 1]] (B, H, W, C)."""
        spans = list(zip(begin_S[:-1].tolist(), begin_S[1:].tolist(), strict=True))
        if self._resident_NHWC is not None:
            place_M = torch.from_numpy(index_M).to(self._device, non_blocking=True)
            for begin, end in spans:
                yield self._resident_NHWC.index_select(0, place_M[begin:end])
            return
        # One thread reads ahead into page-locked memory, so that neither the disk nor the transfer is waited for.
        with ThreadPoolExecutor(1) as reader:
            waiting: list[Future[Tensor]] = []
            for begin, end in spans:
                waiting.append(reader.submit(self._read, index_M[begin:end]))
                if len(waiting) > AHEAD:
                    yield self._sent(waiting.pop(0).result())
            for each in waiting:
                yield self._sent(each.result())

    def _read(self, index_B: NDArray[np.int64]) -> Tensor:
        image_BHWC = torch.from_numpy(self._source_NHWC[index_B])
        return image_BHWC.pin_memory() if self._device.type == "cuda" else image_BHWC

    def _sent(self, image_BHWC: Tensor) -> Tensor:
        image_BHWC = image_BHWC.to(self._device, non_blocking=True)
        return resized(image_BHWC, self.height) if self._resizes else image_BHWC

    def span(self, begin: int, end: int) -> Tensor:
        """Images begin … end − 1 (B, H, W, C)."""
        if self._resident_NHWC is not None:
            return self._resident_NHWC[begin:end]
        return self._on_device(self._source_NHWC[begin:end])

    def statistics(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Those of `channel_statistics`."""
        return channel_statistics(self._source_NHWC)

    def have_colour(self) -> bool:
        """Whether the channels differ in any of some evenly spaced images."""
        if self.channels < 3:
            return False
        step = max(1, self.count // 256)
        sample_NHWC = np.asarray(self._source_NHWC[::step][:256])
        return bool((sample_NHWC != sample_NHWC[..., :1]).any())


def channel_statistics(image_NHWC: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each channel (C,), over evenly spaced images; never 0 to divide by."""
    step = max(1, len(image_NHWC) // STATISTICS_FROM)
    sample_PC = np.asarray(image_NHWC[::step][:STATISTICS_FROM], dtype=np.float32).reshape(
        -1, image_NHWC.shape[3]
    )
    mean_C = sample_PC.mean(axis=0, dtype=np.float64)
    deviation_C = np.maximum(sample_PC.std(axis=0, dtype=np.float64), 1.0)
    return mean_C.astype(np.float32), deviation_C.astype(np.float32)


def _resident_limit(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * 0.5)
    return RESIDENT_CPU
