"""Recorded steps change the weights as unrecorded ones do, through every phase; where nothing can be recorded, nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cuda import needs_cuda
from worker.training.recipes import recipe
from worker.training.recording import Recorder
from worker.training.reports import Outcome, TrainingData
from worker.training.steps import Step
from worker.training.train import train


def a_step(size: int) -> Step:
    place = torch.arange(size)
    return Step(
        slice(0, size), place, place, torch.ones(()), torch.zeros(size, 2, 2, 1, dtype=torch.uint8),
        torch.zeros(size, 2, dtype=torch.int64), torch.zeros(size, dtype=torch.int64),
    )  # fmt: skip


def test_without_recording_every_step_is_done_as_it_comes() -> None:
    done: list[int] = []
    recorder = Recorder(lambda step: done.append(step.size), records=False)
    for size in (4, 5, 4, 4):
        recorder(a_step(size), "phase")
    assert done == [4, 5, 4, 4]


def test_a_cloned_step_has_memory_of_its_own() -> None:
    step = a_step(3)
    clone = step.cloned()
    clone.sample_B.fill_(7)
    assert step.sample_B.tolist() == [0, 1, 2]
    assert [each.shape for each in clone.tensors()] == [each.shape for each in step.tensors()]


def patterns() -> TrainingData:
    rng = np.random.default_rng(0)
    pattern = rng.integers(40, 216, (4, 8, 8, 3))
    label_N = np.arange(330) % 4
    image_NHWC = (pattern[label_N] + rng.integers(-60, 61, (330, 8, 8, 3))).clip(0, 255).astype(np.uint8)
    return TrainingData(image_NHWC, np.where(rng.random(330) < 0.2, 0, label_N), 4)


def trained(name: str, settings: dict[str, object], directory: Path) -> tuple[Outcome, list[float]]:
    losses: list[float] = []
    short = {"epochs": 8, "width": 8, "batch_size": 32, "learning_rate": 0.01, "precision": "float32"}
    # The same algorithms in both, or hard guesses part ways after some epochs.
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, benchmark=False, allow_tf32=False):
        outcome = train(
            patterns(), recipe(name, {**short, **settings}), seed=0, device="cuda", directory=directory,
            on_epoch=lambda report: losses.append(report.train_loss),
        )  # fmt: skip
    return outcome, losses


@needs_cuda
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("m-dyr-h", {}),
        ("m-dyr-h", {"weights_from": "batch"}),
        ("md-dyr-sh", {}),
        ("forward", {}),
        ("fast", {"learning_rate": 0.05}),
    ],
)
def test_recorded_steps_do_what_unrecorded_ones_do(
    name: str, settings: dict[str, object], tmp_path: Path
) -> None:
    recorded, losses = trained(name, settings, tmp_path / "recorded")
    plain, plain_losses = trained(name, {**settings, "record_steps": False}, tmp_path / "plain")
    assert recorded.notes == plain.notes
    assert losses == pytest.approx(plain_losses, rel=1e-3)
    assert np.abs(recorded.loss_N - plain.loss_N).mean() < 0.01


@needs_cuda
def test_a_stopped_recorded_run_goes_on_from_its_last_whole_epoch(tmp_path: Path) -> None:
    from worker.training.reports import Stopped

    short = {"epochs": 6, "width": 8, "batch_size": 32, "compile": "off"}
    seen: list[int] = []
    arguments = {"seed": 0, "device": "cuda", "directory": tmp_path}
    with pytest.raises(Stopped):
        train(
            patterns(), recipe("m-dyr-h", short), **arguments, on_epoch=lambda report: seen.append(report.epoch),
            should_stop=lambda: len(seen) >= 2,
        )  # fmt: skip
    train(
        patterns(), recipe("m-dyr-h", short), **arguments, on_epoch=lambda report: seen.append(report.epoch)
    )
    assert seen == [1, 2, 3, 4, 5, 6]
