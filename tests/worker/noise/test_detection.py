"""Detection metrics equal scikit-learn's, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from worker.noise.detection import auroc, average_precision, detection_metrics, flag_metrics


@pytest.mark.parametrize("levels", [3, 50, 10**9])
@pytest.mark.parametrize("seed", range(5))
def test_the_figures_equal_scikit_learns(levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    noisy_N = rng.random(500) < 0.3
    score_N = np.round((rng.random(500) + 0.4 * noisy_N) * levels) / levels
    flagged_N = score_N > 0.7
    assert auroc(noisy_N, score_N) == pytest.approx(roc_auc_score(noisy_N, score_N), abs=1e-12)
    assert average_precision(noisy_N, score_N) == pytest.approx(
        average_precision_score(noisy_N, score_N), abs=1e-12
    )
    figures = flag_metrics(noisy_N, flagged_N)
    assert figures["f1"] == pytest.approx(f1_score(noisy_N, flagged_N))
    assert figures["precision"] == pytest.approx(precision_score(noisy_N, flagged_N))
    assert figures["recall"] == pytest.approx(recall_score(noisy_N, flagged_N))


def test_without_noisy_samples_the_rank_figures_are_unknown_and_the_flag_figures_zero() -> None:
    figures = detection_metrics(np.zeros(4, bool), np.arange(4.0), np.zeros(4, bool))
    assert figures == {"auroc": None, "average_precision": None, "f1": 0.0, "precision": 0.0, "recall": 0.0}


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        auroc([True, False], [np.nan, 1.0])
    with pytest.raises(ValueError, match="one length"):
        average_precision([True, False], [1.0])
