"""When memory runs out, the training goes on with half the batch, says so, and does the same again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.cuda import needs_cuda
from worker.training.networks import built
from worker.training.recipes import recipe
from worker.training.reports import EpochReport, OutOfMemory, TrainingData
from worker.training.settings import Recipe
from worker.training.train import train

SETTINGS = {"epochs": 3, "width": 4, "batch_size": 128, "fewest_steps": 1, "precision": "float32"}
ON_THE_PROCESSOR = RuntimeError(
    "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate …"
)
IN_ONEDNN = RuntimeError("could not create a primitive")


class Narrow(nn.Module):
    """A network on a machine with room for so many images while training, and an error of its own for more."""

    def __init__(self, inner: nn.Module, room: int, error: Exception, after: int) -> None:
        super().__init__()
        self.inner, self.room, self.error, self.after, self.calls = inner, room, error, after, 0

    def features(self, image_BCHW: Tensor) -> Tensor:
        feature_BF: Tensor = self.inner.features(image_BCHW)  # type: ignore[operator]
        return feature_BF

    def head(self, feature_BF: Tensor) -> Tensor:
        logit_BC: Tensor = self.inner.head(feature_BF)  # type: ignore[operator]
        return logit_BC

    def forward(self, image_BCHW: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > self.after and len(image_BCHW) > self.room:
            raise self.error
        logit_BC: Tensor = self.inner(image_BCHW)
        return logit_BC


def run(
    data: TrainingData, directory: Path, room: int, error: Exception, after: int = 0
) -> tuple[list[EpochReport], np.ndarray]:
    def build(each: Recipe, classes: int, channels: int, generator: torch.Generator) -> nn.Module:
        return Narrow(built(each, classes, channels, generator), room, error, after)

    reports: list[EpochReport] = []
    outcome = train(
        data, recipe("ce", SETTINGS), seed=0, device="cpu", directory=directory, build=build, on_epoch=reports.append
    )  # fmt: skip
    assert (outcome.batch_size, outcome.notes) == (reports[-1].batch_size, reports[-1].notes)
    assert outcome.summary["notes"] == list(outcome.notes)
    return reports, outcome.loss_N


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), ON_THE_PROCESSOR, IN_ONEDNN, MemoryError()]
)
def test_half_the_batch_is_tried_until_it_fits(
    error: Exception, few_digits: TrainingData, tmp_path: Path
) -> None:
    reports, loss_N = run(few_digits, tmp_path / "narrow", 40, error)
    assert [each.batch_size for each in reports] == [32, 32, 32]
    assert reports[0].notes == ("Memory ran out with batches of 64 images; went on with 32.",)
    # The same as if the batch had been asked for.
    wide = train(
        few_digits, dataclasses.replace(recipe("ce", SETTINGS), batch_size=32), seed=0, device="cpu",
        directory=tmp_path / "wide",
    )  # fmt: skip
    np.testing.assert_array_equal(loss_N, wide.loss_N)


def test_a_run_whose_memory_ran_out_midway_goes_on_from_its_checkpoint_and_remembers(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    steps = 3  # of 300 digits in batches of 128
    error = torch.OutOfMemoryError("no more")
    reports, loss_N = run(few_digits, tmp_path, 64, error, after=steps)
    assert [(each.epoch, each.batch_size) for each in reports] == [(1, 128), (2, 64), (3, 64)]
    # Taken up again where there is room: the smaller batch stays, so that the numbers do.
    for each in ("checkpoint-00003.json", "checkpoint-00003.safetensors"):
        (tmp_path / each).unlink()
    reports, same_N = run(few_digits, tmp_path, 1000, error)
    assert [(each.epoch, each.batch_size) for each in reports] == [(3, 64)]
    np.testing.assert_array_equal(loss_N, same_N)


def test_when_the_smallest_batch_does_not_fit_either_the_run_ends_in_words(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(OutOfMemory, match=r"batches of 16 images too: CUDA out of memory"):
        run(few_digits, tmp_path, 0, torch.OutOfMemoryError("CUDA out of memory"))


@needs_cuda
def test_a_gpu_whose_memory_really_runs_out_trains_with_half_the_batch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image_NHWC = rng.integers(0, 256, (1024, 32, 32, 3), dtype=np.uint8)
    data = TrainingData(image_NHWC, np.arange(1024) % 4, 4)
    wide = recipe("ce", {"epochs": 2, "width": 64, "batch_size": 512, "fewest_steps": 1, "compile": "off"})

    def most_memory(batch_size: int) -> int:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        asked = dataclasses.replace(wide, batch_size=batch_size)
        train(data, asked, seed=0, device="cuda", directory=tmp_path / str(batch_size))
        return torch.cuda.max_memory_reserved()

    room = (most_memory(512) + most_memory(256)) / 2
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(room / torch.cuda.get_device_properties(0).total_memory)
    try:
        outcome = train(data, wide, seed=0, device="cuda", directory=tmp_path / "narrow")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert outcome.batch_size == 256
    assert list(outcome.notes) == ["Memory ran out with batches of 512 images; went on with 256."]


def test_another_error_is_not_taken_for_one_of_memory(few_digits: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        run(few_digits, tmp_path, 0, RuntimeError("shapes do not fit"))


def test_after_the_process_was_killed_half_the_batch_of_its_last_checkpoint_is_tried(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    asked = recipe("ce", SETTINGS)

    def again() -> tuple[int, tuple[str, ...]]:
        outcome = train(few_digits, asked, seed=0, device="cpu", directory=tmp_path, killed=True)
        return outcome.batch_size, tuple(outcome.notes)

    note = "Memory ran out with batches of {} images; went on with {}."
    assert again() == (64, (note.format(128, 64),))
    for path in tmp_path.glob("checkpoint-00003.*"):
        path.unlink()
    assert again() == (32, (note.format(64, 32),))
