"""Torchvision's networks begin with weights that a file or torchvision's cache holds, and say what does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from worker.backbones import Backbone, UnusableWeights, builder
from worker.training.recipes import recipe

IMAGE_BCHW = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(
    path: Path | None = None, network: str = "resnet18", classes: int = 7, channels: int = 3
) -> Backbone:
    built = builder(path)(recipe("ce", {"network": network}), classes, channels, generator())
    assert isinstance(built, Backbone)
    return built.eval()


@pytest.fixture(scope="module")
def pretrained() -> models.ResNet:
    """Torchvision's own network with weights and statistics of its own."""
    network = models.resnet18(num_classes=5)
    drawn = generator(1)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=drawn) * 0.1 + 0.01)
    return network.eval()


@pytest.mark.parametrize(("network", "features"), [("resnet18", 512), ("resnet34", 512), ("resnet50", 2048)])
def test_each_network_gives_features_and_logits(network: str, features: int) -> None:
    backbone = made(network=network)
    assert backbone(IMAGE_BCHW).shape == (2, 7)
    assert backbone.features(IMAGE_BCHW).shape == (2, features)
    assert torch.equal(backbone.head(backbone.features(IMAGE_BCHW)), backbone(IMAGE_BCHW))


def test_weights_come_from_the_generator_alone() -> None:
    first, second = made(), made()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("form", [".pth", ".safetensors", "wrapped.pth", "parallel.pth"])
def test_a_file_of_weights_gives_its_network_and_a_new_head_for_other_classes(
    form: str, pretrained: models.ResNet, tmp_path: Path
) -> None:
    path, state = tmp_path / f"weights{form}", pretrained.state_dict()
    if form.endswith(".safetensors"):
        save_file(state, path)
    elif form == "wrapped.pth":
        torch.save({"state_dict": state}, path)
    elif form == "parallel.pth":
        torch.save({f"module.{name}": value for name, value in state.items()}, path)
    else:
        torch.save(state, path)
    other, same = made(path), made(path, classes=5)
    trunk = torch.nn.Sequential(*list(pretrained.children())[:-1], torch.nn.Flatten())
    torch.testing.assert_close(other.features(IMAGE_BCHW), trunk(IMAGE_BCHW))
    torch.testing.assert_close(same(IMAGE_BCHW), pretrained(IMAGE_BCHW))
    assert torch.equal(other.head.weight, made().head.weight)


def test_grey_images_give_what_they_gave_in_three_channels(pretrained: models.ResNet, tmp_path: Path) -> None:
    torch.save(pretrained.state_dict(), tmp_path / "weights.pth")
    grey = made(tmp_path / "weights.pth", classes=5, channels=1)
    grey_B1HW = IMAGE_BCHW[:, :1]
    torch.testing.assert_close(grey(grey_B1HW), pretrained(grey_B1HW.expand(-1, 3, -1, -1)))


def test_weights_of_another_network_are_refused_with_the_first_difference(
    pretrained: models.ResNet, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(pretrained.state_dict(), path)
    with pytest.raises(UnusableWeights, match=r"weights.pth does not fit the network: it lacks trunk\."):
        made(path, network="resnet34")
    with pytest.raises(UnusableWeights, match="need network resnet18, 34 or 50, found preact-resnet"):
        builder(path)(recipe("ce"), 3, 3, generator())


class Harmful:
    """What would run code if a file of it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("1 + 1",))


@pytest.mark.parametrize("content", ["harmful", "cut", "text", "absent", "list"])
def test_a_file_that_holds_no_plain_weights_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    if content == "harmful":
        torch.save({"conv1.weight": Harmful()}, path)
    elif content == "cut":
        torch.save({"conv1.weight": torch.zeros(100)}, path)
        path.write_bytes(path.read_bytes()[:200])
    elif content == "text":
        path.write_text("weights")
    elif content == "list":
        torch.save([torch.zeros(3)], path)
    with pytest.raises(UnusableWeights, match=r"weights\.pth (is not|cannot be|holds no)"):
        made(path)


def test_default_weights_come_from_torchvisions_cache(
    pretrained: models.ResNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / models.ResNet18_Weights.DEFAULT.url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    torch.save(pretrained.state_dict(), cached)
    settings = recipe("ce", {"network": "resnet18", "weights": "default"})
    network = builder()(settings, 3, 3, generator())
    assert torch.equal(network.state_dict()["trunk.conv1.weight"], pretrained.conv1.weight)


def test_default_weights_that_cannot_be_downloaded_are_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    settings = recipe("ce", {"network": "resnet18", "weights": "default"})
    with pytest.raises(UnusableWeights, match=r"could not be downloaded.*weights none.*FILE\.pth"):
        builder()(settings, 3, 3, generator())


@pytest.mark.slow
def test_the_command_trains_from_a_file_of_weights(pretrained: models.ResNet, tmp_path: Path) -> None:
    torch.save(pretrained.state_dict(), tmp_path / "weights.pth")
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "in.npz",
        image=rng.integers(0, 256, (40, 16, 16, 3), dtype=np.uint8),
        given_label=np.arange(40) % 3,
    )
    settings = ("network=resnet18", "epochs=1", "image_size=32", f"weights={tmp_path / 'weights.pth'}")
    done = subprocess.run(
        [sys.executable, "-m", "worker.training", tmp_path / "in.npz", "--recipe", "ce", "--device", "cpu",
         *(part for each in settings for part in ("--set", each)), "--out", tmp_path / "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["samples"] == 40


def test_no_setting_that_a_server_takes_names_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights must be one of none, default"):
        recipe("ce", {"network": "resnet18", "weights": str(tmp_path / "weights.pth")})
