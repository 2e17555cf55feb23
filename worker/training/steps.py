"""An epoch's plan as batches of pixels on the device; knows pixels and plans, not labels.

Shapes: B positions of a step's batch, L of them computed by this process, R images that this process reads for a step,
M those of an epoch, N all positions, H × W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from worker.training.augmentation import augmented, normalised
from worker.training.images import Images
from worker.training.parallel import Group
from worker.training.plan import Plan


@dataclass(frozen=True)
class Step:
    """What one step computes from, on the device.

    `sample_B` are the whole batch's samples, `own` this process's L rows of it, `partner_L` the rows of the batch that
    those are mixed with, `share` the mixing share. `image_RHWC` are this process's images as they are stored; where the
    partners may belong to other processes, the partners' images follow them.
    """

    own: slice
    sample_B: Tensor
    partner_L: Tensor
    share: Tensor
    image_RHWC: Tensor
    shift_R2: Tensor
    mirrored_R: Tensor

    @property
    def size(self) -> int:
        """B."""
        return self.sample_B.shape[0]

    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in a fixed order."""
        return (
            self.sample_B, self.partner_L, self.share, self.image_RHWC, self.shift_R2, self.mirrored_R,
        )  # fmt: skip

    def cloned(self) -> Step:
        """The step in memory of its own."""
        sample_B, partner_L, share, image_RHWC, shift_R2, mirrored_R = (
            each.clone() for each in self.tensors()
        )
        return replace(
            self, sample_B=sample_B, partner_L=partner_L, share=share,
            image_RHWC=image_RHWC, shift_R2=shift_R2, mirrored_R=mirrored_R,
        )  # fmt: skip

    def pixels(self, pad: int, statistics: tuple[Tensor, Tensor], layout: torch.memory_format) -> Tensor:
        """The images as the network reads them (R, C, H, W): shifted, mirrored, standardised."""
        image_RHWC = augmented(self.image_RHWC, pad, self.shift_R2, self.mirrored_R)
        return normalised(image_RHWC, *statistics).contiguous(memory_format=layout)


def steps_of(
    plan: Plan, images: Images, device: torch.device, group: Group, *, partners: bool
) -> Iterator[Step]:
    """The steps of the plan, in order; `partners` asks for the pixels of each row's partner as well."""
    spans = list(pairwise(plan.begin_S.tolist()))
    parts = [group.part(*span) for span in spans]
    pieces = [
        np.concatenate([np.arange(*part), plan.partner_N[slice(*part)]]) if partners else np.arange(*part)
        for part in parts
    ]
    position_M = np.concatenate(pieces)
    from_S = np.concatenate([[0], np.cumsum([piece.size for piece in pieces])])
    shift_M, mirrored_M, order_N, partner_N = _moved(
        device,
        plan.shift_N2[position_M].reshape(-1),
        plan.mirrored_N[position_M],
        plan.order_N,
        plan.partner_N,
    )
    shift_M2 = shift_M.view(-1, 2)
    share_S = torch.from_numpy(plan.share_S).to(device, non_blocking=True)
    pixels = images.batches(plan.order_N[position_M], from_S)
    for step, (image_RHWC, (begin, end), (first, last)) in enumerate(zip(pixels, spans, parts, strict=True)):
        read = slice(int(from_S[step]), int(from_S[step + 1]))
        yield Step(
            own=slice(first - begin, last - begin),
            sample_B=order_N[begin:end],
            partner_L=partner_N[first:last] - begin,
            share=share_S[step],
            image_RHWC=image_RHWC,
            shift_R2=shift_M2[read],
            mirrored_R=mirrored_M[read],
        )


def _moved(device: torch.device, *arrays: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Tensor, ...]:
    """The vectors on the device, in one transfer."""
    together = torch.from_numpy(np.concatenate(arrays))
    if device.type == "cuda":
        together = together.pin_memory()
    return torch.split(together.to(device, non_blocking=True), [array.size for array in arrays])
