"""Whole trainings on digits: planted noise is found, the seed decides, a stopped run goes on to the bit."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worker.noise.detection import auroc
from worker.training.recipes import RECIPES, recipe
from worker.training.reports import EpochReport, Outcome, TrainingData
from worker.training.train import CheckpointMismatch, Diverged, Stopped, load_history, train

ARRAYS = (
    "noise_posterior_N",
    "suggested_label_N",
    "loss_N",
    "margin_N",
    "flagged_N",
    "label_quality_N",
    "predicted_probability_NC",
    "feature_NF",
)
SMALL = {"epochs": 4, "width": 4, "batch_size": 64, "fewest_steps": 1}


@pytest.fixture(scope="session")
def clean_digits(digits: TrainingData) -> TrainingData:
    assert digits.true_label_N is not None
    return dataclasses.replace(digits, given_label_N=digits.true_label_N)


def assert_same(first: Outcome, second: Outcome) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


@pytest.mark.slow
def test_the_fast_audit_finds_planted_noise(digits: TrainingData, tmp_path: Path) -> None:
    reports: list[EpochReport] = []
    outcome = train(digits, recipe("fast"), seed=0, device="cpu", directory=tmp_path, on_epoch=reports.append)
    assert outcome.metrics is not None
    assert outcome.metrics["auroc"] is not None
    assert outcome.metrics["auroc"] >= 0.99
    assert outcome.metrics["f1"] is not None
    assert outcome.metrics["f1"] >= 0.93
    assert digits.true_label_N is not None
    wrong_N = digits.given_label_N != digits.true_label_N
    assert outcome.noise_rate == pytest.approx(wrong_N.mean(), abs=0.03)
    by_margin = auroc(wrong_N, outcome.scores["mean_margin"])
    assert by_margin is not None
    assert by_margin >= 0.99
    cleaned_N = np.where(outcome.flagged_N, outcome.suggested_label_N, digits.given_label_N)
    assert (cleaned_N == digits.true_label_N).mean() > 0.97
    assert (outcome.suggested_label_N != digits.given_label_N)[outcome.flagged_N].all()

    assert [each.epoch for each in reports] == list(range(1, RECIPES["fast"].epochs + 1))
    last = reports[-1]
    json.dumps(
        [last.metrics_json, last.histogram, last.mixtures, last.trust, outcome.summary], allow_nan=False
    )
    assert sum(last.histogram["counts"]) == 1797
    np.testing.assert_allclose(last.loss_N, outcome.loss_N, rtol=1e-3, atol=1e-3)
    assert last.train_accuracy == (last.prediction_N == digits.given_label_N).mean()
    assert outcome.label_quality_N == pytest.approx(np.exp(-outcome.loss_N), abs=1e-6)


@pytest.mark.slow
def test_the_fast_audit_accuses_few_where_no_label_is_wrong(
    clean_digits: TrainingData, tmp_path: Path
) -> None:
    outcome = train(clean_digits, recipe("fast", {"epochs": 8}), seed=0, device="cpu", directory=tmp_path)
    assert outcome.flagged_N.mean() <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name != "fast"])
def test_every_recipe_finds_planted_noise_on_a_short_schedule(
    name: str, digits: TrainingData, tmp_path: Path
) -> None:
    settings = recipe(name, {"epochs": 10, "width": 8})
    outcome = train(digits, settings, seed=0, device="cpu", directory=tmp_path)
    assert outcome.metrics is not None
    assert outcome.metrics["auroc"] is not None
    assert outcome.metrics["auroc"] >= 0.95
    # Two epochs teach too little for the matrix that forward correction reads off the network's predictions.
    late = [note for note in outcome.notes if note.startswith("Forward correction began")]
    assert len(late) == (name == "forward")


@pytest.mark.slow
def test_the_seed_alone_decides(few_digits: TrainingData, tmp_path: Path) -> None:
    first, again, other = (
        train(few_digits, recipe("m-dyr-h", SMALL), seed=seed, device="cpu", directory=tmp_path / name)
        for name, seed in (("first", 5), ("again", 5), ("other", 6))
    )
    assert_same(first, again)
    assert not np.array_equal(first.margin_N, other.margin_N)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fast", "m-dyr-h", "md-dyr-sh", "forward"])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_stopped_run_goes_on_to_the_bit(
    name: str, stop_after: int, few_digits: TrainingData, tmp_path: Path
) -> None:
    settings = recipe(name, SMALL)
    undisturbed = train(few_digits, settings, seed=1, device="cpu", directory=tmp_path / "whole")
    seen: list[int] = []

    directory = tmp_path / "stopped"
    with pytest.raises(Stopped):
        run_until(few_digits, name, directory, seen, stop_after)
    outcome = train(
        few_digits,
        settings,
        seed=1,
        device="cpu",
        directory=directory,
        on_epoch=lambda each: seen.append(each.epoch),
    )
    assert_same(undisturbed, outcome)
    assert seen == [1, 2, 3, 4]
    for field in ("loss_EN", "margin_EN", "prediction_EN"):
        np.testing.assert_array_equal(
            getattr(load_history(directory), field), getattr(load_history(tmp_path / "whole"), field)
        )


def run_until(data: TrainingData, name: str, directory: Path, seen: list[int], epochs: int) -> None:
    """Trains and asks to stop at the first poll after so many epochs; polls come at every batch here."""
    train(
        data,
        recipe(name, SMALL),
        seed=1,
        device="cpu",
        directory=directory,
        on_epoch=lambda each: seen.append(each.epoch),
        should_stop=lambda: len(seen) >= epochs,
    )


@pytest.mark.slow
def test_a_killed_process_is_continued_by_another_from_a_damaged_newest_checkpoint(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", image=few_digits.image_NHWC, given_label=few_digits.given_label_N)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from worker.training.__main__ import load_data\n"
        "from worker.training.recipes import recipe\n"
        "from worker.training.train import train\n"
        "train(load_data(Path(sys.argv[1])), recipe('fast', {'epochs': 4, 'width': 4, 'batch_size': 64, 'fewest_steps': 1}), seed=1, device='cpu',\n"
        "      directory=Path(sys.argv[2]), on_epoch=lambda each: os.kill(os.getpid(), 9) if each.epoch == 3 else None)\n"
    )
    directory = tmp_path / "killed"
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "data.npz", directory], check=False)
    assert killed.returncode == -9
    newest = directory / "checkpoint-00003.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    seen: list[int] = []
    data = dataclasses.replace(few_digits, true_label_N=None)
    settings = recipe("fast", SMALL)
    outcome = train(
        data,
        settings,
        seed=1,
        device="cpu",
        directory=directory,
        on_epoch=lambda each: seen.append(each.epoch),
    )
    assert seen == [3, 4]
    assert_same(outcome, train(data, settings, seed=1, device="cpu", directory=tmp_path / "whole"))
    assert outcome.metrics is None


def test_a_finished_run_is_told_again_without_training(few_digits: TrainingData, tmp_path: Path) -> None:
    settings = recipe("fast", SMALL)
    first = train(few_digits, settings, seed=1, device="cpu", directory=tmp_path)
    seen: list[int] = []
    again = train(
        few_digits,
        settings,
        seed=1,
        device="cpu",
        directory=tmp_path,
        on_epoch=lambda each: seen.append(each.epoch),
    )
    assert seen == []
    assert_same(first, again)


def test_a_folder_of_another_run_is_refused(few_digits: TrainingData, tmp_path: Path) -> None:
    train(few_digits, recipe("fast", {**SMALL, "epochs": 1}), seed=1, device="cpu", directory=tmp_path)
    with pytest.raises(CheckpointMismatch, match="other seed and settings"):
        train(few_digits, recipe("fast", {**SMALL, "epochs": 2}), seed=2, device="cpu", directory=tmp_path)
    other = dataclasses.replace(few_digits, given_label_N=few_digits.given_label_N[::-1].copy())
    with pytest.raises(CheckpointMismatch, match="other data"):
        train(other, recipe("fast", {**SMALL, "epochs": 1}), seed=1, device="cpu", directory=tmp_path)


def test_numbers_that_stop_being_finite_end_the_run_with_advice(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    with pytest.raises(Diverged, match="learning_rate"):
        train(
            few_digits,
            recipe("ce", {**SMALL, "learning_rate": 100.0, "momentum": 0.999, "weight_decay": 1.0}),
            seed=0,
            device="cpu",
            directory=tmp_path,
        )


def test_validation_accuracy_is_followed(few_digits: TrainingData, tmp_path: Path) -> None:
    assert few_digits.true_label_N is not None
    data = dataclasses.replace(
        few_digits,
        validation_image_NHWC=few_digits.image_NHWC[:100],
        validation_label_N=few_digits.true_label_N[:100],
    )
    seen: list[float | None] = []
    outcome = train(
        data,
        recipe("fast", SMALL),
        seed=0,
        device="cpu",
        directory=tmp_path,
        on_epoch=lambda each: seen.append(each.validation_accuracy),
    )
    values = [value for value in seen if value is not None]
    assert len(values) == 4
    assert outcome.validation_accuracy == {"best": max(values), "last": values[-1]}


def test_streamed_pixels_give_the_same_run_as_resident_ones(
    few_digits: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pixels"
    few_digits.image_NHWC.tofile(path)
    mapped = np.memmap(path, dtype=np.uint8, mode="r", shape=few_digits.image_NHWC.shape)
    settings = recipe("fast", {**SMALL, "epochs": 2})
    resident = train(few_digits, settings, seed=0, device="cpu", directory=tmp_path / "a")
    monkeypatch.setattr("worker.training.images.RESIDENT_CPU", 0)
    data = dataclasses.replace(few_digits, image_NHWC=mapped)
    assert_same(resident, train(data, settings, seed=0, device="cpu", directory=tmp_path / "b"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": 1}, "at least 2 classes"),
        ({"classes": 9}, "0 … 8"),
        ({"given_label_N": np.zeros(3, np.int64)}, "300 whole numbers"),
        ({"image_NHWC": np.zeros((300, 8, 8), np.uint8)}, "shape"),
        ({"image_NHWC": np.zeros((300, 8, 8, 1), np.float32)}, "uint8"),
        ({"validation_label_N": np.zeros(3, np.int64)}, "go together"),
    ],
)
def test_data_that_does_not_fit_together_is_refused(
    change: dict[str, object], words: str, few_digits: TrainingData
) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(few_digits, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused(device: str, few_digits: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"device|named"):
        train(few_digits, recipe("fast", SMALL), seed=0, device=device, directory=tmp_path)
