"""One training from data and recipe to what it says of every sample: epochs, checkpoints, mixtures, reports.

Knows the loop, the run's folder and the noise model; must not know who asked.
Shapes: N samples, E epochs, C classes, F features.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from worker.noise.mixtures import BetaMixture, GaussianMixture, Mixture
from worker.training import checkpoint as checkpoints
from worker.training import objectives
from worker.training.averages import PredictionAverage
from worker.training.checkpoint import Checkpoint, CheckpointMismatch
from worker.training.device import Device
from worker.training.images import Images
from worker.training.loop import Loop
from worker.training.memory import is_out_of_memory, smaller_batch
from worker.training.networks import Builder, built
from worker.training.outcome import outcome
from worker.training.parallel import Group, joined
from worker.training.posteriors import tabulated
from worker.training.publishing import Passed, Publisher
from worker.training.reports import Diverged, EpochReport, Outcome, OutOfMemory, Stopped, TrainingData
from worker.training.schedule import is_ranked, learning_rate
from worker.training.settings import Recipe
from worker.training.tracking import History, Tracked, load_history

__all__ = [
    "CheckpointMismatch",
    "Diverged",
    "EpochReport",
    "History",
    "OutOfMemory",
    "Outcome",
    "Stopped",
    "TrainingData",
    "load_history",
    "train",
]

FORMAT = 4
"""Of the checkpoints: a run begun with another one cannot go on."""

PREDICTIONS = "predictions."
"""Before the names of the averaged predictions in a checkpoint."""


@dataclass(frozen=True)
class _Order:
    """What was asked for: everything but the batch size, which memory decides."""

    data: TrainingData
    recipe: Recipe
    seed: int
    directory: Path
    on_epoch: Callable[[EpochReport], None]
    should_stop: Callable[[], bool]
    build: Builder


def train(
    data: TrainingData,
    recipe: Recipe,
    *,
    seed: int,
    device: str = "auto",
    directory: Path,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    should_stop: Callable[[], bool] = lambda: False,
    build: Builder = built,
    killed: bool = False,
) -> Outcome:
    """Trains, or goes on where the run in `directory` stopped, and says what the training found.

    After every epoch its tracked arrays and a checkpoint are on disk before `on_epoch` hears of it (only of
    epochs of this call; on a GPU in a thread of its own, while the next epoch trains). `should_stop` is asked about twice
    a second. `build` makes the network. Under torchrun all processes call this alike; they must see the same folder, the
    first one writes and is the only one to report.

    When memory runs out the training goes on from its last checkpoint with half the batch, and says so; likewise when
    the process of the attempt before was `killed`, as systems do that have none left.

    Raises Stopped when `should_stop` says so, Diverged when the numbers stop being finite, OutOfMemory when the smallest
    batch does not fit either, CheckpointMismatch when the folder holds another run, ValueError for a device or a network
    that is not there, OSError when the disk fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    order = _Order(data, recipe, seed, directory, on_epoch, should_stop, build)
    side = recipe.image_size
    pixels = recipe.batch_size * (side * side or data.image_NHWC[0, ..., 0].size)
    with joined(device) as (group, chosen):
        chosen = chosen.with_precision("float32" if recipe.literal else recipe.precision)
        with chosen.threads_for(pixels):
            batch_size, notes = recipe.batch_size, list[str]()
            if killed:
                batch_size, notes = _smaller(_batch_of(directory, batch_size), "the process was killed")
            while True:
                try:
                    return _Training(order, chosen, group, batch_size, notes).run()
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error) or group.size > 1:
                        raise
                    # The error holds on to the arrays of the attempt: it must be gone before the next one.
                    message = str(error).strip().partition("\n")[0]
                batch_size, notes = _smaller(batch_size, message)
                if chosen.device.type == "cuda":
                    torch.cuda.empty_cache()


def _batch_of(directory: Path, asked: int) -> int:
    """The batch that the attempt before trained with, as far as its checkpoint tells."""
    found = checkpoints.newest(directory)
    return asked if found is None else min(asked, found.document["batch_size"])


def _smaller(batch_size: int, message: str) -> tuple[int, list[str]]:
    """Half the batch with a note of it. Raises OutOfMemory when that would be too small."""
    smaller = smaller_batch(batch_size)
    if smaller is None:
        raise OutOfMemory(f"memory ran out with batches of {batch_size} images too: {message}")
    return smaller, [f"Memory ran out with batches of {batch_size} images; went on with {smaller}."]


class _Training:
    """One attempt at the training, with one batch size."""

    def __init__(
        self, order: _Order, device: Device, group: Group, batch_size: int, notes: list[str]
    ) -> None:
        self.order, self.device, self.group = order, device, group
        data, recipe, where = order.data, order.recipe, device.device
        self.identity = {
            "format": FORMAT, "seed": order.seed, "recipe": recipe.as_dict(), "data": fingerprint(data),
        }  # fmt: skip
        found = checkpoints.newest(order.directory)
        if found is not None:
            _check_same_run(found, self.identity)
            if found.document["batch_size"] < batch_size:
                batch_size, notes = found.document["batch_size"], list(found.document["notes"])
        group.wait()  # nobody writes before everybody has read
        images = Images(data.image_NHWC, where, recipe.image_size)
        self.validation = (
            None
            if data.validation_image_NHWC is None
            else Images(data.validation_image_NHWC, where, recipe.image_size)
        )
        self.loop = Loop(
            images, data.given_label_N, data.classes, recipe, order.seed, device, order.should_stop,
            build=order.build, group=group, batch_size=batch_size,
        )  # fmt: skip
        self._notes = list(notes)
        self.predictions = PredictionAverage()
        self.done, self.validations, self.seconds_before = 0, list[float](), 0.0
        history: list[str] = []
        if found is not None:
            self.loop.load_state(found.arrays)
            kept = {
                name.removeprefix(PREDICTIONS): torch.from_numpy(value)
                for name, value in found.arrays.items()
                if name.startswith(PREDICTIONS)
            }
            self.predictions.load_state(kept, where)
            self.done, history = found.epoch, list(found.document["history"])
            self.validations = list(found.document["validation"])
            self.seconds_before = float(found.document["seconds"])
        self.publisher = Publisher(
            data, recipe, device, order.directory, order.on_epoch, self.identity, history,
            beside=self.loop.runs_ahead,
        )  # fmt: skip

    def run(self) -> Outcome:
        """The epochs that are missing, then the outcome."""
        self.started = time.perf_counter()
        try:
            for epoch in range(self.done + 1, self.order.recipe.epochs + 1):
                self.epoch(epoch)
        finally:
            self.publisher.wait()  # whoever stops a run goes on from its last whole epoch
        probability_NC, feature_NF = self.loop.describe(self.loop.images)
        best_last: dict[Literal["best", "last"], float] | None = (
            {"best": max(self.validations), "last": self.validations[-1]} if self.validations else None
        )
        order, ranked_NC = self.order, self.predictions.mean
        self.group.wait()  # the first process has written the last epoch
        return outcome(
            order.data, order.recipe, load_history(order.directory),
            None if ranked_NC is None else ranked_NC.cpu().numpy(), probability_NC, feature_NF,
            self.seconds, best_last,
            None if self.validation is None else self.loop.describe(self.validation)[0],
            self.loop.batch_size, self.notes,
        )  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What was not done as asked, in words."""
        return list(dict.fromkeys([*self._notes, *self.loop.notes]))

    @property
    def seconds(self) -> float:
        """Trained so far, in all sessions."""
        return self.seconds_before + time.perf_counter() - self.started

    def epoch(self, epoch: int) -> None:
        """One epoch, from its steps to its report."""
        data, recipe, loop = self.order.data, self.order.recipe, self.loop
        started = time.perf_counter()
        if (
            recipe.forward_correction
            and loop.known.transition_CC is None
            and epoch >= recipe.correction_start
        ):
            self.estimate_transition(epoch)
        train_loss = loop.train_epoch(epoch)
        tracked = loop.track(mirrored=recipe.judge_mirrored and is_ranked(recipe, epoch))
        if loop.log_probability_NC is not None and is_ranked(recipe, epoch):
            self.predictions.update(loop.log_probability_NC)
        _check_finite(epoch, train_loss, tracked)
        self.weigh(tracked)
        if self.validation is not None and data.validation_label_N is not None:
            self.validations.append(loop.accuracy(self.validation, data.validation_label_N))
        if self.group.rank > 0:
            return
        state = loop.state() | {PREDICTIONS + name: value for name, value in self.predictions.state().items()}
        self.device.synchronise()
        self.publisher.add(
            Passed(
                epoch, tracked, train_loss, learning_rate(recipe, loop.steps, epoch),
                time.perf_counter() - started, self.seconds, state, list(self.validations),
                loop.batch_size, self.notes,
            )
        )  # fmt: skip

    def estimate_transition(self, epoch: int) -> None:
        """Begins forward correction, unless the network cannot tell the classes apart yet: then another epoch passes.

        Departs from the paper, which estimates once and takes what comes: the few epochs before the start of a
        shortened schedule can be too few, and a matrix estimated then spoils the whole training.
        """
        probability_NC, _ = self.loop.describe(self.loop.images)
        transition_CC = objectives.estimated_transition(torch.from_numpy(probability_NC))
        late = "Forward correction"
        self._notes = [note for note in self._notes if not note.startswith(late)]
        if objectives.tells_classes_apart(transition_CC):
            self.loop.known.correct(transition_CC)
            if epoch > self.order.recipe.correction_start:
                self._notes.append(
                    f"{late} began in epoch {epoch}, when the network could tell the classes apart."
                )
        else:
            self._notes.append(f"{late} waits: by epoch {epoch} the network cannot tell the classes apart.")

    def weigh(self, tracked: Tracked) -> None:
        """Fits the mixture to the epoch's losses, for the weights of the next epoch."""
        recipe, loop, where = self.order.recipe, self.loop, self.device.device
        mixture = weighting_mixture(recipe).fit(tracked.loss_N)
        table = None
        if recipe.weights_from == "batch":
            table = tabulated(mixture, tracked.loss_N, recipe.normalisation, loop.manner.entries, where)
        loop.known.weigh(mixture.posterior(tracked.loss_N), table)


def weighting_mixture(recipe: Recipe) -> Mixture:
    """The mixture whose posteriors weigh dynamic bootstrapping, fitted as the authors did: ten iterations,
    beta components by moments; losses outside the 5 % and 95 % percentiles take no part in the fit."""
    if recipe.mixture == "gaussian":
        return GaussianMixture(recipe.normalisation, tail=0.05, iterations=10)
    return BetaMixture(recipe.normalisation, tail=0.05, iterations=10)


def fingerprint(data: TrainingData) -> str:
    """SHA-256 over shapes, all given labels and some evenly spaced images: tells whether a folder's run is of this data."""
    digest = hashlib.sha256()
    step = max(1, len(data.image_NHWC) // 256)
    digest.update(json.dumps([list(data.image_NHWC.shape), data.classes]).encode())
    digest.update(np.asarray(data.given_label_N, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(data.image_NHWC[::step]).tobytes())
    return digest.hexdigest()


def _check_same_run(found: Checkpoint, identity: dict[str, Any]) -> None:
    words = {"format": "format", "seed": "seed", "recipe": "settings", "data": "data"}
    different = [words[key] for key, value in identity.items() if found.document.get(key) != value]
    if different:
        raise CheckpointMismatch(
            f"the folder holds a run with other {' and '.join(different)}; use another folder or empty it"
        )


def _check_finite(epoch: int, train_loss: float, tracked: Tracked) -> None:
    if not np.isfinite(train_loss) or not np.isfinite(tracked.loss_N).all():
        raise Diverged(
            f"in epoch {epoch} the training's numbers stopped being finite; a smaller learning_rate usually helps"
        )
