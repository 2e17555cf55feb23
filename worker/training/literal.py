"""How a step is carried out: leanly, or as the authors' released code does it, pass by pass, for comparison.

The arithmetic of a recipe is the same in both manners. The literal one makes an epoch of M-DYR-H cost six forward
passes: three that build graphs (guess, posterior of the augmented batch, mixed images), a backward pass worth two, and
tracking. It reads posteriors from a table of 100 entries on the processor, for which every step waits, in float32,
contiguous layout, with an unfused optimiser, and tracks in batches of the training's size.

Departs from the released code in what feeds it: pixels are on the device and augmented there in both manners.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from worker.training.posteriors import FINE, PosteriorTable


@dataclass(frozen=True)
class Manner:
    """How the passes of a step are computed; not what."""

    side_pass: Callable[[], AbstractContextManager[object]]
    """The context of passes whose gradient nobody needs."""
    layout: torch.memory_format
    fused: bool
    """One kernel for the whole optimiser step."""
    entries: int
    """Of the table of posteriors."""
    lookup: Callable[[PosteriorTable, Tensor], Tensor]
    large_tracking: bool
    """Track in as large batches as fit, not in the training's."""


def _looked_up_on_the_processor(table: PosteriorTable, loss_B: Tensor) -> Tensor:
    on_host = PosteriorTable(table.lowest, table.highest, table.posterior_M.cpu())
    return on_host.nearest(loss_B.detach().cpu()).to(loss_B.device)


LEAN = Manner(torch.no_grad, torch.channels_last, True, FINE, PosteriorTable.at, True)
LITERAL = Manner(nullcontext, torch.contiguous_format, False, 100, _looked_up_on_the_processor, False)
