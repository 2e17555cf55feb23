"""An epoch's plan as batches of augmented images on the device; knows pixels and plans, not labels.

Shapes: B positions of a step's batch, L of them computed by this process, M positions whose pixels this process reads
in an epoch, N all positions, H × W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    those are mixed with, `share` the mixing share. `image_BCHW` are this process's images; where the partners may
    belong to other processes, the partners' images follow them.
    """

    sample_B: Tensor
    own: slice
    partner_L: Tensor
    share: Tensor
    image_BCHW: Tensor


def steps_of(
    plan: Plan,
    images: Images,
    statistics: tuple[Tensor, Tensor],
    pad: int,
    layout: torch.memory_format,
    device: torch.device,
    group: Group,
    partners: bool,
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
    row_M, column_M, mirrored_M, order_N, partner_N = _moved(
        device,
        plan.shift_N2[position_M, 0],
        plan.shift_N2[position_M, 1],
        plan.mirrored_N[position_M],
        plan.order_N,
        plan.partner_N,
    )
    share_S = torch.from_numpy(plan.share_S).to(device, non_blocking=True)
    pixels = images.batches(plan.order_N[position_M], from_S)
    for step, (image_BHWC, (begin, end), (first, last)) in enumerate(zip(pixels, spans, parts, strict=True)):
        read = slice(int(from_S[step]), int(from_S[step + 1]))
        shift_B2 = torch.stack([row_M[read], column_M[read]], dim=1)
        image_BCHW = normalised(augmented(image_BHWC, pad, shift_B2, mirrored_M[read]), *statistics)
        yield Step(
            sample_B=order_N[begin:end],
            own=slice(first - begin, last - begin),
            partner_L=partner_N[first:last] - begin,
            share=share_S[step],
            image_BCHW=image_BCHW.contiguous(memory_format=layout),
        )


def _moved(device: torch.device, *arrays: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Tensor, ...]:
    """The vectors on the device, in one transfer."""
    together = torch.from_numpy(np.concatenate(arrays))
    if device.type == "cuda":
        together = together.pin_memory()
    return torch.split(together.to(device, non_blocking=True), [array.size for array in arrays])
