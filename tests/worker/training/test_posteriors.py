"""A mixture as a table gives what the mixture gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from worker.noise.mixtures import BetaMixture
from worker.training.posteriors import FINE, SMALLEST, tabulated

RNG = np.random.default_rng(0)
LOSS_N = np.concatenate([RNG.gamma(2.0, 0.2, 700), RNG.normal(3.0, 0.5, 300)]).astype(np.float32)
WHERE = torch.device("cpu")


@pytest.mark.parametrize("normalisation", ["percentile", "maximum"])
def test_the_table_agrees_with_the_mixture(normalisation: str) -> None:
    mixture = BetaMixture(normalisation, tail=0.05).fit(LOSS_N)  # type: ignore[arg-type]
    table = tabulated(mixture, LOSS_N, normalisation, FINE, WHERE)
    expected_N = mixture.posterior(LOSS_N).clip(SMALLEST, 1.0 - SMALLEST)
    found_N = table.at(torch.from_numpy(LOSS_N)).numpy()
    inside_N = (table.lowest <= LOSS_N) & (table.highest >= LOSS_N)
    assert inside_N.mean() >= 0.9
    assert np.abs(found_N - expected_N)[inside_N].max() < 2e-3
    assert (np.diff(found_N[np.argsort(LOSS_N)]) >= -1e-6).all()


def test_the_coarse_lookup_takes_the_entry_at_or_below() -> None:
    mixture = BetaMixture("percentile", tail=0.05).fit(LOSS_N)
    table = tabulated(mixture, LOSS_N, "percentile", 100, WHERE)
    loss_B = torch.tensor([table.lowest - 9.0, table.lowest, table.highest, table.highest + 9.0])
    first, last = float(table.posterior_M[0]), float(table.posterior_M[-1])
    expected = np.clip([first, first, last, last], SMALLEST, 1.0 - SMALLEST)
    assert table.nearest(loss_B).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    third = table.lowest + 3.4 * (table.highest - table.lowest) / 99
    assert float(table.nearest(torch.tensor([third]))) == pytest.approx(
        max(float(table.posterior_M[3]), SMALLEST)
    )


def test_equal_losses_give_a_table_all_the_same() -> None:
    same_N = np.full(200, 0.7, np.float32)
    table = tabulated(BetaMixture().fit(same_N), same_N, "percentile", FINE, WHERE)
    assert torch.isfinite(table.at(torch.from_numpy(same_N))).all()
