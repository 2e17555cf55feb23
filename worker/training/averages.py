"""Running averages that judge better than what they average: of a network's weights, and of what it predicts.

Knows tensors; must not know recipes or labels. Shapes: N samples, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

STEPS_MADE = "steps_made"

LARGEST_PREDICTIONS = 1 << 28
"""Probabilities (samples times classes) of which averages are kept: a gigabyte each."""


class WeightAverage:
    """The average of a network's floating point state over its last steps, each weighing less the older it is.

    `steps` is the span in which a weight falls to 1 / e; at first the span grows with the steps made. In the middle of
    a training at a high rate the average predicts far better than the weights of any moment (Polyak and Juditsky 1992).
    """

    def __init__(self, network: nn.Module, steps: float) -> None:
        self._steps, self._made = steps, 0
        # The network's own tensors: training writes into them and never replaces them.
        self._current = {
            name: value for name, value in network.state_dict().items() if value.is_floating_point()
        }
        self._average = {name: value.clone() for name, value in self._current.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights after a step."""
        self._made += 1
        decay = min(math.exp(-1.0 / self._steps), (1 + self._made) / (10 + self._made))
        torch._foreach_lerp_(list(self._average.values()), list(self._current.values()), 1.0 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within this context the network has the averaged weights."""
        kept = {name: value.clone() for name, value in self._current.items()}
        self._copy(self._average)
        try:
            yield
        finally:
            self._copy(kept)

    @torch.no_grad()
    def _copy(self, values: Mapping[str, Tensor]) -> None:
        for name, value in self._current.items():
            value.copy_(values[name])

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes."""
        return {**self._average, STEPS_MADE: torch.tensor(self._made)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._made = int(state[STEPS_MADE])
        for name, value in self._average.items():
            value.copy_(state[name])


class PredictionAverage:
    """Geometric mean of every sample's predicted probabilities over the epochs that count."""

    def __init__(self) -> None:
        self._sum_NC: Tensor | None = None
        self._epochs = 0

    @property
    def mean(self) -> Tensor | None:
        """Probabilities (N, C); None before the first epoch that counts."""
        return None if self._sum_NC is None else (self._sum_NC / self._epochs).softmax(dim=1)

    def update(self, log_probability_NC: Tensor) -> None:
        """Takes in the predictions after an epoch."""
        self._sum_NC = log_probability_NC + (0.0 if self._sum_NC is None else self._sum_NC)
        self._epochs += 1

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes."""
        return {} if self._sum_NC is None else {"sum": self._sum_NC, "epochs": torch.tensor(self._epochs)}

    def load_state(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """The inverse of `state`."""
        if state:
            self._sum_NC, self._epochs = state["sum"].to(device), int(state["epochs"])
