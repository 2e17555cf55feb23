"""The training pixels as the loop asks for them, resident on the device or streamed from a file.

Knows arrays of pixels; must not know labels. Shapes: N images, B of a batch, H × W pixels, C channels, uint8.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RESIDENT_CPU = 8 << 30
"""Bytes of pixels that are copied into memory when computing on the CPU; larger sets are read batch by batch."""

STATISTICS_FROM = 4096
"""Images that the channel means are taken from."""


class Images:
    """Batches of uint8 images on a device."""

    def __init__(self, image_NHWC: NDArray[np.uint8], device: torch.device) -> None:
        self.count = int(image_NHWC.shape[0])
        self.height, self.width, self.channels = (int(size) for size in image_NHWC.shape[1:])
        self._device = device
        self._source_NHWC = image_NHWC
        self._resident_NHWC: Tensor | None = None
        if image_NHWC.nbytes <= _resident_limit(device):
            # A copy: memory-mapped arrays are read-only, which tensors cannot be.
            self._resident_NHWC = torch.from_numpy(np.array(image_NHWC)).to(device)

    def batch(self, index_B: NDArray[np.int64]) -> Tensor:
        """The images with these indexes (B, H, W, C)."""
        if self._resident_NHWC is not None:
            return self._resident_NHWC[torch.from_numpy(index_B).to(self._device)]
        return torch.from_numpy(self._source_NHWC[index_B]).to(self._device, non_blocking=True)

    def span(self, begin: int, end: int) -> Tensor:
        """Images begin … end − 1 (B, H, W, C)."""
        if self._resident_NHWC is not None:
            return self._resident_NHWC[begin:end]
        return torch.from_numpy(np.array(self._source_NHWC[begin:end])).to(self._device, non_blocking=True)

    def statistics(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation of each channel (C,), over evenly spaced images; never 0 to divide by."""
        step = max(1, self.count // STATISTICS_FROM)
        sample_PC = np.asarray(self._source_NHWC[::step][:STATISTICS_FROM], dtype=np.float32).reshape(
            -1, self.channels
        )
        mean_C = sample_PC.mean(axis=0, dtype=np.float64)
        deviation_C = np.maximum(sample_PC.std(axis=0, dtype=np.float64), 1.0)
        return mean_C.astype(np.float32), deviation_C.astype(np.float32)

    def have_colour(self) -> bool:
        """Whether the channels differ in any of some evenly spaced images."""
        if self.channels < 3:
            return False
        step = max(1, self.count // 256)
        sample_NHWC = np.asarray(self._source_NHWC[::step][:256])
        return bool((sample_NHWC != sample_NHWC[..., :1]).any())


def _resident_limit(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * 0.5)
    return RESIDENT_CPU
