"""What goes into a training and what comes out of it: plain data without torch.

Shapes: N samples, C classes, H × W pixels, F features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from worker.noise.trust import Trust

FloatArray = NDArray[np.float64]


class Stopped(Exception):
    """The caller asked the training to stop; the last checkpoint stands and the same call goes on from it."""


class Diverged(Exception):
    """The training's numbers stopped being finite; the same settings would do it again."""


class OutOfMemory(Exception):
    """Memory ran out with the smallest sensible batch too."""


@dataclass(frozen=True)
class TrainingData:
    """A labelled image set. Raises ValueError when its parts do not fit together.

    `image_NHWC` uint8 with 1, 3 or more channels, may be a read-only memory map. Labels lie in 0 … classes − 1.
    `true_label_N` is for metrics only and never trained on; the validation set is for its accuracy only.
    """

    image_NHWC: NDArray[np.uint8]
    given_label_N: NDArray[np.int64]
    classes: int
    true_label_N: NDArray[np.int64] | None = None
    validation_image_NHWC: NDArray[np.uint8] | None = None
    validation_label_N: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        _check_images("image", self.image_NHWC)
        if self.classes < 2:
            raise ValueError(f"training needs at least 2 classes, found {self.classes}")
        if len(self.image_NHWC) < 2:
            raise ValueError(f"training needs at least 2 images, found {len(self.image_NHWC)}")
        _check_labels("given_label", self.given_label_N, len(self.image_NHWC), self.classes)
        if self.true_label_N is not None:
            _check_labels("true_label", self.true_label_N, len(self.image_NHWC), self.classes)
        if (self.validation_image_NHWC is None) != (self.validation_label_N is None):
            raise ValueError("validation images and validation labels go together")
        if self.validation_image_NHWC is not None and self.validation_label_N is not None:
            _check_images("validation_image", self.validation_image_NHWC)
            if self.validation_image_NHWC.shape[1:] != self.image_NHWC.shape[1:]:
                raise ValueError(
                    f"validation images have shape {self.validation_image_NHWC.shape[1:]}, "
                    f"training images {self.image_NHWC.shape[1:]}"
                )
            _check_labels(
                "validation_label", self.validation_label_N, len(self.validation_image_NHWC), self.classes
            )


def _check_images(name: str, image_NHWC: NDArray[np.uint8]) -> None:
    if image_NHWC.ndim != 4 or image_NHWC.dtype != np.uint8 or 0 in image_NHWC.shape[1:]:
        raise ValueError(
            f"{name} must be uint8 of shape (N, H, W, C), found {image_NHWC.dtype} {image_NHWC.shape}"
        )


def _check_labels(name: str, label_N: NDArray[np.int64], count: int, classes: int) -> None:
    if label_N.shape != (count,) or not np.issubdtype(label_N.dtype, np.integer):
        raise ValueError(f"{name} must be {count} whole numbers, found {label_N.dtype} {label_N.shape}")
    if count and not (int(label_N.min()) >= 0 and int(label_N.max()) < classes):
        raise ValueError(f"{name} must lie in 0 … {classes - 1}, found {label_N.min()} … {label_N.max()}")


@dataclass(frozen=True)
class EpochReport:
    """One epoch, told after its checkpoint is safely on disk.

    `network` is the one whose turn it was, counted from 1.
    `train_loss` is the mean objective in nats; `train_accuracy` the share of samples predicted as given;
    `seconds` this epoch's; `images_per_second` trained (tracking not counted in images, but in time);
    `seconds_left` an estimate. `loss_N`, `margin_N`, `prediction_N` by sample index. `histogram`, `mixtures` and
    `trust` (all of this epoch's losses) are JSON-ready. `metrics` (AUROC and so on of this epoch's losses)
    only where true labels are known. `batch_size` is smaller than the recipe's after memory ran out; `notes` say
    in sentences what was not done as asked.
    """

    epoch: int
    epochs: int
    network: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    seconds: float
    images_per_second: float
    seconds_left: float
    loss_N: NDArray[np.float32]
    margin_N: NDArray[np.float32]
    prediction_N: NDArray[np.int64]
    histogram: dict[str, Any]
    mixtures: dict[str, Any]
    trust: dict[str, Any]
    model: str
    noise_rate: float
    validation_accuracy: float | None
    metrics: dict[str, float | None] | None
    batch_size: int
    notes: tuple[str, ...]

    @property
    def metrics_json(self) -> dict[str, Any]:
        """The figures of the epoch without its arrays, histogram and mixtures, JSON-ready."""
        return {
            "epoch": self.epoch,
            "epochs": self.epochs,
            "network": self.network,
            "learning_rate": self.learning_rate,
            "train_loss": self.train_loss,
            "train_accuracy": self.train_accuracy,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "seconds_left": self.seconds_left,
            "model": self.model,
            "noise_rate": self.noise_rate,
            "validation_accuracy": self.validation_accuracy,
            "metrics": self.metrics,
            "batch_size": self.batch_size,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Outcome:
    """What a finished training says of every sample.

    `noise_posterior_N` in (0, 1) rises strictly with the odds that the average predictions of the ranked epochs give
    against the label (`noise.transitions`). `loss_N` (nats), `label_quality_N` (probability of the given label),
    `predicted_probability_NC` and `feature_NF` are of the last epoch; `margin_N` is the mean over the ranked epochs
    (given logit minus best other). `ranked_probability_NC` are those average predictions, None where there are too many
    to keep. `suggested_label_N` is the likeliest class by the average predictions; for a flagged
    sample the one that its label most likely came from, never its given label. `validation_probability_NC` are the last
    predictions on the validation images, where there are any. `seconds` is the time trained in all sessions of this run.
    `first_epochs` are those in which a network began. `batch_size` and `notes` as in the last report. `scores` are
    further scores by name (N,), each rising with suspicion, the mean margin therefore negated.
    """

    noise_posterior_N: FloatArray
    suggested_label_N: NDArray[np.int64]
    loss_N: NDArray[np.float32]
    margin_N: NDArray[np.float32]
    flagged_N: NDArray[np.bool_]
    label_quality_N: NDArray[np.float32]
    predicted_probability_NC: NDArray[np.float16]
    ranked_probability_NC: NDArray[np.float32] | None
    feature_NF: NDArray[np.float32]
    threshold: float
    noise_rate: float
    noise_rate_interval: tuple[float, float]
    model: Literal["beta", "gaussian", "none"]
    trust: Trust
    metrics: dict[str, float | None] | None
    seconds: float
    epochs: int
    first_epochs: tuple[int, ...]
    images_per_second: float
    validation_accuracy: dict[Literal["best", "last"], float] | None
    validation_probability_NC: NDArray[np.float32] | None
    batch_size: int
    notes: tuple[str, ...]
    scores: dict[str, FloatArray]

    @property
    def summary(self) -> dict[str, Any]:
        """The figures without the arrays, JSON-ready; `metrics` only where true labels are known."""
        return {
            "samples": int(self.noise_posterior_N.size),
            "flagged": int(self.flagged_N.sum()),
            "threshold": self.threshold,
            "noise_rate": self.noise_rate,
            "noise_rate_interval": list(self.noise_rate_interval),
            "model": self.model,
            "trust": self.trust.as_dict(),
            **({"metrics": self.metrics} if self.metrics is not None else {}),
            "seconds": self.seconds,
            "epochs": self.epochs,
            "first_epochs": list(self.first_epochs),
            "images_per_second": self.images_per_second,
            "validation_accuracy": self.validation_accuracy,
            "batch_size": self.batch_size,
            "notes": list(self.notes),
        }
