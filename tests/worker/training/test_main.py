"""The command `python -m worker.training`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worker.noise.detection import auroc
from worker.training.reports import TrainingData


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "worker.training", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_folds_add_the_scores_that_need_unseen_samples(few_digits: TrainingData, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", image=few_digits.image_NHWC, given_label=few_digits.given_label_N)
    settings = ("--set", "epochs=12", "--set", "width=8", "--folds", "2", "--out", tmp_path / "out")
    done = run(tmp_path / "in.npz", *settings)
    assert done.returncode == 0, done.stderr
    noisy_N = few_digits.given_label_N != few_digits.true_label_N
    with np.load(tmp_path / "out" / "scores.npz") as scores:
        found = auroc(noisy_N, scores["out_of_fold_margin"])
        assert found is not None
        assert found > 0.75
        assert set(np.unique(scores["confident_learning"])) <= {0.0, 1.0}


@pytest.mark.slow
def test_one_document_one_result_file_and_the_same_again(few_digits: TrainingData, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "in.npz",
        image=few_digits.image_NHWC,
        given_label=few_digits.given_label_N,
        true_label=few_digits.true_label_N,
        validation_image=few_digits.image_NHWC[:50],
        validation_label=few_digits.true_label_N[:50],
    )
    out = tmp_path / "out"
    command = (
        tmp_path / "in.npz", "--recipe", "fast", "--set", "epochs=3", "--set", "width=4", "--seed", "1", "--out", out
    )  # fmt: skip
    done = run(*command)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["samples"] == 300
    assert document["epochs"] == 3
    assert set(document["metrics"]) == {"auroc", "average_precision", "f1", "precision", "recall"}
    assert set(document["validation_accuracy"]) == {"best", "last"}
    assert "epoch 3/3" in done.stderr
    with np.load(out / "result.npz") as result:
        first = {key: result[key] for key in result.files}
    assert set(first) == {"noise_posterior", "suggested_label", "loss", "margin", "flagged"}
    assert all(value.shape == (300,) for value in first.values())

    plain = {"final_loss", "mean_loss", "mean_margin", "forgetting_count", "consensus"}
    with np.load(out / "scores.npz") as scores:
        assert set(scores.files) == plain

    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    with np.load(out / "result.npz") as result:
        for key, value in first.items():
            np.testing.assert_array_equal(result[key], value)

    mismatch = run(*command, "--set", "epochs=4")
    assert mismatch.returncode == 2
    assert "other settings" in mismatch.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--recipe", "best"], "no recipe is named 'best'"),
        (["--set", "width"], "KEY=VALUE"),
        (["--set", "width=1"], "width must lie between 4"),
        (["--seed", "-1"], "seed must lie"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_wrong_use_ends_with_one_line_and_code_two(
    arguments: list[str], words: str, few_digits: TrainingData, tmp_path: Path
) -> None:
    np.savez(tmp_path / "in.npz", image=few_digits.image_NHWC, given_label=few_digits.given_label_N)
    done = run(tmp_path / "in.npz", *arguments, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_data_without_images_or_without_a_file_ends_with_code_two(tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", given_label=np.zeros(3, np.int64))
    for path, words in ((tmp_path / "in.npz", "must hold image"), (tmp_path / "absent.npz", "No such file")):
        done = run(path, "--out", tmp_path / "out")
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
