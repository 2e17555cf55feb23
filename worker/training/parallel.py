"""Several processes, one device each, that train one network together (torchrun); alone, every call does nothing.

The processes go through the same global batches: each computes its share of every batch, sums of losses, class
means and batch statistics are taken over all of them, so that the numbers are those of one device up to rounding.
Knows tensors and torch.distributed; must not know what is trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from worker.training.device import Device, chosen_device


@dataclass(frozen=True)
class Group:
    """This process among `size`; `rank` 0 is the one that writes and speaks."""

    rank: int = 0
    size: int = 1

    def part(self, begin: int, end: int) -> tuple[int, int]:
        """This process's contiguous part of begin … end − 1."""
        length = end - begin
        return begin + length * self.rank // self.size, begin + length * (self.rank + 1) // self.size

    def sum_(self, tensor: Tensor) -> Tensor:
        """The tensor, after adding every process's in place."""
        if self.size > 1:
            distributed.all_reduce(tensor)
        return tensor

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, through which gradients flow back to all of them."""
        if self.size == 1:
            return tensor
        summed: Tensor = _Sum.apply(tensor)
        return summed

    def agreed(self, flag: bool, device: torch.device) -> bool:
        """Whether any process says so; all must ask together."""
        if self.size == 1:
            return flag
        return bool(self.sum_(torch.tensor(float(flag), device=device)) > 0)

    def wait(self) -> None:
        """Returns when all processes are here."""
        if self.size > 1:
            distributed.barrier()

    def shared(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        if self.size == 1:
            return network
        return DistributedDataParallel(network)

    def with_common_statistics(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The network with batch normalisation over the batches of all processes."""
        if self.size == 1:
            return network
        if device.type == "cuda":
            common: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
            return common
        for module in list(network.modules()):
            for name, child in list(module.named_children()):
                if type(child) is nn.BatchNorm2d:
                    setattr(module, name, CommonBatchNorm(child, self))
        return network


ALONE = Group()


class _Sum(torch.autograd.Function):
    """All-reduce whose gradient is summed over all processes as well."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        summed = tensor.clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone()
        distributed.all_reduce(summed)
        return summed


class CommonBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over all processes' batches on any device; torch's own knows CUDA alone."""

    def __init__(self, own: nn.BatchNorm2d, group: Group) -> None:
        super().__init__(own.num_features, eps=own.eps, momentum=own.momentum)
        self.load_state_dict(own.state_dict())
        self.to(own.weight.device)
        self._group = group

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Normalised by the mean and variance of all processes' positions while training."""
        if not self.training:
            unchanged: Tensor = super().forward(x_BCHW)
            return unchanged
        wide_BCHW = x_BCHW.float()
        count = wide_BCHW.new_tensor([wide_BCHW.numel() / wide_BCHW.shape[1]])
        moments = torch.cat([wide_BCHW.sum((0, 2, 3)), wide_BCHW.square().sum((0, 2, 3)), count])
        moments = self._group.sum(moments)
        total = moments[-1].detach()
        mean_C, square_C = moments[:-1].view(2, -1) / total
        variance_C = square_C - mean_C.square()
        with torch.no_grad():
            momentum = self.momentum or 0.0
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.lerp_(mean_C, momentum)
            self.running_var.lerp_(variance_C * total / (total - 1.0), momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        scale_C = self.weight * (variance_C + self.eps).rsqrt()
        shift_C = self.bias - mean_C * scale_C
        out_BCHW: Tensor = wide_BCHW * scale_C[:, None, None] + shift_C[:, None, None]
        return out_BCHW.to(x_BCHW.dtype)


def speaks() -> bool:
    """Whether this process is the one that writes and prints: the first of this machine, or the only one."""
    launched = distributed.is_available() and distributed.is_torchelastic_launched()
    return not launched or distributed.get_node_local_rank() == 0


@contextmanager
def joined(device: str) -> Iterator[tuple[Group, Device]]:
    """The group and device of this process: alone unless torchrun started it. Raises ValueError as `chosen_device`."""
    if not distributed.is_available() or not distributed.is_torchelastic_launched():
        yield ALONE, chosen_device(device)
        return
    local = distributed.get_node_local_rank()
    on_cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    chosen = chosen_device(f"cuda:{local}" if on_cuda else device)
    if on_cuda:
        torch.cuda.set_device(chosen.device)
    distributed.init_process_group("nccl" if on_cuda else "gloo")
    try:
        group = Group(distributed.get_rank(), distributed.get_world_size())
        yield group, replace(chosen, name=f"{group.size} × {chosen.name}")
    finally:
        distributed.destroy_process_group()
