"""What every epoch said of every sample, kept by sample index: loss, margin, prediction; one file per epoch.

Knows arrays and files of a run's folder; must not know networks.
Shapes: N samples, E epochs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.training.tensorfile import UnreadableFile, decode, encode, write_atomically

_HALF_MAX = 65504.0
"""The largest float16: a loss beyond it is kept as it."""


@dataclass(frozen=True)
class Tracked:
    """One pass over all samples in evaluation mode, without augmentation, against the given labels."""

    loss_N: NDArray[np.float32]
    margin_N: NDArray[np.float32]
    """Given logit minus the best other."""
    prediction_N: NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """All tracked epochs of a run, (E, N) each: loss and margin as float16, prediction as a class number."""

    loss_EN: NDArray[np.float16]
    margin_EN: NDArray[np.float16]
    prediction_EN: NDArray[np.uint16]


def file_name(epoch: int) -> str:
    """Name of the file of an epoch, counted from 1."""
    return f"epoch-{epoch:05d}.safetensors"


def write_epoch(directory: Path, epoch: int, tracked: Tracked) -> str:
    """Writes the epoch's file durably; returns its SHA-256."""
    arrays: dict[str, NDArray[Any]] = {
        "loss": np.minimum(tracked.loss_N, _HALF_MAX).astype(np.float16),
        "margin": np.clip(tracked.margin_N, -_HALF_MAX, _HALF_MAX).astype(np.float16),
        "prediction": tracked.prediction_N.astype(np.uint16),
    }
    return write_atomically(directory / file_name(epoch), encode(arrays, {"epoch": str(epoch)}))


def read_epochs(directory: Path) -> Iterator[dict[str, NDArray[Any]]]:
    """The arrays of each tracked epoch, from the first on, as long as files follow one another.

    Raises UnreadableFile.
    """
    epoch = 1
    while (path := directory / file_name(epoch)).exists():
        arrays, _ = decode(path.read_bytes())
        if set(arrays) != {"loss", "margin", "prediction"}:
            raise UnreadableFile(f"{path.name} does not hold a tracked epoch")
        yield arrays
        epoch += 1


def load_history(directory: Path) -> History:
    """Every tracked epoch of the run in this folder; empty (0, 0) before the first. Raises UnreadableFile."""
    epochs = list(read_epochs(directory))
    if not epochs:
        return History(
            np.zeros((0, 0), np.float16), np.zeros((0, 0), np.float16), np.zeros((0, 0), np.uint16)
        )
    return History(
        np.stack([each["loss"] for each in epochs]),
        np.stack([each["margin"] for each in epochs]),
        np.stack([each["prediction"] for each in epochs]),
    )
