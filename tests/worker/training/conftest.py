"""Scikit-learn's digits with planted noise: real images that train in seconds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from worker.noise.inject import inject
from worker.training.reports import TrainingData


def noisy_digits(samples: int = 1797, rate: float = 0.2) -> TrainingData:
    """The first samples, a share of their labels redrawn from a fixed seed."""
    bunch = load_digits()
    image_NHWC = (bunch.images[:samples] * 15).astype(np.uint8)[..., None]
    true_N = bunch.target[:samples].astype(np.int64)
    given_N = inject(true_N, 10, "symmetric", rate, np.random.default_rng(0))
    return TrainingData(image_NHWC, given_N, 10, true_label_N=true_N)


@pytest.fixture(scope="session")
def digits() -> TrainingData:
    return noisy_digits()


@pytest.fixture(scope="session")
def few_digits() -> TrainingData:
    return noisy_digits(300)
