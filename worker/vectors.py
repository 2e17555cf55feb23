"""An embedding in the place of images: how its vectors pass through a training, and the head that learns on them.

Knows nothing of files or runs. Shape letters: N samples, F features, B of a batch, H hidden, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.training.networks import initialise
from worker.training.settings import Recipe

SPAN = 4.0
"""Standard deviations to each side that a byte covers: of a normal distribution one value in 16 000 lies beyond."""
HIDDEN = 256
AS_VECTORS: Mapping[str, object] = {
    "crop_share": 0.0,
    "flip": "off",
    "judge_mirrored": False,
    "image_size": 0,
    "weights": "none",
}
"""Settings that go with vectors in any recipe: there is nothing to shift, to mirror or to scale."""


def as_pixels(feature_NF: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Vectors as images of one pixel with a channel for each feature, uint8 (N, 1, 1, F).

    Trainings take bytes. Each feature is spread over them by its own deviation, in steps of a thirty-second of it: far finer
    than the differences that a head learns from.
    """
    mean_F = feature_NF.mean(axis=0, dtype=np.float64)
    deviation_F = feature_NF.std(axis=0, dtype=np.float64)
    unit_NF = (feature_NF - mean_F) / np.where(deviation_F > 0, deviation_F, 1.0)
    level_NF = np.rint(127.5 + 127.5 / SPAN * np.clip(unit_NF, -SPAN, SPAN))
    pixel_NHWC: NDArray[np.uint8] = level_NF.astype(np.uint8)[:, None, None, :]
    return pixel_NHWC


class Head(nn.Module):
    """One hidden layer over a vector. Its `features` are what that layer says, its `head` the linear layer after it."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(channels, HIDDEN)
        self.norm = nn.BatchNorm1d(HIDDEN)
        self.head = nn.Linear(HIDDEN, classes)

    def features(self, image_BFHW: Tensor) -> Tensor:
        """What the last layer sees (B, H)."""
        feature_BH: Tensor = torch.relu(self.norm(self.hidden(image_BFHW.flatten(1))))
        return feature_BH

    def forward(self, image_BFHW: Tensor) -> Tensor:
        """Logits (B, C)."""
        logit_BC: Tensor = self.head(self.features(image_BFHW))
        return logit_BC


def built_head(recipe: Recipe, classes: int, channels: int, generator: torch.Generator) -> nn.Module:
    """The head, whatever network the recipe names. A `networks.Builder`."""
    network = Head(channels, classes)
    initialise(network, generator)
    return network


def settings_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the user set, and what vectors ask for."""
    return {**settings, **AS_VECTORS}
