"""Torchvision's residual networks as training's networks, with pretrained weights by name or from a file.

Above `worker.training`, which is handed a builder and never imports torchvision. The networks keep torchvision's shape,
also the stem, which reads a 7×7 window at every second pixel and pools: made for images of about 224 pixels, it leaves
one position of a 32 × 32 image. Enlarge small images with `image_size`, or use the paper's network.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from worker.training.networks import Builder, MissingBackbone, built, initialise
from worker.training.settings import Recipe
from worker.training.tensorfile import UnreadableFile, decode

UnpicklingError: type[Exception] = torch.serialization.pickle.UnpicklingError  # type: ignore[attr-defined]
"""What torch.load raises for a file that holds more than plain weights; nothing here unpickles itself."""


class UnusableWeights(MissingBackbone):
    """The weights cannot be had, or are not those of the network."""


class Backbone(nn.Module):
    """A torchvision network cut before its last layer: `features`, then `head`."""

    def __init__(self, trunk: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(features, classes)

    def features(self, image_BCHW: Tensor) -> Tensor:
        """What the last layer sees (B, F)."""
        feature_BF: Tensor = self.trunk(image_BCHW)
        return feature_BF

    def forward(self, image_BCHW: Tensor) -> Tensor:
        """Logits (B, classes)."""
        logit_BC: Tensor = self.head(self.features(image_BCHW))
        return logit_BC


def builder(weights_file: Path | None = None) -> Builder:
    """A builder of every network a recipe can name; `weights_file` takes the place of the recipe's `weights`.

    The builder raises MissingBackbone without torchvision, and UnusableWeights.
    """

    def build(recipe: Recipe, classes: int, channels: int, generator: torch.Generator) -> nn.Module:
        if not recipe.network.startswith("resnet"):
            if weights_file is not None:
                raise UnusableWeights(
                    f"weights from a file need network resnet18, 34 or 50, found {recipe.network}"
                )
            return built(recipe, classes, channels, generator)
        models = _torchvision_models(recipe.network)
        trunk = models.get_model(recipe.network, weights=None)
        features = int(trunk.fc.in_features)
        trunk.fc = nn.Identity()
        if channels != 3:
            trunk.conv1 = nn.Conv2d(channels, trunk.conv1.out_channels, 7, stride=2, padding=3, bias=False)
        network = Backbone(trunk, features, classes)
        initialise(network, generator)
        if weights_file is not None:
            load(network, weights_in(weights_file), weights_file.name)
        elif recipe.weights == "default":
            load(network, _downloaded(models, recipe.network), f"torchvision's weights of {recipe.network}")
        return network

    return build


def load(network: Backbone, state: Mapping[str, Tensor], source: str) -> None:
    """Puts the weights into the network; raises UnusableWeights when they are another network's.

    A last layer for another number of classes stays as it was drawn. A first layer for another number of channels is
    spread: the mean over its channels, scaled so that grey images give what they gave as colour images.
    """
    state = {_own_name(name): value for name, value in state.items()}
    own = network.state_dict()
    head = [state.get("head.weight"), state.get("head.bias")]
    if any(
        value is None or value.shape != own[f"head.{name}"].shape
        for name, value in zip(("weight", "bias"), head, strict=True)
    ):
        state |= {"head.weight": own["head.weight"], "head.bias": own["head.bias"]}
    stem, channels = state.get("trunk.conv1.weight"), own["trunk.conv1.weight"].shape[1]
    if stem is not None and stem.ndim == 4 and stem.shape[1] != channels:
        spread = stem.float().mean(dim=1, keepdim=True) * (stem.shape[1] / channels)
        state["trunk.conv1.weight"] = spread.repeat(1, channels, 1, 1)
    # Counters that old files lack and nothing needs.
    state |= {
        name: value
        for name, value in own.items()
        if name.endswith("num_batches_tracked") and name not in state
    }
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    other = [name for name in own.keys() & state.keys() if own[name].shape != state[name].shape]
    for names, words in (
        (missing, "lacks"),
        (unknown, "holds besides"),
        (sorted(other), "has in another shape"),
    ):
        if names:
            raise UnusableWeights(
                f"{source} does not fit the network: it {words} {names[0]} ({len(names)} in all)"
            )
    network.load_state_dict(state)


def weights_in(path: Path) -> dict[str, Tensor]:
    """The named weights in a file; nothing in it can run code. Raises UnusableWeights."""
    try:
        if path.suffix == ".safetensors":
            return {name: torch.from_numpy(value) for name, value in decode(path.read_bytes())[0].items()}
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UnusableWeights(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (UnreadableFile, RuntimeError, EOFError, ValueError, KeyError, UnpicklingError) as error:
        raise UnusableWeights(f"{path.name} is not a file of plain weights") from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UnusableWeights(f"{path.name} holds no weights by name")
    return {str(name): value for name, value in content.items()}


def _own_name(name: str) -> str:
    """Torchvision's name of a weight, or ours, as ours."""
    name = name.removeprefix("module.")
    if name.startswith(("trunk.", "head.")):
        return name
    return f"head.{name.removeprefix('fc.')}" if name.startswith("fc.") else f"trunk.{name}"


def _torchvision_models(network: str) -> ModuleType:
    try:
        from torchvision import models
    except ImportError as error:
        raise MissingBackbone(
            f"network {network} needs torchvision, which is not installed here; preact-resnet and audit need torch alone"
        ) from error
    found: ModuleType = models
    return found


def _downloaded(models: ModuleType, network: str) -> dict[str, Tensor]:
    """Torchvision's best weights, from its cache or the network."""
    weights = models.get_model_weights(network).DEFAULT
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise UnusableWeights(
            f"torchvision's weights of {network} could not be downloaded ({error}); use weights none, or on the "
            "command line a file: --set weights=FILE.pth"
        ) from error
    return state
