"""How well and how fast each way of finding wrong labels ranks them, in one run on the same data.

    python -m benchmarks.audit DATA [--limit 10000] [--kind symmetric] [--rate 0.4] [--seed 0] [--labels CSV]
                               [--only NAME]... [--width 16] [--device auto] [--json FILE] [--again]

DATA is "digits", a folder of Hugging Face style Parquet shards, or an .npz (see benchmarks.data). Noise is planted as
said, or the labels of a CSV are taken. Compared are the recipes and cleanlab's confident learning on out-of-fold
predictions of the network that `fast` trains. Finished rows are kept in the JSON file: a run that was cut short goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.data import labelled_images, labels_from_csv
from worker.noise.detection import auroc, average_precision, flag_metrics
from worker.noise.inject import KINDS, inject
from worker.training.device import chosen_device
from worker.training.folds import out_of_fold
from worker.training.recipes import recipe
from worker.training.reports import EpochReport, TrainingData
from worker.training.train import train

FOLDS = 5


@dataclass(frozen=True)
class Way:
    """One row of the table: a recipe with its settings, or confident learning over it."""

    name: str
    recipe: str
    settings: Mapping[str, object]
    confident_learning: bool = False


def ways(width: int) -> list[Way]:
    """What is compared; `width` is that of the paper's network, narrow enough for the machine."""
    return [
        Way("fast", "fast", {}),
        Way("confident learning", "fast", {}, confident_learning=True),
        Way("ce, 12 epochs", "ce", {"epochs": 12, "width": width}),
        *(
            Way(f"m-dyr-h, {epochs} epochs", "m-dyr-h", {"epochs": epochs, "width": width})
            for epochs in (5, 10, 20)
        ),
    ]


def measured(way: Way, data: TrainingData, seed: int, device: str) -> dict[str, Any]:
    """The row's figures: seconds of training, ranking quality, flags, JSON-ready."""
    settings = recipe(way.recipe, way.settings)
    noisy_N = data.given_label_N != data.true_label_N
    with tempfile.TemporaryDirectory() as folder:
        if way.confident_learning:
            started = time.perf_counter()
            probability_NC = out_of_fold(
                data,
                settings,
                folds=FOLDS,
                seed=seed,
                device=device,
                directory=Path(folder),
                on_epoch=lambda fold, report: show(report),
            )
            seconds = time.perf_counter() - started
            suspicion_N, flagged_N, rate = _confident_learning(data.given_label_N, probability_NC)
        else:
            outcome = train(data, settings, seed=seed, device=device, directory=Path(folder), on_epoch=show)
            seconds, rate = outcome.seconds, outcome.noise_rate
            suspicion_N, flagged_N = outcome.noise_posterior_N, outcome.flagged_N
    return {
        "recipe": way.recipe,
        "settings": dict(way.settings),
        "seconds": seconds,
        "auroc": auroc(noisy_N, suspicion_N),
        "average_precision": average_precision(noisy_N, suspicion_N),
        **flag_metrics(noisy_N, flagged_N),
        "flagged": float(flagged_N.mean()),
        "noise_rate": rate,
    }


def _confident_learning(
    given_N: NDArray[np.int64], probability_NC: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[np.bool_], float]:
    """cleanlab's label quality as suspicion, its flags, and its estimate of the noise rate."""
    from cleanlab.count import estimate_joint
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    quality_N = get_label_quality_scores(given_N, probability_NC, method="normalized_margin")
    joint_CC = estimate_joint(given_N, probability_NC)
    return -quality_N, find_label_issues(given_N, probability_NC), float(1.0 - np.trace(joint_CC))


def show(report: EpochReport) -> None:
    """One line of progress on standard error."""
    sys.stderr.write(f"  epoch {report.epoch}/{report.epochs}, {report.seconds:.1f} s\n")


def table(document: Mapping[str, Any]) -> str:
    """The rows as text."""
    lines = [
        f"{document['data']}, {document['samples']} images, {100 * document['wrong']:.1f} % wrong labels; "
        f"{document['device']}",
        f"{'':<24}{'seconds':>8}{'AUROC':>8}{'AP':>8}{'F1':>8}{'flagged':>9}{'rate':>8}",
    ]
    lines += [
        f"{name:<24}{row['seconds']:>8.0f}{row['auroc']:>8.4f}{row['average_precision']:>8.4f}{row['f1']:>8.4f}"
        f"{row['flagged']:>9.3f}{row['noise_rate']:>8.3f}"
        for name, row in document["rows"].items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default="digits")
    parser.add_argument("--limit", type=int, default=10_000, help="0 for all")
    parser.add_argument("--kind", default="symmetric", choices=list(KINDS))
    parser.add_argument("--rate", type=float, default=0.4)
    parser.add_argument("--labels", type=Path, metavar="CSV", help="given labels instead of planted noise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--only", action="append", metavar="NAME", help="a row; may be given again")
    parser.add_argument("--again", action="store_true", help="measure finished rows of --only anew")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()

    image_NHWC, true_N = labelled_images(options.data, options.limit or None)
    classes = int(true_N.max()) + 1
    if options.labels:
        given_N, noise = labels_from_csv(options.labels, len(true_N)), options.labels.stem
    else:
        rng = np.random.default_rng(options.seed)
        given_N = inject(true_N, classes, options.kind, options.rate, rng, feature=image_NHWC)
        noise = f"{options.kind}-{options.rate:g}"
    data = TrainingData(image_NHWC, given_N, classes, true_label_N=true_N)
    name = f"{Path(options.data).stem}-{len(true_N)}-{noise}-seed{options.seed}"
    path = options.json or Path(__file__).parent / "results" / f"audit-{name}.json"
    document: dict[str, Any] = {"rows": {}}
    if path.exists():
        document = json.loads(path.read_text())
    document |= {
        "data": name,
        "samples": len(true_N),
        "wrong": float((given_N != true_N).mean()),
        "device": chosen_device(options.device).name,
        "torch": torch.__version__,
    }
    rows = [way for way in ways(options.width) if options.only is None or way.name in options.only]
    for way in rows:
        if way.name in document["rows"] and not options.again:
            continue
        sys.stderr.write(f"{way.name}\n")
        document["rows"][way.name] = measured(way, data, options.seed, options.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n")
    print(table(document))


if __name__ == "__main__":
    main()
