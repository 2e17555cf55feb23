"""Compiling is tried where asked for, and a network that cannot be compiled runs as it is, with a note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._inductor import config as inductor_config

from worker.training.compiling import compiles
from worker.training.device import Device
from worker.training.networks import initialise
from worker.training.recipes import recipe
from worker.training.reports import Outcome, TrainingData
from worker.training.settings import Recipe
from worker.training.train import train


class Small(nn.Module):
    """A network with each kind of layer, compiled in seconds."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, classes)

    def features(self, image_BCHW: Tensor) -> Tensor:
        feature_BF: Tensor = self.norm(self.stem(image_BCHW)).relu().mean(dim=(2, 3))
        return feature_BF

    def forward(self, image_BCHW: Tensor) -> Tensor:
        logit_BC: Tensor = self.head(self.features(image_BCHW))
        return logit_BC


def small(each: Recipe, classes: int, channels: int, generator: torch.Generator) -> nn.Module:
    network = Small(classes)
    initialise(network, generator)
    return network


def trained(data: TrainingData, directory: Path, setting: str) -> Outcome:
    settings: dict[str, object] = {
        "epochs": 2,
        "bootstrap_start": 2,
        "batch_size": 100,
        "precision": "float32",
    }
    return train(
        data, recipe("m-dyr-h", {**settings, "compile": setting}), seed=0, device="cpu",
        directory=directory / setting, build=small,
    )  # fmt: skip


def test_auto_compiles_long_trainings_on_cuda_only() -> None:
    cpu, cuda = (Device(torch.device(name), False, name) for name in ("cpu", "cuda"))
    settings = [recipe("m-dyr-h", {"compile": setting}) for setting in ("auto", "on", "off")]
    cifar, photographs = 50_000 * 32 * 32, 100_000 * 224 * 224
    assert [compiles(each, cpu, photographs) for each in settings] == [False, True, False]
    assert [compiles(each, cuda, cifar) for each in settings] == [False, True, False]
    assert [compiles(each, cuda, photographs) for each in settings] == [True, True, False]
    literal = recipe("m-dyr-h", {"literal": True})
    assert not compiles(literal, cuda, photographs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's compiler warns of its own imports
def test_a_compiled_run_gives_what_an_uncompiled_one_does(few_digits: TrainingData, tmp_path: Path) -> None:
    compiled, plain = (trained(few_digits, tmp_path, setting) for setting in ("on", "off"))
    assert compiled.notes == plain.notes == ()
    assert np.abs(compiled.loss_N - plain.loss_N).max() < 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_without_a_compiler_the_network_runs_as_it_is_and_says_so(
    few_digits: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.compiler.reset()
    monkeypatch.setattr(inductor_config, "force_disable_caches", True)
    monkeypatch.setattr(inductor_config.cpp, "cxx", (None, "no-such-compiler"))
    asked, plain = (trained(few_digits, tmp_path, setting) for setting in ("on", "off"))
    assert len(asked.notes) == 1
    assert "the network runs uncompiled" in asked.notes[0]
    assert plain.notes == ()
    np.testing.assert_array_equal(asked.loss_N, plain.loss_N)
