"""Where to compute and in which number format; knows hardware, nothing of networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

import torch

FEWEST_PIXELS_FOR_THREADS = 1 << 14
"""Pixels of a batch below which processor threads wait for each other longer than they compute: on 8 × 8 images
two threads take three times as long as one when the machine has other work."""


@dataclass(frozen=True)
class Device:
    """A place to compute: `device`, whether matrix work runs in bfloat16, and a name for people."""

    device: torch.device
    bfloat16: bool
    name: str

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which networks run."""
        if not self.bfloat16:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    @contextmanager
    def threads_for(self, pixels: int) -> Iterator[None]:
        """Within this context a CPU uses one thread for batches of few pixels, else as many as it has.

        Depends on the work alone, so that a resumed run adds its numbers in the same order.
        """
        before = torch.get_num_threads()
        if self.device.type == "cpu" and pixels < FEWEST_PIXELS_FOR_THREADS:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def aside(self) -> AbstractContextManager[object]:
        """The context in which copies do not wait for the work that is queued on a CUDA device."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.cuda.stream(torch.cuda.Stream(self.device))  # type: ignore[no-untyped-call]

    def with_precision(self, precision: str) -> Device:
        """This device computing in "float32" or "bfloat16"; "auto" leaves what suits the hardware."""
        return self if precision == "auto" else replace(self, bfloat16=precision == "bfloat16")

    def synchronise(self) -> None:
        """Waits until queued work is done, so that clocks tell the truth."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


def chosen_device(name: str = "auto") -> Device:
    """ "auto" takes a CUDA device, else Apple's, else the CPU; "cpu", "cuda", "cuda:1", "mps" are taken at their word.

    Raises ValueError for a device that does not exist here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _apple_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no device is named {name!r}; use auto, cpu, cuda, cuda:0 … or mps") from error
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise ValueError(f"device {name} is not there; CUDA devices found: {count}")
        return Device(
            device,
            torch.cuda.is_bf16_supported(including_emulation=False),
            torch.cuda.get_device_name(device),
        )
    if device.type == "mps":
        if not _apple_available():
            raise ValueError("device mps is not there")
        return Device(device, False, "Apple GPU")
    if device.type == "cpu":
        return Device(device, _cpu_has_bfloat16(), f"CPU, {torch.get_num_threads()} threads")
    raise ValueError(f"device {name!r} is not supported; use auto, cpu, cuda, cuda:0 … or mps")


def _apple_available() -> bool:
    return bool(torch.backends.mps.is_available())


def _cpu_has_bfloat16() -> bool:
    """Whether convolutions in bfloat16 are faster than in float32: only with instructions made for it."""
    capabilities = torch.cpu.get_capabilities()
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_onednn and any(bool(capabilities.get(key)) for key in ("avx512_bf16", "amx_bf16"))
