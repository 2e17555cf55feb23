"""Running averages: what they converge to, that they leave the network alone, and that they resume."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from worker.training.averages import PredictionAverage, WeightAverage


def moved(network: nn.Linear, to: float) -> None:
    with torch.no_grad():
        network.weight.fill_(to)


def test_the_average_of_constant_weights_is_those_weights() -> None:
    network = nn.Linear(2, 2)
    average = WeightAverage(network, steps=5)
    moved(network, 3.0)
    for _ in range(200):
        average.update()
    with average.in_place():
        assert torch.allclose(network.weight, torch.full((2, 2), 3.0), atol=1e-4)


def test_the_average_lags_behind_by_its_span_and_the_network_keeps_its_own_weights() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = WeightAverage(network, steps=10)
    for step in range(1000):
        moved(network, float(step))
        average.update()
    with average.in_place():
        # A ramp seen through exponential weights lags by 1 / (e^(1/10) − 1) steps.
        assert network.weight.item() == pytest.approx(999.0 - 9.508, abs=0.01)
    assert network.weight.item() == 999.0


def test_batch_statistics_are_averaged_and_counters_are_not() -> None:
    network = nn.BatchNorm2d(1)
    average = WeightAverage(network, steps=2)
    for _ in range(50):
        network(torch.full((2, 1, 2, 2), 4.0) + torch.tensor([0.0, 1.0])[:, None, None, None])
        average.update()
    with average.in_place():
        assert network.running_mean is not None
        assert network.running_mean.item() == pytest.approx(4.5, abs=0.1)
        assert network.num_batches_tracked is not None
        assert network.num_batches_tracked.item() == 50


def test_a_resumed_average_goes_on_to_the_bit() -> None:
    network = nn.Linear(3, 2)
    average = WeightAverage(network, steps=4)
    for step in range(6):
        moved(network, float(step))
        average.update()
    other = WeightAverage(network, steps=4)
    other.load_state({name: value.clone() for name, value in average.state().items()})
    for each in (average, other):
        each.update()
    with average.in_place():
        expected = network.weight.clone()
    with other.in_place():
        assert torch.equal(network.weight, expected)


def test_the_mean_of_predictions_is_the_geometric_one() -> None:
    average = PredictionAverage()
    assert average.mean is None
    assert average.state() == {}
    for share in (0.9, 0.2):
        average.update(torch.tensor([[share, 1.0 - share]]).log())
    first, second = 0.9**0.5 * 0.2**0.5, 0.1**0.5 * 0.8**0.5
    assert average.mean is not None
    assert average.mean[0].tolist() == pytest.approx([first / (first + second), second / (first + second)])
    other = PredictionAverage()
    other.load_state(average.state(), torch.device("cpu"))
    assert other.mean is not None
    assert torch.equal(other.mean, average.mean)
