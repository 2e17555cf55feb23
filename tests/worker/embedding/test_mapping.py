"""The map keeps groups together, repeats itself, and has an answer for every matrix."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from worker.embedding import embed, neighbours


@pytest.fixture(scope="module")
def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    pixels_NF, label_N = load_digits(return_X_y=True)
    return pixels_NF[:600].astype(np.float32), label_N[:600]


@pytest.mark.slow
def test_digits_of_a_kind_lie_together_and_the_map_repeats_itself(
    digits: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    feature_NF, label_N = digits
    fractions: list[float] = []

    xy_N2 = embed(feature_NF, seed=3, progress=fractions.append)

    assert xy_N2.shape == (600, 2)
    assert xy_N2.dtype == np.float32
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    centred_N3 = np.hstack([xy_N2 - xy_N2.mean(axis=0), np.full((600, 1), 1e3)])  # angle stands for distance
    agreeing = (label_N[neighbours(centred_N3, k=5)] == label_N[:, None]).mean()
    assert agreeing > 0.9
    np.testing.assert_array_equal(embed(feature_NF, seed=3), xy_N2)


@pytest.mark.parametrize("samples", [0, 1, 2, 5, 14])
def test_a_handful_of_samples_is_laid_out_by_principal_components(samples: int) -> None:
    feature_NF = np.random.default_rng(0).normal(size=(samples, 8)).astype(np.float32)

    xy_N2 = embed(feature_NF, seed=0)

    assert xy_N2.shape == (samples, 2)
    assert np.isfinite(xy_N2).all()
    if samples > 2:
        assert (xy_N2.std(axis=0) > 0).all()


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
def test_features_that_do_not_vary_put_all_samples_in_one_place(value: float) -> None:
    xy_N2 = embed(np.full((40, 6), value, dtype=np.float32), seed=0)

    np.testing.assert_array_equal(xy_N2, np.zeros((40, 2), dtype=np.float32))


def test_features_along_one_direction_are_laid_out_along_a_line() -> None:
    angle_N = np.linspace(0, 1e-3, 60)
    feature_NF = np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1)

    xy_N2 = embed(feature_NF, seed=0)

    assert (xy_N2[:, 1] == 0).all()
    steps = np.diff(xy_N2[:, 0])
    assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.slow
def test_broken_and_repeated_rows_leave_the_map_finite(
    digits: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    feature_NF = digits[0][:120].copy()
    feature_NF[3] = np.nan
    feature_NF[4, 0] = np.inf
    feature_NF[20:80] = feature_NF[20]

    assert np.isfinite(embed(feature_NF, seed=0)).all()
