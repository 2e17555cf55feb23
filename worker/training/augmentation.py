"""Random shifts and flips of a whole batch at once, on whatever device it lies; every draw from a given generator.

Shapes: B images of H × W pixels and C channels, stored as uint8 with the channels last.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augmented(image_BHWC: Tensor, pad: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Each image padded with `pad` black pixels, cropped back at a random place, mirrored every second time."""
    batch, height, width, channels = image_BHWC.shape
    device = image_BHWC.device
    if pad == 0 and not flip:
        return image_BHWC
    column_BW = torch.arange(width, device=device).expand(batch, width)
    row_BH = torch.arange(height, device=device).expand(batch, height)
    if flip:
        mirrored_B1 = torch.randint(0, 2, (batch, 1), generator=generator, device=device).bool()
        column_BW = torch.where(mirrored_B1, width - 1 - column_BW, column_BW)
    if pad:
        shift_B2 = torch.randint(0, 2 * pad + 1, (batch, 2), generator=generator, device=device)
        row_BH = row_BH + shift_B2[:, :1]
        column_BW = column_BW + shift_B2[:, 1:]
        image_BHWC = F.pad(image_BHWC, (0, 0, pad, pad, pad, pad))
    # One gather of whole pixels; its result has the channels last, which is the layout convolutions like.
    padded_height, padded_width = image_BHWC.shape[1:3]
    start_B11 = torch.arange(batch, device=device)[:, None, None] * padded_height
    place_BHW = (start_B11 + row_BH[:, :, None]) * padded_width + column_BW[:, None, :]
    pixel_PC = image_BHWC.reshape(-1, channels).index_select(0, place_BHW.reshape(-1))
    return pixel_PC.view(batch, height, width, channels)


def normalised(image_BHWC: Tensor, mean_C: Tensor, deviation_C: Tensor) -> Tensor:
    """Standardised float image_BCHW (channels last in memory) from uint8 image_BHWC."""
    return ((image_BHWC.float() - mean_C) / deviation_C).permute(0, 3, 1, 2)
