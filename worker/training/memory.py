"""What running out of memory looks like, and by how much a batch shrinks after it; knows exceptions alone."""

from __future__ import annotations

import torch

from worker.training.schedule import SMALLEST_BATCH

NONE_LEFT = ("can't allocate memory", "not enough memory", "could not create a primitive")
"""What torch's allocators say, and oneDNN when it gets no room for the code that it writes."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on a device or in the process."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # torch has no class of its own for the processor's memory.
    words = str(error)
    return isinstance(error, RuntimeError) and any(said in words for said in NONE_LEFT)


def smaller_batch(batch_size: int) -> int | None:
    """Half the batch; None when that would be too small for batch statistics."""
    return batch_size // 2 if batch_size // 2 >= SMALLEST_BATCH else None
