"""What an epoch and a finished training say of every sample, from what was tracked; knows arrays and the noise model.

Shapes: N samples, E epochs, C classes, F features.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.noise.assess import Assessment, assess, assess_training
from worker.noise.detection import detection_metrics
from worker.noise.scores import forgetting
from worker.noise.transitions import SMALLEST_PROBABILITY, likeliest_source, noise_structure, suspicion
from worker.training.reports import EpochReport, Outcome, TrainingData
from worker.training.schedule import first_epochs, is_ranked, turn
from worker.training.settings import Recipe
from worker.training.tracking import History, Tracked


def epoch_report(
    data: TrainingData,
    tracked: Tracked,
    assessment: Assessment,
    epoch: int,
    recipe: Recipe,
    learning_rate: float,
    train_loss: float,
    seconds: float,
    validation_accuracy: float | None,
    batch_size: int,
    notes: list[str],
) -> EpochReport:
    """The report of one epoch of `seconds`, judged by the assessment of its losses."""
    histogram, mixtures = assessment.figures(tracked.loss_N)
    return EpochReport(
        epoch=epoch,
        epochs=recipe.epochs,
        network=turn(recipe, epoch)[0] + 1,
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
        batch_size=batch_size,
        notes=tuple(notes),
    )


def _metrics(
    data: TrainingData, posterior_N: NDArray[np.float64], flagged_N: NDArray[np.bool_]
) -> dict[str, float | None] | None:
    if data.true_label_N is None:
        return None
    return detection_metrics(data.given_label_N != data.true_label_N, posterior_N, flagged_N)


def outcome(
    data: TrainingData,
    recipe: Recipe,
    history: History,
    ranked_NC: NDArray[np.float32] | None,
    probability_NC: NDArray[np.float32],
    feature_NF: NDArray[np.float32],
    seconds: float,
    validation_accuracy: dict[Literal["best", "last"], float] | None,
    validation_probability_NC: NDArray[np.float32] | None,
    batch_size: int,
    notes: list[str],
) -> Outcome:
    """The end of a training: samples are ranked by how suspect the average predictions of the ranked epochs make
    their labels (`ranked_NC`; without it, when there are too many to keep, by the average probability of the label)."""
    samples = len(data.given_label_N)
    row_N = np.arange(samples)
    ranked = [place for place in range(recipe.epochs) if is_ranked(recipe, place + 1)]
    margin_N = history.margin_EN[ranked].mean(axis=0, dtype=np.float64)
    if ranked_NC is None:
        structure_CC = None
        assessment = assess(_plain_suspicion(history.loss_EN[ranked]))
    else:
        structure_CC = noise_structure(ranked_NC, data.given_label_N)
        score_N = suspicion(ranked_NC, data.given_label_N, structure_CC)
        assessment = assess_training(
            score_N, ranked_NC, data.given_label_N, _early_disagreement(data, recipe, history)
        )
    quality_N = probability_NC[row_N, data.given_label_N]
    believed_NC = probability_NC if ranked_NC is None else ranked_NC
    suggested_N = np.where(
        assessment.flagged_N,
        likeliest_source(believed_NC, data.given_label_N, structure_CC),
        believed_NC.argmax(axis=1),
    )
    return Outcome(
        noise_posterior_N=assessment.noise_posterior_N,
        suggested_label_N=suggested_N.astype(np.int64),
        loss_N=-np.log(np.maximum(quality_N, 1e-38)),
        margin_N=margin_N.astype(np.float32),
        flagged_N=assessment.flagged_N,
        label_quality_N=quality_N,
        predicted_probability_NC=probability_NC.astype(np.float16),
        ranked_probability_NC=ranked_NC,
        feature_NF=feature_NF,
        threshold=assessment.threshold,
        noise_rate=assessment.noise_rate,
        noise_rate_interval=assessment.noise_rate_interval,
        model=assessment.model,
        trust=assessment.trust,
        metrics=_metrics(data, assessment.noise_posterior_N, assessment.flagged_N),
        seconds=seconds,
        epochs=recipe.epochs,
        first_epochs=tuple(first_epochs(recipe)),
        images_per_second=samples * recipe.epochs / seconds,
        validation_accuracy=validation_accuracy,
        validation_probability_NC=validation_probability_NC,
        batch_size=batch_size,
        notes=tuple(notes),
        scores={
            "final_loss": history.loss_EN[-1].astype(np.float64),
            "mean_loss": history.loss_EN[ranked].mean(axis=0, dtype=np.float64),
            "mean_margin": -margin_N,
            "forgetting_count": forgetting(history.prediction_EN, data.given_label_N),
        },
    )


def _early_disagreement(data: TrainingData, recipe: Recipe, history: History) -> float:
    """Share of the labels that a network did not predict after its first epoch, the least of all networks'."""
    return min(
        float((history.prediction_EN[epoch - 1] != data.given_label_N).mean())
        for epoch in first_epochs(recipe)
    )


def _plain_suspicion(loss_EN: NDArray[np.float16]) -> NDArray[np.float64]:
    """Log-odds (N,) against the label from its mean probability alone, for data whose predictions are not kept."""
    own_N = np.zeros(loss_EN.shape[1])
    for loss_N in loss_EN:
        own_N += np.exp(-loss_N.astype(np.float64)) / len(loss_EN)
    own_N = np.clip(own_N, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    return np.log1p(-own_N) - np.log(own_N)
