"""Exact neighbours against the definition, and on what has no direction."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from worker.embedding.similarity import nearest, neighbours, unit_rows


def test_neighbours_equal_those_of_scikit_learn() -> None:
    feature_NF = np.random.default_rng(1).normal(size=(300, 12)).astype(np.float32)
    reference = NearestNeighbors(n_neighbors=9, metric="cosine", algorithm="brute").fit(feature_NF)
    expected_NK = reference.kneighbors(feature_NF, return_distance=False)[:, 1:]

    found_NK = neighbours(feature_NF, k=8)

    assert found_NK.dtype == np.int32
    np.testing.assert_array_equal(found_NK, expected_NK)


def test_blocks_change_nothing() -> None:
    point_NF = np.random.default_rng(2).normal(size=(200, 5)).astype(np.float32)
    index_NK, distance_NK = nearest(point_NF, 8)

    seven_rows_at_a_time = nearest(point_NF, 8, block_bytes=4 * 200 * 7)

    np.testing.assert_array_equal(seven_rows_at_a_time[0], index_NK)
    np.testing.assert_allclose(seven_rows_at_a_time[1], distance_NK, atol=1e-3)


def test_distances_are_euclidean() -> None:
    point_NF = np.random.default_rng(3).normal(size=(80, 4)).astype(np.float32)

    index_NK, distance_NK = nearest(point_NF, 5)

    expected_NK = np.linalg.norm(point_NF[:, None] - point_NF[index_NK], axis=2)
    np.testing.assert_allclose(distance_NK, expected_NK, atol=1e-3)
    assert (np.diff(distance_NK, axis=1) >= 0).all()


@pytest.mark.parametrize(("samples", "columns"), [(0, 0), (1, 0), (3, 2), (9, 8), (50, 8)])
def test_there_are_never_more_neighbours_than_other_samples(samples: int, columns: int) -> None:
    feature_NF = np.random.default_rng(4).normal(size=(samples, 6)).astype(np.float32)

    index_NK = neighbours(feature_NF, k=8)

    assert index_NK.shape == (samples, columns)
    assert all(own not in row for own, row in enumerate(index_NK))


def test_features_that_are_equal_zero_or_not_finite_still_give_distinct_neighbours() -> None:
    feature_NF = np.zeros((40, 6), dtype=np.float32)
    feature_NF[5] = np.nan
    feature_NF[6] = np.inf
    feature_NF[7:20] = 1.0

    index_NK = neighbours(feature_NF, k=8)

    assert all(len(set(row)) == 8 and own not in row for own, row in enumerate(index_NK.tolist()))
    assert set(index_NK[7]) <= set(range(7, 20))


def test_unit_rows_have_length_one_or_are_zero() -> None:
    row_NF = np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 2.0], [1e30, 1e30]])

    length_N = np.linalg.norm(unit_rows(row_NF), axis=1)

    np.testing.assert_allclose(length_N, [1, 0, 1, 1], rtol=1e-6)
