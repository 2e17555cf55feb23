"""An epoch's random choices: each sample once, partners within a step, drawn from seed and epoch alone."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from worker.training.plan import drawn


@pytest.mark.parametrize(("samples", "steps"), [(2, 1), (103, 8), (1000, 7)])
def test_every_sample_comes_once_in_steps_of_nearly_equal_size(samples: int, steps: int) -> None:
    plan = drawn(3, 1, samples, steps, pad=2, flip=True, mixup_alpha=1.0)
    assert sorted(plan.order_N) == list(range(samples))
    sizes = np.diff(plan.begin_S)
    assert sizes.sum() == samples
    assert sizes.max() - sizes.min() <= 1
    for begin, end in zip(plan.begin_S[:-1], plan.begin_S[1:], strict=True):
        assert sorted(plan.partner_N[begin:end]) == list(range(begin, end))
    assert plan.steps == steps
    assert ((plan.share_S >= 0) & (plan.share_S <= 1)).all()


def test_choices_are_spread_over_all_that_is_possible() -> None:
    plan = drawn(0, 1, 2000, 20, pad=2, flip=True, mixup_alpha=32.0)
    assert set(np.unique(plan.shift_N2)) == {0, 1, 2, 3, 4}
    assert plan.mirrored_N.mean() == pytest.approx(0.5, abs=0.05)
    assert plan.share_S.mean() == pytest.approx(0.5, abs=0.1)
    assert not np.array_equal(plan.order_N, np.arange(2000))


def test_nothing_is_drawn_that_is_not_asked_for() -> None:
    plan = drawn(0, 1, 50, 5, pad=0, flip=False, mixup_alpha=None)
    assert not plan.shift_N2.any()
    assert not plan.mirrored_N.any()
    assert (plan.share_S == 1.0).all()
    assert (plan.partner_N == np.arange(50)).all()


def test_seed_and_epoch_alone_decide() -> None:
    asked = {"pad": 2, "flip": True, "mixup_alpha": 1.0}
    first, again = drawn(5, 2, 60, 4, **asked), drawn(5, 2, 60, 4, **asked)  # type: ignore[arg-type]
    for field in fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(again, field.name))
    for seed, epoch in ((5, 3), (6, 2)):
        other = drawn(seed, epoch, 60, 4, **asked)  # type: ignore[arg-type]
        assert not np.array_equal(first.order_N, other.order_N)
