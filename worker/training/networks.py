"""The networks, of any width and input size; knows tensors, nothing of labels.

Shapes: B images, C classes (or channels in image_BCHW), F features.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from worker.training.settings import Recipe


class PreActBlock(nn.Module):
    """Two 3×3 convolutions, each after normalisation and ReLU (He et al. 2016, "Identity mappings")."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.stride = stride
        self.shortcut = (
            nn.Conv2d(channels_in, channels, 1, bias=False)
            if stride != 1 or channels_in != channels
            else None
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out_BCHW = F.relu(self.bn1(x_BCHW))
        shortcut_BCHW = x_BCHW
        if self.shortcut is not None:
            # Pixels are picked before the convolution instead of by its stride: on processors the weight gradient of a
            # strided 1 × 1 convolution of few channels writes past its memory (oneDNN, issue 6035).
            shortcut_BCHW = self.shortcut(out_BCHW[:, :, :: self.stride, :: self.stride])
        out_BCHW = self.conv1(out_BCHW)
        residual_BCHW: Tensor = self.conv2(F.relu(self.bn2(out_BCHW)))
        return residual_BCHW + shortcut_BCHW


class PreActResNet(nn.Module):
    """Four stages of pre-activation blocks, a normalisation, averaged over all positions, one linear layer.

    `width` 64 and `blocks` 2 is the paper's PreAct ResNet-18: 11.17 million parameters, 512 features. Averaging over
    all positions lets it read any image size. Normalisation and ReLU after the last block are He et al.'s; without them
    the paper's learning rate of 0.1 destroyed the weights within the first epochs (decision record 0022).
    """

    def __init__(self, classes: int, channels: int = 3, width: int = 64, blocks: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        layers: list[nn.Module] = []
        channels_in = width
        for stage in range(4):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(PreActBlock(channels_in, width << stage, stride))
                channels_in = width << stage
        self.layers = nn.Sequential(*layers)
        self.norm = nn.BatchNorm2d(channels_in)
        self.head = nn.Linear(channels_in, classes)

    def features(self, image_BCHW: Tensor) -> Tensor:
        """What the last layer sees (B, 8 · width)."""
        feature_BF: Tensor = F.relu(self.norm(self.layers(self.stem(image_BCHW)))).mean(dim=(2, 3))
        return feature_BF

    def forward(self, image_BCHW: Tensor) -> Tensor:
        """Logits (B, classes)."""
        logit_BC: Tensor = self.head(self.features(image_BCHW))
        return logit_BC


class AuditNet(nn.Module):
    """A narrow network without shortcuts that learns most per second of a processor, for short audits.

    A 2×2 stem, then three stages of two 3×3 convolutions with a pooling between them, `width`, 2 · `width`
    and 4 · `width` channels; averaged over all positions, one linear layer. Shape and start are those of the quick
    CIFAR-10 networks (Jordan 2024, "94 % on CIFAR-10 in 3.29 seconds"): the stem whitens the images' own patches and
    stays as it is, and every convolution begins by passing its input on.
    """

    def __init__(self, classes: int, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        # A filter and its negative for each direction in which 2 × 2 patches differ.
        stem = 2 * 4 * channels
        self.stem = nn.Conv2d(channels, stem, 2)
        stages: list[nn.Module] = []
        channels_in = stem
        for channels_out in (width, 2 * width, 4 * width):
            stages.append(PooledStage(channels_in, channels_out))
            channels_in = channels_out
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels_in, classes)

    @torch.no_grad()
    def begin_as_identity(self) -> None:
        """Lets the first output channels of each convolution repeat its input channels; the others stay as drawn."""
        for module in self.stages.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.dirac_(module.weight[: module.in_channels])

    @torch.no_grad()
    def adapt(self, image_BCHW: Tensor) -> None:
        """Sets the stem so that it whitens the 2 × 2 patches of these images (standardised), and keeps it so."""
        patch_BPL = F.unfold(_with_a_patch(image_BCHW).double(), 2)
        patch_MP = patch_BPL.transpose(1, 2).flatten(0, 1)
        variance_P, direction_PP = torch.linalg.eigh(patch_MP.T @ patch_MP / len(patch_MP))
        # The small term keeps directions in which patches hardly differ from being blown up.
        filter_PP = (direction_PP / (variance_P + 1e-2).sqrt()).T.flip(0)
        self.stem.weight.copy_(torch.cat([filter_PP, -filter_PP]).view_as(self.stem.weight))
        assert self.stem.bias is not None
        self.stem.bias.zero_()
        self.stem.requires_grad_(False)

    def features(self, image_BCHW: Tensor) -> Tensor:
        """What the last layer sees (B, 4 · width)."""
        feature_BF: Tensor = self.stages(F.relu(self.stem(_with_a_patch(image_BCHW)))).mean(dim=(2, 3))
        return feature_BF

    def forward(self, image_BCHW: Tensor) -> Tensor:
        """Logits (B, classes)."""
        logit_BC: Tensor = self.head(self.features(image_BCHW))
        return logit_BC


def _with_a_patch(image_BCHW: Tensor) -> Tensor:
    """Images of at least 2 × 2 pixels."""
    return F.pad(image_BCHW, (0, 1, 0, 1)) if min(image_BCHW.shape[2:]) < 2 else image_BCHW


class PooledStage(nn.Module):
    """Convolution, pooling to half the side, convolution; normalisation and ReLU after each."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        # Of fewer than 4 pixels rounding down would drop a third of the image, or leave nothing. Rounding up from 7 ranked
        # CIFAR-10's wrong labels worse in both comparisons made (AUROC .946 against .951, .951 against .957).
        few = min(x_BCHW.shape[2:]) < 4
        x_BCHW = F.max_pool2d(self.conv1(x_BCHW), 2, ceil_mode=few)
        x_BCHW = F.relu(self.bn1(x_BCHW))
        return F.relu(self.bn2(self.conv2(x_BCHW)))


Builder = Callable[[Recipe, int, int, torch.Generator], nn.Module]
"""Makes a network with its first weights: (recipe, classes, channels, a CPU generator). The network gives logits when
called, and has `features` (what its last layer sees) and `head` (that layer)."""


class MissingBackbone(ValueError):
    """The recipe asks for a network that is not made here."""


def built(recipe: Recipe, classes: int, channels: int, generator: torch.Generator) -> nn.Module:
    """The network a recipe names, if it is one of those in this file; raises MissingBackbone. A `Builder`."""
    if recipe.network == "audit":
        network = AuditNet(classes, channels, recipe.width)
        initialise(network, generator)
        network.begin_as_identity()
        return network
    if recipe.network == "preact-resnet":
        paper = PreActResNet(classes, channels, recipe.width, recipe.blocks)
        initialise(paper, generator)
        return paper
    raise MissingBackbone(f"network {recipe.network} comes from torchvision, which is not at hand here")


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draws all weights from the generator (a CPU one), the way torch's layers draw them by default."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            bound = 1.0 / math.sqrt(fan_in)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)
