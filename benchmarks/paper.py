"""The paper's CIFAR-10 table beside what is measured here: validation accuracy, best and last, in percent.

    python -m benchmarks.paper DATA [--device auto] [--epochs 300] [--width 64] [--limit N] [--cells m-dyr-h:20,…] [--seed 0]

DATA is a folder with CIFAR-10's Parquet shards (train-*.parquet, test-*.parquet). Noise is the paper's: a share of the
labels redrawn uniformly over all classes; accuracy is on the 10 000 test images. Each finished cell is written to the
JSON file, each epoch to the folder beside it: the same command goes on where it stopped, and with nothing left to train
prints the table. With other epochs, width or limit the figures are of a shortened schedule and not the paper's.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from benchmarks.data import labelled_images
from worker.noise.inject import inject
from worker.training.device import chosen_device
from worker.training.recipes import recipe
from worker.training.reports import EpochReport, Stopped, TrainingData
from worker.training.train import train

PAPER: dict[tuple[str, int], tuple[float, float]] = {
    ("m-dyr-h", 20): (94.0, 93.8),
    ("m-dyr-h", 50): (92.0, 91.9),
    ("m-dyr-h", 80): (86.8, 86.6),
    ("md-dyr-sh", 20): (93.8, 93.6),
    ("md-dyr-sh", 50): (90.6, 90.3),
    ("md-dyr-sh", 80): (82.4, 77.8),
    ("md-dyr-sh", 90): (69.1, 68.7),
}
"""(recipe, nominal noise in percent) → (best, last) of the paper's Tables 2 and 4."""


def trained(
    name: str, percent: int, train_set: Any, test_set: Any, options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """One cell of the table, begun or continued in the folder. Raises Stopped."""
    image_NHWC, true_N = train_set
    classes = int(true_N.max()) + 1
    given_N = inject(true_N, classes, "symmetric", percent / 100, np.random.default_rng(options.seed))
    data = TrainingData(image_NHWC, given_N, classes, true_N, *test_set)
    settings = recipe(name, {"epochs": options.epochs, "width": options.width})
    stop = False

    def request_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stop
        stop = True

    def show(report: EpochReport) -> None:
        sys.stderr.write(
            f"{name} {percent} %: epoch {report.epoch}/{report.epochs}, validation "
            f"{report.validation_accuracy or 0:.1%}, {report.seconds:.1f} s\n"
        )

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        outcome = train(
            data, settings, seed=options.seed, device=options.device, directory=folder, on_epoch=show,
            should_stop=lambda: stop,
        )  # fmt: skip
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert outcome.validation_accuracy is not None
    return {
        "best": 100 * outcome.validation_accuracy["best"],
        "last": 100 * outcome.validation_accuracy["last"],
        "seconds": outcome.seconds,
        "wrong": float((given_N != true_N).mean()),
        "metrics": outcome.metrics,
        "notes": list(outcome.notes),
    }


def table(document: dict[str, Any]) -> str:
    """The finished cells beside the paper's."""
    lines = [f"{'recipe':12}{'noise':>6}{'best':>9}{'paper':>8}{'last':>9}{'paper':>8}{'seconds':>10}"]
    for (name, percent), (best, last) in PAPER.items():
        cell = document["cells"].get(f"{name}:{percent}")
        found = (
            f"{cell['best']:9.1f}{best:8.1f}{cell['last']:9.1f}{last:8.1f}{cell['seconds']:10.0f}"
            if cell
            else f"{'–':>9}{best:8.1f}{'–':>9}{last:8.1f}{'–':>10}"
        )
        lines.append(f"{name:12}{percent:5}%{found}")
    return "\n".join(lines)


def main() -> int:
    """Runs the benchmark; 130 when it was stopped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper", description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--limit", type=int, help="only so many training images, and test images")
    parser.add_argument("--cells", help="such as m-dyr-h:20,md-dyr-sh:90; default all seven")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    cells = list(PAPER)
    if options.cells:
        asked = [each.strip() for each in options.cells.split(",")]
        cells = [cell for cell in PAPER if f"{cell[0]}:{cell[1]}" in asked]
        if len(cells) != len(asked):
            parser.error(f"cells are {', '.join(f'{name}:{percent}' for name, percent in PAPER)}")

    device = chosen_device(options.device)
    asked_for = {key: getattr(options, key) for key in ("epochs", "width", "limit", "seed")}
    kind = re.sub(r"\W+", "-", device.device.type)
    path = options.results / f"paper-{kind}-{options.epochs}.json"
    document: dict[str, Any] = {"settings": asked_for, "cells": {}}
    if path.exists():
        document = json.loads(path.read_text())
        if document["settings"] != asked_for:
            parser.error(f"{path} holds a table with {document['settings']}; use another --results")
    document |= {"device": device.name, "torch": torch.__version__, "threads": torch.get_num_threads()}

    missing = [cell for cell in cells if f"{cell[0]}:{cell[1]}" not in document["cells"]]
    if missing:
        train_set = labelled_images(options.data, options.limit)
        test_set = labelled_images(options.data, options.limit, split="test")
    for name, percent in missing:
        folder = path.with_suffix("") / f"{name}-{percent}"
        try:
            cell = trained(name, percent, train_set, test_set, options, folder)
        except Stopped:
            sys.stderr.write("stopped; the same command goes on\n")
            return 130
        document["cells"][f"{name}:{percent}"] = cell
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(document, indent=1) + "\n")
        temporary.replace(path)
        shutil.rmtree(folder)
    print(
        f"CIFAR-10, {device.name}, {options.epochs} epochs, width {options.width}, validation accuracy in %\n"
    )
    print(table(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
