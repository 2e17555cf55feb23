"""One training from data and recipe to what it says of every sample: epochs, checkpoints, mixtures, reports.

Knows the loop, the run's folder and the noise model; must not know who asked.
Shapes: N samples, E epochs, C classes, F features.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from worker.noise.assess import Assessment, assess
from worker.noise.detection import detection_metrics
from worker.noise.mixtures import BetaMixture, GaussianMixture, Mixture
from worker.training import checkpoint as checkpoints
from worker.training import objectives
from worker.training.checkpoint import Checkpoint, CheckpointMismatch
from worker.training.device import Device, chosen_device
from worker.training.images import Images
from worker.training.loop import Loop
from worker.training.recipes import Recipe
from worker.training.reports import Diverged, EpochReport, Outcome, Stopped, TrainingData
from worker.training.tracking import History, Tracked, load_history, votes, write_epoch

__all__ = [
    "CheckpointMismatch",
    "Diverged",
    "EpochReport",
    "History",
    "Outcome",
    "Stopped",
    "TrainingData",
    "load_history",
    "train",
]


def train(
    data: TrainingData,
    recipe: Recipe,
    *,
    seed: int,
    device: str = "auto",
    directory: Path,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Trains, or goes on where the run in `directory` stopped, and says what the training found.

    After every epoch its tracked arrays and a checkpoint are on disk before `on_epoch` hears of it (only of
    epochs of this call). `should_stop` is asked about twice a second. Raises Stopped when it says so, Diverged when the
    numbers stop being finite, CheckpointMismatch when the folder holds another run, ValueError for a device that is
    not there, OSError when the disk fails.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chosen = chosen_device(device)
    pixels = recipe.batch_size * data.image_NHWC.shape[1] * data.image_NHWC.shape[2]
    with chosen.threads_for(pixels):
        return _train(data, recipe, seed, chosen, directory, on_epoch, should_stop)


def _train(
    data: TrainingData,
    recipe: Recipe,
    seed: int,
    chosen: Device,
    directory: Path,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
) -> Outcome:
    images = Images(data.image_NHWC, chosen.device)
    validation = (
        None if data.validation_image_NHWC is None else Images(data.validation_image_NHWC, chosen.device)
    )
    loop = Loop(images, data.given_label_N, data.classes, recipe, seed, chosen, should_stop)
    identity = {"format": 1, "seed": seed, "recipe": recipe.as_dict(), "data": fingerprint(data)}

    done, history, validations, seconds_before = 0, [], [], 0.0
    if (found := checkpoints.newest(directory)) is not None:
        _check_same_run(found, identity)
        loop.load_state(found.arrays, found.document)
        done, history = found.epoch, list(found.document["history"])
        validations, seconds_before = list(found.document["validation"]), float(found.document["seconds"])

    started = time.perf_counter()
    for epoch in range(done + 1, recipe.epochs + 1):
        epoch_started = time.perf_counter()
        if recipe.forward_correction and loop.transition_CC is None and epoch >= recipe.correction_start:
            probability_NC, _ = loop.describe_samples()
            loop.transition_CC = objectives.estimated_transition(torch.from_numpy(probability_NC)).to(
                chosen.device
            )
        train_loss = loop.train_epoch(epoch)
        tracked = loop.track()
        _check_finite(epoch, train_loss, tracked)
        assessment = assess(tracked.loss_N)
        loop.posterior_N = torch.from_numpy(
            weighting_mixture(recipe).fit(tracked.loss_N).posterior(tracked.loss_N).astype(np.float32)
        ).to(chosen.device)
        if validation is not None and data.validation_label_N is not None:
            validations.append(loop.accuracy(validation, data.validation_label_N))
        chosen.synchronise()

        history.append(write_epoch(directory, epoch, tracked))
        arrays, document = loop.state()
        document |= identity | {
            "history": history,
            "validation": validations,
            "seconds": seconds_before + time.perf_counter() - started,
        }
        checkpoints.save(directory, Checkpoint(epoch, arrays, document))
        seconds = time.perf_counter() - epoch_started
        on_epoch(
            _report(
                data, tracked, assessment, epoch, recipe, loop.learning_rate(epoch), train_loss, seconds,
                validations[-1] if validations else None,
            )
        )  # fmt: skip

    probability_NC, feature_NF = loop.describe_samples()
    seconds = seconds_before + time.perf_counter() - started
    best_last: dict[Literal["best", "last"], float] | None = (
        {"best": max(validations), "last": validations[-1]} if validations else None
    )
    return _outcome(data, recipe, load_history(directory), probability_NC, feature_NF, seconds, best_last)


def weighting_mixture(recipe: Recipe) -> Mixture:
    """The mixture whose posteriors weigh dynamic bootstrapping, fitted as the authors did: ten iterations,
    beta components by moments; losses outside the 5 % and 95 % percentiles take no part in the fit."""
    if recipe.mixture == "gaussian":
        return GaussianMixture(recipe.normalisation, tail=0.05, iterations=10)
    return BetaMixture(recipe.normalisation, tail=0.05, iterations=10)


def ranked_from(recipe: Recipe) -> int:
    """The first epoch (from 1) whose margins count; the first epochs know too little."""
    return min(recipe.epochs, 1 + round(recipe.ranking_skip * recipe.epochs))


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


def _report(
    data: TrainingData,
    tracked: Tracked,
    assessment: Assessment,
    epoch: int,
    recipe: Recipe,
    learning_rate: float,
    train_loss: float,
    seconds: float,
    validation_accuracy: float | None,
) -> EpochReport:
    histogram, mixtures = assessment.figures(tracked.loss_N)
    return EpochReport(
        epoch=epoch,
        epochs=recipe.epochs,
        learning_rate=learning_rate,
        train_loss=train_loss,
        train_accuracy=float((tracked.prediction_N == data.given_label_N).mean()),
        seconds=seconds,
        images_per_second=len(data.given_label_N) / seconds,
        seconds_left=seconds * (recipe.epochs - epoch),
        loss_N=tracked.loss_N,
        margin_N=tracked.margin_N,
        prediction_N=tracked.prediction_N,
        histogram=histogram,
        mixtures=mixtures,
        trust=assessment.trust.as_dict(),
        model=assessment.model,
        noise_rate=assessment.noise_rate,
        validation_accuracy=validation_accuracy,
        metrics=_metrics(data, assessment.noise_posterior_N, assessment.flagged_N),
    )


def _metrics(
    data: TrainingData, posterior_N: NDArray[np.float64], flagged_N: NDArray[np.bool_]
) -> dict[str, float | None] | None:
    if data.true_label_N is None:
        return None
    return detection_metrics(data.given_label_N != data.true_label_N, posterior_N, flagged_N)


def _outcome(
    data: TrainingData,
    recipe: Recipe,
    history: History,
    probability_NC: NDArray[np.float32],
    feature_NF: NDArray[np.float32],
    seconds: float,
    validation_accuracy: dict[Literal["best", "last"], float] | None,
) -> Outcome:
    samples = len(data.given_label_N)
    row_N = np.arange(samples)
    first = ranked_from(recipe) - 1
    margin_N = history.margin_EN[first:].mean(axis=0, dtype=np.float64)
    assessment = assess(-margin_N)
    quality_N = probability_NC[row_N, data.given_label_N]
    vote_NC = votes(history.prediction_EN[first:], data.classes)
    # Equal votes are told apart by the last epoch's probabilities, which lie below any vote.
    vote_NC += 0.25 * probability_NC
    suggested_N = vote_NC.argmax(axis=1)
    vote_NC[row_N, data.given_label_N] = -1.0
    suggested_N = np.where(assessment.flagged_N, vote_NC.argmax(axis=1), suggested_N)
    return Outcome(
        noise_posterior_N=assessment.noise_posterior_N,
        suggested_label_N=suggested_N.astype(np.int64),
        loss_N=-np.log(np.maximum(quality_N, 1e-38)),
        margin_N=margin_N.astype(np.float32),
        flagged_N=assessment.flagged_N,
        label_quality_N=quality_N,
        predicted_probability_NC=probability_NC.astype(np.float16),
        feature_NF=feature_NF,
        threshold=assessment.threshold,
        noise_rate=assessment.noise_rate,
        noise_rate_interval=assessment.noise_rate_interval,
        model=assessment.model,
        trust=assessment.trust,
        metrics=_metrics(data, assessment.noise_posterior_N, assessment.flagged_N),
        seconds=seconds,
        epochs=recipe.epochs,
        images_per_second=samples * recipe.epochs / seconds,
        validation_accuracy=validation_accuracy,
    )
