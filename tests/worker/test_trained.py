"""Weights saved and loaded again give the same network; what is no such file is refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from worker.trained import HEAD, load, saved
from worker.training.networks import built
from worker.training.recipes import recipe
from worker.training.tensorfile import UnreadableFile, encode

RNG = np.random.default_rng(0)
IMAGE_NHWC = RNG.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
CLASSES = ["cat", "dög", "=fox"]


def weights_file(folder: Path, name: str) -> tuple[Path, torch.nn.Module]:
    chosen = recipe(name, {"width": 4})
    module = built(chosen, 3, 3, torch.Generator().manual_seed(0)).eval()
    arrays = {key: value.numpy() for key, value in module.state_dict().items()}
    path = folder / "model.safetensors"
    path.write_bytes(saved(arrays, chosen, chosen.network, CLASSES, IMAGE_NHWC))
    return path, module


@pytest.mark.parametrize("name", ["fast", "m-dyr-h"])
def test_a_loaded_network_says_what_the_saved_one_said(name: str, tmp_path: Path) -> None:
    path, module = weights_file(tmp_path, name)
    network = load(path)
    assert network.classes == CLASSES
    png = io.BytesIO()
    Image.fromarray(IMAGE_NHWC[0]).save(png, "PNG")
    mean_C, deviation_C = IMAGE_NHWC.reshape(-1, 3).mean(0), IMAGE_NHWC.reshape(-1, 3).std(0)
    standard_BCHW = torch.from_numpy(((IMAGE_NHWC[:1] - mean_C) / deviation_C).astype(np.float32)).permute(
        0, 3, 1, 2
    )
    expected = module(standard_BCHW).softmax(1).detach().numpy()
    assert network.predict([png.getvalue()]) == pytest.approx(expected, abs=1e-5)


def test_images_of_any_size_and_mode_are_taken(tmp_path: Path) -> None:
    network = load(weights_file(tmp_path, "fast")[0])
    for number, (mode, size) in enumerate(
        [("L", (16, 16)), ("RGBA", (300, 40)), ("P", (5, 9)), ("RGB", (90, 90))]
    ):
        Image.new(mode, size).save(tmp_path / f"{number}.png")
    probability_NC = network.predict([tmp_path / f"{number}.png" for number in range(4)])
    assert probability_NC.shape == (4, 3)
    assert np.allclose(probability_NC.sum(axis=1), 1, atol=1e-5)
    assert network.predict([]).shape == (0, 3)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"".join(encode({"weight": np.zeros(3, np.float32)})))
    with pytest.raises(UnreadableFile, match="does not say which network"):
        load(path)
    path.write_bytes(
        saved({"weight": np.zeros(3, np.float32)}, recipe("fast", {}), "audit", CLASSES, IMAGE_NHWC)
    )
    with pytest.raises(UnreadableFile, match="another network"):
        load(path)
    path.write_bytes(saved({}, recipe("fast", {}), HEAD, CLASSES, IMAGE_NHWC))
    with pytest.raises(UnreadableFile, match="not images"):
        load(path)
