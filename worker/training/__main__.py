"""Training on one file without any server; the outer door of `worker.training`.

    python -m worker.training DATA.npz --recipe NAME [--set key=value]... [--seed S] [--device D] --out DIR
    torchrun --nproc-per-node 2 -m worker.training …          the same on several devices of one machine

DATA.npz holds image (N, H, W, C uint8) and given_label (N,); optionally true_label, validation_image,
validation_label. Progress goes to standard error, one JSON document to standard output, one value per sample
to DIR/result.npz, further scores to DIR/scores.npz. The same command goes on where it stopped. Exit codes: 0 done, 1 the training failed, 2 wrong use.
`--set weights=FILE` (.pth, .pt, .safetensors) begins a torchvision network with the weights in a file; only here: no
setting that reaches a server names a file.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import zipfile
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.noise.scores import confident_class, consensus, margin
from worker.training.recipes import RECIPES, recipe
from worker.training.reports import Diverged, EpochReport, Outcome, OutOfMemory, Stopped, TrainingData
from worker.training.tensorfile import UnreadableFile


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.training",
        description="Trains on a labelled image set and finds its wrong labels.",
    )
    parser.add_argument("data", type=Path, metavar="DATA.npz")
    parser.add_argument("--recipe", default=next(iter(RECIPES)), metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="replace a setting of the recipe"
    )
    parser.add_argument(
        "--folds", type=int, default=0, metavar="K",
        help="train on K folds as well, for the scores that need predictions of unseen samples",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0 … or mps")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoints and result.npz")
    options = parser.parse_args(arguments)

    stop_requested = False

    def request_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stop_requested
        stop_requested = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    try:
        if not 0 <= options.seed < 2**63:
            raise ValueError(f"seed must lie between 0 and 2^63 - 1, found {options.seed}")
        overrides = _overrides(options.set)
        weights_file = _weights_file(overrides)
        settings = recipe(options.recipe, overrides)
        data = load_data(options.data)
        # Loading torch takes seconds; wrong use is answered without it.
        from worker.training.parallel import speaks
        from worker.training.train import train

        outcome = train(
            data,
            settings,
            seed=options.seed,
            device=options.device,
            directory=options.out,
            on_epoch=_show,
            should_stop=lambda: stop_requested,
            build=_builder(settings.network, weights_file),
        )
        scores = dict(outcome.scores)
        if options.folds:
            from worker.training.folds import out_of_fold

            probability_NC = out_of_fold(
                data, settings, folds=options.folds, seed=options.seed, device=options.device,
                directory=options.out, on_epoch=lambda fold, report: _show(report),
                should_stop=lambda: stop_requested, build=_builder(settings.network, weights_file),
            )  # fmt: skip
            scores["out_of_fold_margin"] = margin(probability_NC, data.given_label_N)
            confident_N = confident_class(probability_NC, data.given_label_N)
            scores["confident_learning"] = ((confident_N >= 0) & (confident_N != data.given_label_N)) * 1.0
        scores["consensus"] = consensus(scores)
        if not speaks():
            return 0
        _write_result(options.out, outcome, scores)
    except ValueError as error:
        if isinstance(error, UnreadableFile):
            return _failed(str(error), 1)
        return _failed(str(error), 2)
    except FileNotFoundError as error:
        return _failed(f"{error.filename}: {error.strerror}", 2)
    except (Diverged, OutOfMemory, Stopped) as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(f"{error.filename or 'writing'}: {error.strerror}", 1)
    sys.stdout.write(json.dumps(outcome.summary) + "\n")
    return 0


def load_data(path: Path) -> TrainingData:
    """The training data in an .npz file; ValueError when it is unusable, OSError when it cannot be opened."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
        except (ValueError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path.name} is not a readable .npz file of plain arrays") from error
    for name in ("image", "given_label"):
        if name not in arrays:
            raise ValueError(
                f"{path.name} must hold image and given_label; found {', '.join(arrays) or 'nothing'}"
            )
    labels = {}
    for name in ("given_label", "true_label", "validation_label"):
        if name in arrays:
            if not np.issubdtype(arrays[name].dtype, np.integer):
                raise ValueError(f"{name} must be whole numbers, found {arrays[name].dtype}")
            labels[name] = arrays[name].astype(np.int64)
    # A class that only true or validation labels name is a class nevertheless.
    classes = max((int(label_N.max()) + 1 for label_N in labels.values() if label_N.size), default=0)
    return TrainingData(
        image_NHWC=arrays["image"],
        given_label_N=labels["given_label"],
        classes=classes,
        true_label_N=labels.get("true_label"),
        validation_image_NHWC=arrays.get("validation_image"),
        validation_label_N=labels.get("validation_label"),
    )


def _overrides(pairs: list[str]) -> dict[str, object]:
    overrides: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--set takes KEY=VALUE, found {pair!r}")
        overrides[key.strip().replace("-", "_")] = value.strip()
    return overrides


def _weights_file(overrides: dict[str, object]) -> Path | None:
    """The file that `weights` names, taken out of the overrides; None when it names none."""
    value = str(overrides.get("weights", ""))
    if not value.endswith((".pth", ".pt", ".safetensors")):
        return None
    del overrides["weights"]
    return Path(value)


def _builder(network: str, weights_file: Path | None) -> Any:
    """Makes the networks; torchvision's only where it is installed."""
    if weights_file is None and not network.startswith("resnet"):
        return importlib.import_module("worker.training.networks").built
    # `worker.backbones` stands above this package, which runs without it; only this door looks up.
    return importlib.import_module("worker.backbones").builder(weights_file)


def _show(report: EpochReport) -> None:
    parts = [
        f"epoch {report.epoch}/{report.epochs}",
        f"loss {report.train_loss:.3f}",
        f"agrees with the given labels {report.train_accuracy:.1%}",
        f"noise rate {report.noise_rate:.1%} ({report.trust['verdict']})",
    ]
    if report.validation_accuracy is not None:
        parts.append(f"validation {report.validation_accuracy:.1%}")
    parts.append(f"{report.images_per_second:.0f} images/s, {report.seconds_left:.0f} s left")
    sys.stderr.write(", ".join(parts) + "\n")
    if report.epoch == 1 or report.epoch == report.epochs:
        for note in report.notes:
            sys.stderr.write(f"note: {note}\n")


def _write_result(directory: Path, outcome: Outcome, scores: dict[str, NDArray[np.float64]]) -> None:
    result = {
        "noise_posterior": outcome.noise_posterior_N,
        "suggested_label": outcome.suggested_label_N,
        "loss": outcome.loss_N,
        "margin": outcome.margin_N,
        "flagged": outcome.flagged_N,
    }
    for name, arrays in (("scores", scores), ("result", result)):
        temporary = directory / f".{name}.npz.part"
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        temporary.replace(directory / f"{name}.npz")


def _failed(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
