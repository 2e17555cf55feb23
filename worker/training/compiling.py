"""Compiling a network where that pays, with a way back: what cannot be compiled runs as it is, and says so.

Knows networks as modules; must not know what they are trained on.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from worker.training.device import Device
from worker.training.settings import Recipe

LONG = 5e10
"""Pixels that a training reads from which compiling pays on a CUDA device. On an H200 it took 45 s and saved .17 of 1.57 s
an epoch of 50 000 images of 32 × 32 pixels: as much as it takes after 1.4e10 pixels."""


def compiles(recipe: Recipe, device: Device, pixels: int) -> bool:
    """Whether a recipe's `compile` asks for it here, with so many pixels in all images."""
    if recipe.compile == "auto":
        return not recipe.literal and device.device.type == "cuda" and pixels * recipe.epochs >= LONG
    return recipe.compile == "on"


def compiled(network: nn.Module, example_BCHW: Tensor, device: Device) -> str | None:
    """Compiles the network in place and tries it on an example; why it stays as it was, or None.

    Only fuses: recording whole steps is `recording`'s.
    """
    # Batches differ in size by one at most: two versions for fixed sizes beat one for any size.
    network.compile(dynamic=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    training = network.training
    reason: str | None = None
    try:
        network.train()
        with device.autocast():
            logit_BC: Tensor = network(example_BCHW)
        logit_BC.float().square().mean().backward()  # type: ignore[no-untyped-call]
    except torch.OutOfMemoryError:
        raise
    except (
        RuntimeError,
        ImportError,
        OSError,
    ) as error:  # torch's compiler raises these for whatever goes wrong
        network._compiled_call_impl = None
        reason = f"the network runs uncompiled: {str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__}"
    for parameter in network.parameters():
        parameter.grad = None
    network.load_state_dict(before)
    network.train(training)
    return reason
