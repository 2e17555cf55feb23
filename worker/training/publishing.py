"""What happens to an epoch that is over: its arrays and a checkpoint go to disk, then its report goes out.

Knows the run's folder, the noise model and reports; must not know the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from worker.noise.assess import assess
from worker.training import checkpoint as checkpoints
from worker.training.checkpoint import Checkpoint
from worker.training.device import Device
from worker.training.outcome import epoch_report
from worker.training.reports import EpochReport, TrainingData
from worker.training.settings import Recipe
from worker.training.tracking import Tracked, write_epoch


@dataclass(frozen=True)
class Passed:
    """An epoch that is over: what it found, and the state, in memory of its own, that the next one goes on from.

    `seconds` it took, `seconds_so_far` those of all sessions; `validations` one accuracy per epoch so far.
    """

    epoch: int
    tracked: Tracked
    train_loss: float
    learning_rate: float
    seconds: float
    seconds_so_far: float
    state: dict[str, Tensor]
    validations: list[float]
    batch_size: int
    notes: list[str]


class Publisher:
    """Puts epochs on disk and tells of them, one after another; `beside` the next epoch's steps where the host has
    time for it, which is while a device works on alone."""

    def __init__(
        self, data: TrainingData, recipe: Recipe, device: Device, directory: Path,
        on_epoch: Callable[[EpochReport], None], identity: dict[str, Any], history: list[str], *, beside: bool,
    ) -> None:  # fmt: skip
        self._data, self._recipe, self._device = data, recipe, device
        self._directory, self._on_epoch = directory, on_epoch
        self._identity, self._history = identity, history
        self._thread = ThreadPoolExecutor(1, "publisher") if beside else None
        self._under_way: Future[None] | None = None

    def add(self, passed: Passed) -> None:
        """Publishes the epoch, or begins to once the one before is out. Raises what went wrong with either."""
        if self._thread is None:
            self._publish(passed)
            return
        self.wait()
        self._under_way = self._thread.submit(self._publish, passed)

    def wait(self) -> None:
        """Returns when every epoch is out. Raises what went wrong, once."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _publish(self, passed: Passed) -> None:
        self._keep(passed)
        self._on_epoch(
            epoch_report(
                self._data, passed.tracked, assess(passed.tracked.loss_N), passed.epoch, self._recipe,
                passed.learning_rate, passed.train_loss, passed.seconds,
                passed.validations[-1] if passed.validations else None, passed.batch_size, passed.notes,
            )
        )  # fmt: skip

    def _keep(self, passed: Passed) -> None:
        self._history.append(write_epoch(self._directory, passed.epoch, passed.tracked))
        document: dict[str, Any] = {
            **self._identity,
            "history": self._history,
            "validation": passed.validations,
            "seconds": passed.seconds_so_far,
            "batch_size": passed.batch_size,
            "notes": passed.notes,
        }
        with self._device.aside():
            arrays = {name: value.cpu().contiguous().numpy() for name, value in passed.state.items()}
        checkpoints.save(self._directory, Checkpoint(passed.epoch, arrays, document))
