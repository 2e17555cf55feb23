"""Out-of-fold predictions: every sample by a network that never saw it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.training.folds import fold_of_each, out_of_fold
from worker.training.recipes import recipe
from worker.training.reports import TrainingData


def test_folds_are_even_in_size_and_in_classes() -> None:
    given_N = np.repeat(np.arange(3), [50, 20, 31])
    fold_N = fold_of_each(given_N, 5, seed=1)
    assert np.bincount(fold_N).tolist() == [21, 20, 20, 20, 20]
    for label in range(3):
        sizes = np.bincount(fold_N[given_N == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    assert (fold_of_each(given_N, 5, seed=2) != fold_N).any()


@pytest.mark.slow
def test_a_label_that_only_one_sample_has_is_never_learned_out_of_fold(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    true_N = rng.integers(0, 2, 120)
    image_NHWC = (rng.integers(0, 60, (120, 8, 8, 1)) + 180 * true_N[:, None, None, None]).astype(np.uint8)
    given_N = true_N.copy()
    given_N[:12] = 1 - given_N[:12]
    data = TrainingData(image_NHWC, given_N, 2)
    settings = recipe("ce", {"epochs": 4, "width": 4, "blocks": 1, "batch_size": 16})
    epochs: list[tuple[int, int]] = []
    probability_NC = out_of_fold(
        data, settings, folds=3, seed=0, device="cpu", directory=tmp_path,
        on_epoch=lambda fold, report: epochs.append((fold, report.epoch)),
    )  # fmt: skip
    assert epochs == [(fold, epoch) for fold in range(3) for epoch in range(1, 5)]
    assert probability_NC.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert (probability_NC.argmax(axis=1) == true_N).mean() > 0.9
    again_NC = out_of_fold(data, settings, folds=3, seed=0, device="cpu", directory=tmp_path)
    np.testing.assert_array_equal(again_NC, probability_NC)
    with pytest.raises(ValueError, match="between 2 and 60"):
        out_of_fold(data, settings, folds=1, seed=0, directory=tmp_path)
