"""One pass over many images in evaluation mode, without augmentation, in batches as large as fit.

Knows a network and images; must not know objectives or recipes.
Shapes: N images, B of a batch, C classes, F features.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from worker.training.augmentation import normalised
from worker.training.device import Device
from worker.training.images import Images
from worker.training.parallel import Group

PIXELS_ON_CPU, IMAGES_ON_CPU = 1 << 20, 1024
"""No gradients are kept, so batches may be larger than in training; bounded by pixels, so that large images fit too."""
PIXELS_ON_DEVICE = 1 << 23

Keep = Callable[[int, int, Tensor, Tensor], None]
"""Takes (begin, end, feature_BF, logit_BC) of images begin … end − 1."""


def batch_for(images: Images, device: Device, shrunk: int = 1) -> int:
    """Images per batch; `shrunk` divides it after memory ran out."""
    pixels = images.height * images.width
    if device.device.type == "cpu":
        largest = min(IMAGES_ON_CPU, PIXELS_ON_CPU // pixels)
    else:
        largest = PIXELS_ON_DEVICE // pixels
    return max(1, max(16, largest) // shrunk)


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: Images,
    statistics: tuple[Tensor, Tensor],
    device: Device,
    group: Group,
    batch: int,
    layout: torch.memory_format,
    keep: Keep,
    poll: Callable[[], None],
    mirrored: bool = False,
) -> None:
    """Hands features and logits of this process's part of the images to `keep`, batch by batch; with `mirrored` the
    means over each image and its mirror image."""
    network.eval()
    first, last = group.part(0, images.count)
    for begin in range(first, last, batch):
        poll()
        end = min(begin + batch, last)
        image_BCHW = normalised(images.span(begin, end), *statistics).contiguous(memory_format=layout)
        with device.autocast():
            feature_BF = network.features(image_BCHW)  # type: ignore[operator]
            if mirrored:
                flipped_BCHW = image_BCHW.flip(3).contiguous(memory_format=layout)
                feature_BF = (feature_BF + network.features(flipped_BCHW)) / 2  # type: ignore[operator]
            logit_BC = network.head(feature_BF)  # type: ignore[operator]
        keep(begin, end, feature_BF.float(), logit_BC.float())
