"""The margins and losses of our own trainings: what the noise model says of them, held to our aims."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.noise import best_f1, main, missed, own_cases, row_of

LOSSES = Path(__file__).parents[2] / "benchmarks" / "losses"
CASES = {(case.name, case.source): case for case in own_cases(LOSSES)}


@pytest.mark.parametrize(
    "kind", ["symmetric_0.1", "class-conditional_0.1", "class-conditional_0.2", "class-conditional_0.3"]
)
def test_predictions_of_a_training_meet_every_aim_and_are_trusted(kind: str) -> None:
    row = row_of(CASES[f"training, {kind}", "predictions"])
    assert row["verdict"] == "good"
    assert missed(row) == [], row


@pytest.mark.parametrize("recorded", ["", "_first", "_first_two_threads"])
def test_where_people_erred_flags_are_near_the_best_and_the_verdict_is_doubtful(recorded: str) -> None:
    # Of the rate these scores tell little: it may be further off than elsewhere, and its interval says so.
    row = row_of(CASES[f"training, cifar10n_random1{recorded}", "predictions"])
    assert row["verdict"] == "doubtful"
    assert set(missed(row)) <= {"rate"}, row
    assert row["noise_rate"] == pytest.approx(row["true_rate"], abs=0.05)


def test_their_losses_alone_accuse_nobody() -> None:
    assert row_of(CASES["training, cifar10n_random1", "mean loss"])["verdict"] == "none"


def test_mostly_wrong_labels_are_flagged_though_their_scores_form_one_group() -> None:
    row = row_of(CASES["training, symmetric_0.8", "predictions"])
    assert row["verdict"] == "doubtful"
    assert row["f1"] > row["best_f1"] - 0.03
    assert row["covered"]


@pytest.mark.parametrize("source", ["predictions", "mean loss", "last loss"])
def test_a_training_without_noise_is_not_accused(source: str) -> None:
    row = row_of(CASES["training, symmetric_0", source])
    assert row["flagged"] <= 0.005
    assert row["verdict"] == "none"


def test_without_noise_the_first_epoch_bounds_what_may_be_wrong() -> None:
    low, high = row_of(CASES["training, symmetric_0", "predictions"])["interval"]
    assert low == 0.0
    assert high < 0.6


def test_the_best_f1_is_the_best_of_all_thresholds_with_ties_together() -> None:
    noisy_N = np.array([1, 1, 0, 0], bool)
    assert best_f1(noisy_N, np.array([3.0, 2.0, 1.0, 0.0])) == 1.0
    assert best_f1(noisy_N, np.ones(4)) == pytest.approx(2 / 3)


def test_the_command_writes_its_tables_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--losses", str(tmp_path), "--json", str(tmp_path / "deep" / "noise.json")]) == 0
    document = json.loads((tmp_path / "deep" / "noise.json").read_text())
    speed = {row["fit"]: row["fit_ms"] for row in document["speed"]}
    assert speed["plain scipy, beta, moments"] > 5 * speed["beta, moments"]
    assert "plain scipy" in capsys.readouterr().out
    assert main([str(tmp_path / "absent")]) == 2
