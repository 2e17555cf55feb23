"""The margins and losses of our own trainings: what the noise model says of them, held to our aims."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.noise import best_f1, main, missed, own_cases, row_of

LOSSES = Path(__file__).parents[2] / "benchmarks" / "losses"
ROWS = {(case.name, case.source): row_of(case) for case in own_cases(LOSSES)}


@pytest.mark.parametrize("kind", ["symmetric_0.02", "symmetric_0.1", "symmetric_0.2", "symmetric_0.4"])
def test_on_margins_with_even_noise_flags_and_rate_meet_the_aims(kind: str) -> None:
    row = ROWS[f"training, {kind}", "margin"]
    assert row["verdict"] in ("good", "doubtful")
    assert missed(row) == [], row


@pytest.mark.parametrize("source", ["margin", "mean loss", "last loss"])
def test_a_training_without_noise_is_not_accused(source: str) -> None:
    row = ROWS["training, symmetric_0", source]
    assert row["flagged"] <= 0.005
    assert row["verdict"] == "none"


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
