"""What a training knows of its samples between epochs, on the device; knows tensors, not networks.

Tensors that a recorded step reads keep their place in memory: they are written into, never replaced.
Shapes: N samples, C classes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.training.posteriors import PosteriorTable


class Known:
    """`given_N`, the labels; `posterior_N`, noise posteriors, and `table`, the mixture that they come from;
    `prediction_N`, the classes predicted after the last epoch; `transition_CC`, the noise transition matrix once
    estimated; `temperature`, that of the guess in the present epoch."""

    def __init__(self, given_label_N: NDArray[np.int64], where: torch.device) -> None:
        self._where = where
        self.given_N = torch.from_numpy(np.array(given_label_N, dtype=np.int64)).to(where)
        self.posterior_N = torch.zeros(len(given_label_N), device=where)
        self.prediction_N = self.given_N.clone()
        self.temperature = torch.ones((), device=where)
        self.table: PosteriorTable | None = None
        self.transition_CC: Tensor | None = None
        self.replaced = 0
        """How often a tensor was replaced after all: what was recorded before no longer holds."""

    def weigh(self, posterior_N: NDArray[np.floating], table: PosteriorTable | None = None) -> None:
        """Takes in the noise posteriors of the last epoch, and with weights from the batch their mixture."""
        self.posterior_N.copy_(torch.from_numpy(posterior_N.astype(np.float32)))
        if table is not None or self.table is not None:
            self.table = table
            self.replaced += 1

    def correct(self, transition_CC: Tensor) -> None:
        """Takes in the noise transition matrix (forward correction)."""
        self.transition_CC = transition_CC.to(self._where)
        self.replaced += 1

    def state(self) -> dict[str, Tensor]:
        """What `load_state` takes."""
        tensors = {"posterior": self.posterior_N, "prediction": self.prediction_N}
        if self.table is not None:
            tensors["table"] = self.table.posterior_M
            tensors["table_range"] = torch.tensor(
                [self.table.lowest, self.table.highest], dtype=torch.float64
            )
        if self.transition_CC is not None:
            tensors["transition"] = self.transition_CC
        return tensors

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of `state`; other names are ignored."""
        self.posterior_N.copy_(tensors["posterior"])
        self.prediction_N.copy_(tensors["prediction"])
        if "table" in tensors:
            low, high = tensors["table_range"].tolist()
            self.table = PosteriorTable(low, high, tensors["table"].to(self._where))
        if "transition" in tensors:
            self.correct(tensors["transition"])
