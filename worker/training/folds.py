"""Predictions of networks that never saw the sample: the data in folds, one training for each.

Knows `train`; must not know what the predictions are used for. Shapes: N samples, C classes, M samples outside a fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.training.networks import Builder, built
from worker.training.reports import EpochReport, TrainingData
from worker.training.settings import Recipe
from worker.training.train import train


def fold_of_each(given_label_N: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold (N,) of each sample: at random, with every class spread evenly."""
    rng = np.random.default_rng([seed, folds])
    shuffled_N = rng.permutation(len(given_label_N))
    by_class_N = shuffled_N[np.argsort(given_label_N[shuffled_N], kind="stable")]
    fold_N = np.empty(len(given_label_N), dtype=np.int64)
    fold_N[by_class_N] = np.arange(len(given_label_N)) % folds
    return fold_N


def out_of_fold(
    data: TrainingData,
    recipe: Recipe,
    *,
    folds: int,
    seed: int,
    device: str = "auto",
    directory: Path,
    on_epoch: Callable[[int, EpochReport], None] = lambda fold, report: None,
    should_stop: Callable[[], bool] = lambda: False,
    build: Builder = built,
) -> NDArray[np.float32]:
    """Predicted probabilities (N, C) of each sample by the network trained on all folds but its own.

    Goes on where the trainings in `directory` stopped. Raises what `train` raises, and ValueError for fewer than 2 folds
    or fewer samples than folds.
    """
    samples = len(data.given_label_N)
    if not 2 <= folds <= samples // 2:
        raise ValueError(f"folds must lie between 2 and {samples // 2}, found {folds}")
    fold_N = fold_of_each(data.given_label_N, folds, seed)
    probability_NC = np.zeros((samples, data.classes), dtype=np.float32)
    for fold in range(folds):
        inside_M, held_out_K = np.flatnonzero(fold_N != fold), np.flatnonzero(fold_N == fold)
        part = replace(
            data,
            image_NHWC=data.image_NHWC[inside_M],
            given_label_N=data.given_label_N[inside_M],
            true_label_N=None if data.true_label_N is None else data.true_label_N[inside_M],
            validation_image_NHWC=data.image_NHWC[held_out_K],
            validation_label_N=data.given_label_N[held_out_K],
        )
        outcome = train(
            part,
            recipe,
            seed=seed + fold,
            device=device,
            directory=directory / f"fold-{fold}",
            on_epoch=partial(on_epoch, fold),
            should_stop=should_stop,
            build=build,
        )
        assert outcome.validation_probability_NC is not None
        probability_NC[held_out_K] = outcome.validation_probability_NC
    return probability_NC
