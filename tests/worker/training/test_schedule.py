"""Where a step stands: the turns of several networks, their cycles, and which epochs count."""

from __future__ import annotations

import pytest

from worker.training.recipes import recipe
from worker.training.schedule import first_epochs, is_ranked, learning_rate, turn


@pytest.mark.parametrize(("epochs", "networks"), [(16, 2), (7, 3), (1, 2), (30, 4), (5, 1)])
def test_every_network_has_its_turn_and_turns_follow_each_other(epochs: int, networks: int) -> None:
    settings = recipe("fast", {"epochs": epochs, "networks": networks})
    turns = [turn(settings, epoch) for epoch in range(1, epochs + 1)]
    used = min(networks, epochs)
    assert sorted({index for index, _, _ in turns}) == list(range(used))
    assert first_epochs(settings) == sorted({first for _, first, _ in turns})
    for epoch, (index, first, last) in enumerate(turns, 1):
        assert first <= epoch <= last
        assert [place for place, each in enumerate(turns, 1) if each[0] == index] == list(
            range(first, last + 1)
        )
        assert last - first + 1 in (epochs // used, -(-epochs // used))


def test_each_network_has_a_cycle_of_the_rate_and_its_own_ranked_end() -> None:
    settings = recipe("fast", {"epochs": 16, "networks": 2, "ranking_skip": 0.75})
    rates = [learning_rate(settings, 10, epoch, step) for epoch in range(1, 17) for step in range(10)]
    assert rates[:80] == rates[80:]
    assert rates[0] < 0.1 * max(rates)
    assert rates[79] < 0.1 * max(rates)
    assert [epoch for epoch in range(1, 17) if is_ranked(settings, epoch)] == [7, 8, 15, 16]


def test_some_epoch_is_always_ranked() -> None:
    for epochs in range(1, 9):
        settings = recipe("fast", {"epochs": epochs, "ranking_skip": 0.9})
        assert is_ranked(settings, epochs)
