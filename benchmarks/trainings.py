"""Records trainings with known wrong labels, for `benchmarks.noise` to judge without training anew.

    python -m benchmarks.trainings DATA [--labels CSV] [--first 10000] [--count 10000] [--only NAME]...
                                   [--seed 0] [--device auto] [--out FOLDER]

DATA as for benchmarks.audit; CIFAR-10's folder of Parquet shards made the files in benchmarks/losses. The recipe `fast`
is trained on images FIRST … FIRST + COUNT − 1 under every noise below, and under the labels of a CSV if one is given. Each
training leaves one file, NAME.npz; those that are there are skipped, so a run that was cut short goes on.
Shapes: N samples, C classes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import labelled_images, labels_from_csv
from worker.noise.inject import inject
from worker.training.recipes import recipe
from worker.training.reports import EpochReport, Outcome, TrainingData
from worker.training.schedule import turn
from worker.training.train import train

FOLDER = Path(__file__).parent / "losses"

NOISE = (
    *(("symmetric", rate) for rate in (0.0, 0.02, 0.1, 0.2, 0.4, 0.8)),
    *(("class-conditional", rate) for rate in (0.1, 0.2, 0.3)),
)

STEPS_PER_NAT = 64
"""Log-probabilities are kept to the 64th of a nat: that changes no flag, and halves the files."""

SMALLEST_LOG = -30.0


def given_labels(
    true_N: NDArray[np.int64], seed: int, csv_N: NDArray[np.int64] | None, csv_name: str
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Name and given labels (N,) of every training."""
    if csv_N is not None:
        yield csv_name, csv_N
    classes = int(true_N.max()) + 1
    for kind, rate in NOISE:
        yield f"{kind}_{rate:g}", inject(true_N, classes, kind, rate, np.random.default_rng(seed))


def recorded(
    outcome: Outcome, given_N: NDArray[np.int64], true_N: NDArray[np.int64], early_agreement: float
) -> dict[str, NDArray[Any]]:
    """What is kept of a training of this agreement with the labels after its first epoch: labels, what its judgement rests on, and two plain losses."""
    if outcome.ranked_probability_NC is None:
        raise ValueError("the training kept no average of its predictions")
    log_NC = np.log(np.maximum(outcome.ranked_probability_NC.astype(np.float64), 1e-30))
    log_NC = np.round(np.maximum(log_NC, SMALLEST_LOG) * STEPS_PER_NAT) / STEPS_PER_NAT
    return {
        "given_label": given_N.astype(np.uint8),
        "true_label": true_N.astype(np.uint8),
        "ranked_log_probability_NC": log_NC.astype(np.float16),
        "early_disagreement": np.array(1.0 - early_agreement),
        "mean_loss_N": outcome.scores["mean_loss"].astype(np.float16),
        "last_loss_N": outcome.scores["final_loss"].astype(np.float16),
    }


def main(arguments: list[str] | None = None) -> int:
    """Records what is missing; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trainings")
    parser.add_argument("data", nargs="?", default="digits")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="given labels of one more training")
    parser.add_argument("--first", type=int, default=10_000)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--only", action="append", metavar="NAME", help="a training; may be given again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    options = parser.parse_args(arguments)
    part = slice(options.first, options.first + options.count)
    image_NHWC, true_N = labelled_images(options.data, part.stop)
    image_NHWC, true_N = image_NHWC[part], true_N[part]
    if not len(true_N):
        sys.stderr.write(f"error: {options.data} has no image {options.first}\n")
        return 2
    settings = recipe("fast")
    csv_N = None if options.labels is None else labels_from_csv(options.labels)[part]
    csv_name = "" if options.labels is None else options.labels.stem
    options.out.mkdir(parents=True, exist_ok=True)
    for name, given_N in given_labels(true_N, options.seed, csv_N, csv_name):
        path = options.out / f"{name}.npz"
        if path.exists() or (options.only is not None and name not in options.only):
            continue
        sys.stderr.write(f"{name}: {(given_N != true_N).mean():.1%} wrong labels\n")
        data, reports = TrainingData(image_NHWC, given_N, int(true_N.max()) + 1), list[EpochReport]()

        def heard(report: EpochReport, reports: list[EpochReport] = reports) -> None:
            reports.append(report)
            sys.stderr.write(f"  epoch {report.epoch}/{report.epochs}, {report.seconds:.1f} s\n")

        with tempfile.TemporaryDirectory() as folder:
            outcome = train(
                data,
                settings,
                seed=options.seed,
                device=options.device,
                directory=Path(folder),
                on_epoch=heard,
            )
        early = max(each.train_accuracy for each in reports if turn(settings, each.epoch)[1] == each.epoch)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **recorded(outcome, given_N, true_N, early))
        unfinished.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
