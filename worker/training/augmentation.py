"""Shifts, flips and sizes of a whole batch of images at once, on whatever device it lies; draws nothing itself.

Shapes: B images of H × W pixels and C channels, stored as uint8 with the channels last.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augmented(image_BHWC: Tensor, pad: int, shift_B2: Tensor, mirrored_B: Tensor) -> Tensor:
    """Each image padded with `pad` black pixels, cropped back from `shift_B2` on, mirrored where `mirrored_B` is 1.

    `shift_B2` holds the crop's first row and column, 0 … 2 · pad.
    """
    batch, height, width, channels = image_BHWC.shape
    device = image_BHWC.device
    column_BW = torch.arange(width, device=device).expand(batch, width)
    column_BW = torch.where(mirrored_B[:, None] > 0, width - 1 - column_BW, column_BW) + shift_B2[:, 1:]
    row_BH = torch.arange(height, device=device) + shift_B2[:, :1]
    if pad:
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


def resized(image_BHWC: Tensor, side: int) -> Tensor:
    """The images stretched to side × side pixels, bilinear and antialiased, rounded to uint8 again."""
    image_BCHW = image_BHWC.permute(0, 3, 1, 2).float()
    image_BCHW = F.interpolate(image_BCHW, (side, side), mode="bilinear", antialias=True)
    return image_BCHW.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
