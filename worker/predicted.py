"""A run on predictions that people bring: no training, everything else as in any run.

Shape letters: N samples, C classes.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.store import runs
from backend.store.database import patiently
from worker.ingest.predictions import Predictions, read_predictions
from worker.noise.assess import Assessment, assess, assess_probabilities, assess_training
from worker.noise.detection import detection_metrics
from worker.noise.scores import margin
from worker.noise.transitions import likeliest_source, noise_structure, suspicion
from worker.results import stored_mixtures
from worker.stages import PREDICTED, Findings, Labels, Layout, Stages

READ, JUDGED = 0.1, 0.3
"""Shares of the whole run that are done after reading and after judging, where the map is drawn anew (measured)."""
SMALLEST = 1e-38
"""Stands for a probability of 0: its logarithm is finite in single precision."""


def judged(
    probability_NC: NDArray[np.float32], given_N: NDArray[np.int64], *, in_sample: bool
) -> tuple[Findings, Assessment]:
    """Judge the given labels by predictions of a network that has trained on them (`in_sample`) or has not.

    Predictions of a network that trained on these very labels lean towards them. They are judged as those of our own
    trainings are: by how suspect they make a label in comparison with the others, not by what they say of it outright.
    """
    row_N = np.arange(len(given_N))
    structure_CC = noise_structure(probability_NC, given_N)
    suspicion_N = suspicion(probability_NC, given_N, structure_CC)
    assessment = (
        assess_training(suspicion_N, probability_NC, given_N)
        if in_sample
        else assess_probabilities(probability_NC, given_N)
    )
    quality_N = probability_NC[row_N, given_N]
    loss_N = -np.log(np.maximum(quality_N, SMALLEST))
    suspect_margin_N = margin(probability_NC, given_N)
    findings = Findings(
        noise_posterior_N=assessment.noise_posterior_N,
        flagged_N=assessment.flagged_N,
        suggested_label_N=np.where(
            assessment.flagged_N,
            likeliest_source(probability_NC, given_N, structure_CC),
            probability_NC.argmax(axis=1),
        ),
        loss_N=loss_N,
        margin_N=(-suspect_margin_N).astype(np.float32),
        label_quality_N=quality_N,
        predicted_probability_NC=probability_NC,
        scores={
            "loss": loss_N.astype(np.float64),
            "margin": suspect_margin_N,
            "suspicion": suspicion_N,
        },
    )
    return findings, assessment


class PredictedRun(Stages):
    """Reads, judges, maps and publishes uploaded predictions."""

    def go(self) -> None:
        """All stages; raises ClaimLost when the run was cancelled or taken over."""
        started = time.perf_counter()
        labels = self.labels()
        predictions, digest = self.read(labels)
        self.claimed.enter("judge", READ, "Judging the labels")
        found, assessment = judged(
            predictions.probability_NC, labels.given_N, in_sample=bool(self.config["in_sample"])
        )
        outcome = {**assessment.describe(), **self.summary(found, labels, predictions, digest)}
        self.publish_figures(found, assessment, outcome)
        layout = self.map(predictions)
        folder = self.directory / "publish"
        folder.mkdir()
        outcome["seconds"] = time.perf_counter() - started
        self.publish(found, layout, labels.given_N, folder, outcome, epochs=0)
        self.forget_upload()

    def read(self, labels: Labels) -> tuple[Predictions, str]:
        """The predictions in the order of the samples and of the classes, and the SHA-256 of their file."""
        self.claimed.enter("fetch", 0.0, "Reading the predictions")
        path, names_N = self.fetch_upload()
        predictions = read_predictions(
            path,
            names_N=names_N,
            classes=labels.classes,
            logits=bool(self.config["logits"]),
            limits=self.settings.limits,
        )
        self.claimed.check()
        with path.open("rb") as file:
            return predictions, hashlib.file_digest(file, "sha256").hexdigest()

    def summary(
        self, found: Findings, labels: Labels, predictions: Predictions, digest: str
    ) -> dict[str, Any]:
        """What the run's row keeps beside the assessment: how right it is where that is known, and what it rests on."""
        metrics = (
            {}
            if labels.true_N is None
            else {
                "metrics": detection_metrics(
                    labels.given_N != labels.true_N, found.noise_posterior_N, found.flagged_N
                )
            }
        )
        return {
            **metrics,
            "notes": list(predictions.notes),
            "predictions": {
                "file": self.config["filename"],
                "sha256": digest,
                "in_sample": bool(self.config["in_sample"]),
            },
        }

    def publish_figures(self, found: Findings, assessment: Assessment, outcome: dict[str, Any]) -> None:
        """The distribution of the losses with both mixtures, as epoch 0: nothing was trained."""
        loss_N = found.loss_N.astype(np.float64)
        figured = assess(loss_N) if self.config["in_sample"] else assessment
        histogram, mixtures = figured.figures(loss_N)
        said = {
            "train_loss": float(loss_N.mean()),
            "train_accuracy": float((found.margin_N >= 0).mean()),
            "noise_rate": outcome["noise_rate"],
            "metrics": outcome.get("metrics"),
        }

        def write() -> None:
            with self.database.transaction() as session:
                runs.write_epoch(
                    session,
                    self.run_id,
                    self.claimed.claim_id,
                    0,
                    metrics=said,
                    histogram=histogram,
                    mixtures=stored_mixtures(mixtures, figured.model),
                    trust=figured.trust.as_dict(),
                )

        patiently(write)

    def map(self, predictions: Predictions) -> Layout:
        """That of an earlier run, whose features say more than predictions do; otherwise drawn from the predictions.

        The angle between roots of probabilities is the Bhattacharyya angle: near are samples predicted alike.
        """
        earlier = self.earlier()
        if earlier is not None:
            return earlier
        return self.layout(np.sqrt(predictions.probability_NC), PREDICTED, JUDGED)
