"""What a run is said to cost grows with what costs it, and is near to what was measured."""

from __future__ import annotations

import pytest

from backend.audit.costs import run_bytes, run_seconds
from worker.training.recipes import RECIPES, recipe

FAST = RECIPES["fast"]


def test_the_time_grows_with_samples_epochs_width_and_pixels() -> None:
    base = run_seconds(FAST, 10_000, 32 * 32)
    assert base is not None
    # Measured: 10 000 images on two shared cores took about three minutes.
    assert 60 < base < 600
    more = (
        run_seconds(FAST, 20_000, 32 * 32),
        run_seconds(recipe("fast", {"epochs": 2 * FAST.epochs}), 10_000, 32 * 32),
        run_seconds(recipe("fast", {"width": 2 * FAST.width}), 10_000, 32 * 32),
        run_seconds(FAST, 10_000, 64 * 64),
    )
    assert all(longer is not None and longer > 1.8 * base for longer in more)
    assert run_seconds(FAST, 0, 32 * 32) is None


@pytest.mark.parametrize("name", list(RECIPES))
def test_the_disk_grows_with_samples_and_epochs_for_every_recipe(name: str) -> None:
    each = RECIPES[name]
    base = run_bytes(each, 10_000, 10, (32, 32, 3))
    assert base > 10_000 * 32 * 32 * 3
    assert run_bytes(each, 20_000, 10, (32, 32, 3)) > base
    assert run_bytes(recipe(name, {"epochs": 2 * each.epochs}), 10_000, 10, (32, 32, 3)) > base


@pytest.mark.parametrize("network", ["preact-resnet", "audit", "resnet18", "resnet34", "resnet50"])
def test_every_network_has_a_size(network: str) -> None:
    assert run_bytes(recipe("ce", {"network": network}), 100, 2, (32, 32, 3)) > 1_000_000
