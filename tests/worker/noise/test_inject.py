"""Planted noise has the rate and the shape it promises."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.inject import KINDS, inject

TRUE_N = np.random.default_rng(9).integers(0, 10, 20000)
FEATURE_ND = np.random.default_rng(8).random((20000, 12))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_every_kind_gives_labels_of_known_classes_from_the_seed_alone(kind: str, rate: float) -> None:
    given_N = inject(TRUE_N, 10, kind, rate, rng(), feature=FEATURE_ND)
    assert given_N.dtype == np.int64
    assert given_N.min() >= 0
    assert given_N.max() < 10
    assert (given_N == inject(TRUE_N, 10, kind, rate, rng(), feature=FEATURE_ND)).all()
    if rate == 0.0:
        assert (given_N == TRUE_N).all()


def test_symmetric_noise_may_draw_the_true_label_again() -> None:
    wrong = (inject(TRUE_N, 10, "symmetric", 0.4, rng()) != TRUE_N).mean()
    assert wrong == pytest.approx(0.36, abs=0.01)


def test_exclusive_noise_makes_exactly_its_share_wrong_and_spreads_it_evenly() -> None:
    given_N = inject(TRUE_N, 10, "symmetric-exclusive", 0.4, rng())
    assert (given_N != TRUE_N).sum() == 8000
    counts = np.bincount((given_N - TRUE_N)[given_N != TRUE_N] % 10, minlength=10)
    assert counts[0] == 0
    assert counts[1:] == pytest.approx(8000 / 9, rel=0.12)


def test_class_conditional_noise_follows_its_matrix() -> None:
    matrix_CC = np.random.default_rng(1).dirichlet(np.ones(10), 10)
    given_N = inject(TRUE_N, 10, "class-conditional", 0.0, rng(), matrix=matrix_CC)
    counts_CC = np.zeros((10, 10))
    np.add.at(counts_CC, (TRUE_N, given_N), 1.0)
    assert counts_CC / counts_CC.sum(axis=1, keepdims=True) == pytest.approx(matrix_CC, abs=0.05)


def test_class_conditional_noise_without_a_matrix_moves_each_class_to_its_next() -> None:
    given_N = inject(TRUE_N, 10, "class-conditional", 0.3, rng())
    assert set((given_N - TRUE_N) % 10) == {0, 1}
    assert (given_N != TRUE_N).mean() == pytest.approx(0.3, abs=0.02)


def test_instance_noise_gives_like_images_like_mistakes() -> None:
    true_N = np.zeros(4000, dtype=np.int64)
    feature_ND = np.repeat(np.eye(2), 2000, axis=0) * 100.0
    given_N = inject(true_N, 10, "instance", 0.4, rng(), feature=feature_ND)
    assert (given_N != 0).mean() == pytest.approx(0.4, abs=0.03)
    first = np.bincount(given_N[:2000], minlength=10)[1:]
    second = np.bincount(given_N[2000:], minlength=10)[1:]
    # Two kinds of image: within one kind mistakes agree, between the kinds they differ.
    assert np.abs(first - second).sum() > 0.5 * (first + second).sum()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "odd"}, "odd"),
        ({"rate": 1.5}, "1.5"),
        ({"rate": float("nan")}, "nan"),
        ({"classes": 1}, "at least 2"),
        ({"classes": 5}, "0 … 4"),
        ({"kind": "class-conditional", "matrix": np.ones((10, 10))}, "sums to 10"),
        ({"kind": "class-conditional", "matrix": np.eye(3)}, "10 × 10"),
        ({"kind": "class-conditional", "matrix": -np.eye(10)}, "at least 0"),
        ({"kind": "instance"}, "features"),
    ],
)
def test_unusable_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    usual: dict[str, object] = {"kind": "symmetric", "rate": 0.1, "classes": 10, "rng": rng()}
    with pytest.raises(ValueError, match=words):
        inject(TRUE_N, **{**usual, **arguments})  # type: ignore[arg-type]
