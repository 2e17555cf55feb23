"""Two processes train the network that one would, up to the rounding of sums in another order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worker.training.reports import TrainingData

ALONE = (sys.executable, "-m")
TWO = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
SETTINGS = {
    "epochs": 3, "bootstrap_start": 2, "dynamic_mixup_start": 2, "width": 4, "batch_size": 50, "precision": "float32",
    "weights_from": "batch",
}  # fmt: skip
TOLERANCE = 2e-3
"""Of losses in nats after nine steps; a partner, a weight or a statistic missed changes them by some hundredths."""


def run(command: tuple[str, ...], data: Path, out: Path, recipe: str) -> tuple[dict[str, object], Path]:
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    done = subprocess.run(
        [*command, "worker.training", data, "--recipe", recipe, *settings, "--device", "cpu", "--out", out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 3/3") == 1
    document: dict[str, object] = json.loads(done.stdout)
    return document, out


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(few_digits: TrainingData, tmp_path: Path) -> None:
    recipe = (
        "md-dyr-h"  # everything that crosses processes: guesses, posteriors, partners, the mean prediction
    )
    data = tmp_path / "in.npz"
    # An odd number of samples: parts of unequal size.
    labels = {"given_label": few_digits.given_label_N[:151], "true_label": few_digits.true_label_N[:151]}  # type: ignore[index]
    images = few_digits.image_NHWC[:151]
    np.savez(
        data, image=images, validation_image=images[:31], validation_label=labels["true_label"][:31], **labels
    )
    alone, alone_out = run(ALONE, data, tmp_path / "alone", recipe)
    shared, shared_out = run(TWO, data, tmp_path / "shared", recipe)
    with np.load(alone_out / "result.npz") as first, np.load(shared_out / "result.npz") as second:
        assert np.abs(first["loss"] - second["loss"]).max() < TOLERANCE
        assert np.abs(first["margin"] - second["margin"]).max() < 5 * TOLERANCE
    assert alone["validation_accuracy"] == shared["validation_accuracy"]
