"""A network that an audit left, ready to look at images: `load("model.safetensors").predict(["image.png"])`.

Brings images to the network as the import and the training did. Nothing in the file can run code.
Shapes: N images of H × W pixels and C channels; K classes (C in the arrays' names).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from worker.backbones import builder
from worker.ingest.decoder import decode, fit
from worker.training.augmentation import normalised, resized
from worker.training.images import channel_statistics
from worker.training.settings import Recipe
from worker.training.tensorfile import AnyArray, UnreadableFile, encode
from worker.training.tensorfile import decode as decode_tensors

PIXEL_LIMIT = 50_000_000
HEAD = "head"
"""The network over an embedding that somebody brought: it reads vectors, and says nothing of images."""
AT_ONCE = 64
"""Images in memory at a time."""


class Network:
    """A trained network with its classes. `classes` are in the order of its outputs."""

    def __init__(self, module: nn.Module, about: Mapping[str, Any]) -> None:
        self.module = module.eval()
        self.classes: list[str] = about["classes"]
        self._height, self._width, self._channels = about["pixel_shape"]
        self._side: int = about["image_size"]
        self._statistics = torch.tensor(about["mean"]), torch.tensor(about["deviation"])

    @torch.no_grad()
    def predict(self, images: Sequence[str | Path | bytes]) -> NDArray[np.float32]:
        """Predicted probabilities (N, K) of image files, by path or as their bytes.

        Raises OSError for a file that cannot be read, and what Pillow raises for one that is no image.
        """
        parts = [
            self._probabilities(images[begin : begin + AT_ONCE]) for begin in range(0, len(images), AT_ONCE)
        ]
        return np.concatenate([np.empty((0, len(self.classes)), np.float32), *parts])

    def _probabilities(self, images: Sequence[str | Path | bytes]) -> NDArray[np.float32]:
        image_BHWC = torch.from_numpy(np.stack([self._pixels(image) for image in images]))
        if self._side:
            image_BHWC = resized(image_BHWC, self._side)
        logit_BC = self.module(normalised(image_BHWC, *self._statistics))
        probability_BC: NDArray[np.float32] = logit_BC.softmax(dim=1).numpy()
        return probability_BC

    def _pixels(self, image: str | Path | bytes) -> NDArray[np.uint8]:
        """The image (H, W, C) as it would lie among the training pixels."""
        found = decode(image if isinstance(image, bytes) else Path(image).read_bytes(), PIXEL_LIMIT)
        height, width, channels = found.pixel_shape
        pixels = np.frombuffer(found.pixels, np.uint8).reshape(height, width, channels)
        picture = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
        if (height, width) != (self._height, self._width):
            picture = fit(picture)
            if picture.size != (self._width, self._height):
                picture = picture.resize((self._width, self._height), Image.Resampling.LANCZOS)
        return np.asarray(picture.convert("L" if self._channels == 1 else "RGB")).reshape(
            self._height, self._width, self._channels
        )


def load(path: str | Path) -> Network:
    """The network in the file. Raises OSError, and UnreadableFile for another file."""
    arrays, described = decode_tensors(Path(path).read_bytes())
    try:
        about = json.loads(described["noise_audit"])
        if about["network"] == HEAD:
            raise UnreadableFile("this network reads the embedding that was sent with its run, not images")
        recipe = Recipe("", "", "", network=about["network"], width=about["width"], blocks=about["blocks"])
        classes, channels = len(about["classes"]), about["pixel_shape"][2]
    except UnreadableFile:
        raise
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableFile("the file does not say which network its weights belong to") from error
    module = builder()(recipe, classes, channels, torch.Generator())
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    missing, unknown = module.load_state_dict(state, strict=False)
    # Counters that only training reads.
    lacking = [name for name in missing if not name.endswith("num_batches_tracked")]
    if lacking or unknown:
        raise UnreadableFile(f"the weights are those of another network: {[*lacking, *unknown][0]}")
    return Network(module, about)


def saved(
    weights: Mapping[str, AnyArray],
    recipe: Recipe,
    network: str,
    classes: Sequence[str],
    image_NHWC: NDArray[np.uint8],
) -> bytes:
    """The file of these weights, trained on these pixels, with all that `load` needs to know.

    `network` is the recipe's, or HEAD.
    """
    mean_C, deviation_C = channel_statistics(image_NHWC)
    about = {
        "network": network,
        "width": recipe.width,
        "blocks": recipe.blocks,
        "image_size": recipe.image_size,
        "classes": list(classes),
        "pixel_shape": list(image_NHWC.shape[1:]),
        "mean": mean_C.tolist(),
        "deviation": deviation_C.tolist(),
    }
    return b"".join(encode(weights, {"noise_audit": json.dumps(about, ensure_ascii=False)}))
