"""The command `python -m worker.noise`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "worker.noise", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def probabilities(samples: int = 3000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    true_N = rng.integers(0, 5, samples)
    given_N = np.where(rng.random(samples) < 0.3, rng.integers(0, 5, samples), true_N)
    logit_NC = rng.normal(0.0, 1.0, (samples, 5))
    logit_NC[np.arange(samples), true_N] += 4.0
    probability_NC = np.exp(logit_NC)
    return {
        "given_label": given_N,
        "true_label": true_N,
        "predicted_probabilities": (probability_NC / probability_NC.sum(axis=1, keepdims=True)).astype(
            np.float32
        ),
    }


def test_probabilities_give_one_document_and_one_value_per_sample(tmp_path: Path) -> None:
    arrays = probabilities()
    np.savez(tmp_path / "in.npz", **arrays)
    done = run(tmp_path / "in.npz", "--out", tmp_path / "out.npz")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["samples"] == 3000
    assert document["model"] in ("beta", "gaussian")
    assert document["trust"]["verdict"] == "good"
    assert document["metrics"]["auroc"] > 0.97
    with np.load(tmp_path / "out.npz") as out:
        assert set(out.files) == {"noise_posterior", "suggested_label", "loss", "margin", "flagged"}
        assert out["flagged"].sum() == document["flagged"]
        assert (out["suggested_label"] == arrays["predicted_probabilities"].argmax(axis=1)).all()
        given = arrays["predicted_probabilities"][np.arange(3000), arrays["given_label"]]
        assert out["loss"] == pytest.approx(-np.log(given), rel=1e-5)


def test_losses_alone_are_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "in.npz", loss=np.concatenate([rng.gamma(1.0, 0.2, 800), rng.normal(5.0, 1.0, 200)]))
    done = run(tmp_path / "in.npz")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["noise_rate"] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"other": np.zeros(3)}, "found other"),
        ({"predicted_probabilities": np.ones((3, 2))}, "needs given_label"),
        ({"given_label": np.array([0, 1, 7]), "predicted_probabilities": np.ones((3, 2))}, "0 … 1"),
        ({"given_label": np.zeros(3, int), "predicted_probabilities": np.full((3, 2), np.nan)}, "finite"),
        ({"given_label": np.zeros(2, int), "loss": np.zeros(3)}, "2 entries"),
        ({"loss": np.array([{}], dtype=object)}, "plain arrays"),
    ],
)
def test_wrong_use_ends_with_one_line_and_code_two(
    tmp_path: Path, arrays: dict[str, np.ndarray], words: str
) -> None:
    np.savez(tmp_path / "in.npz", **arrays)
    done = run(tmp_path / "in.npz")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_a_file_that_is_none_ends_with_code_two(tmp_path: Path) -> None:
    (tmp_path / "in.npz").write_text("no archive")
    for path in (tmp_path / "in.npz", tmp_path / "absent.npz"):
        done = run(path)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
