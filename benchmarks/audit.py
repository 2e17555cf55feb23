"""Seconds, AUROC, average precision and F1 of a recipe on data whose true labels are known.

    python benchmarks/audit.py DATA --recipe fast [--limit N] [--kind symmetric] [--rate 0.4] [--seed 0] [--set key=value]...

DATA is "digits" (scikit-learn's), a folder of Hugging Face style Parquet shards (image, label), or an .npz with image
(N, H, W, C uint8) and true_label. Noise is planted as said; the training sees the given labels alone. A table line
is printed, and with --json FILE the same figures are written.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.noise.inject import KINDS, inject
from worker.training.recipes import RECIPES, recipe
from worker.training.reports import EpochReport, TrainingData
from worker.training.train import train


def labelled_images(source: str, limit: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, H, W, C) and true labels (N,) of the source."""
    if source == "digits":
        from sklearn.datasets import load_digits

        bunch = load_digits()
        return (bunch.images * 15).astype(np.uint8)[:limit, ..., None], bunch.target[:limit].astype(np.int64)
    path = Path(source)
    if path.is_file():
        with np.load(path, allow_pickle=False) as archive:
            return archive["image"][:limit], archive["true_label"][:limit].astype(np.int64)
    import pyarrow.parquet as parquet
    from PIL import Image

    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for shard in sorted(path.glob("train-*.parquet")):
        for batch in parquet.ParquetFile(shard).iter_batches(columns=["image", "label"]):
            for row in batch.to_pylist():
                if limit is not None and len(images) == limit:
                    return np.stack(images), np.array(labels, dtype=np.int64)
                images.append(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")))
                labels.append(row["label"])
    return np.stack(images), np.array(labels, dtype=np.int64)


def show(report: EpochReport) -> None:
    """One line of progress on standard error."""
    sys.stderr.write(f"epoch {report.epoch}/{report.epochs}, {report.seconds:.1f} s, {report.metrics}\n")


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description="Seconds and ranking quality of a recipe on planted noise.")
    parser.add_argument("data")
    parser.add_argument("--recipe", default="fast", choices=list(RECIPES))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--kind", default="symmetric", choices=list(KINDS))
    parser.add_argument("--rate", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    settings = recipe(options.recipe, dict(pair.split("=", 1) for pair in options.set))
    image_NHWC, true_N = labelled_images(options.data, options.limit)
    classes = int(true_N.max()) + 1
    rng = np.random.default_rng(options.seed)
    given_N = inject(true_N, classes, options.kind, options.rate, rng, feature=image_NHWC)
    data = TrainingData(image_NHWC, given_N, classes, true_label_N=true_N)
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(
            data, settings, seed=options.seed, device=options.device, directory=Path(folder), on_epoch=show
        )
    cleaned_N = np.where(outcome.flagged_N, outcome.suggested_label_N, given_N)
    figures = {
        **outcome.summary,
        "recipe": options.recipe,
        "wrong": float((given_N != true_N).mean()),
        "cleaned_labels_right": float((cleaned_N == true_N).mean()),
    }
    metrics = outcome.metrics or {}
    print("recipe      samples   wrong  seconds   AUROC      AP      F1  noise rate  cleaned right")
    print(
        f"{options.recipe:<10} {len(true_N):>8} {figures['wrong']:>7.3f} {outcome.seconds:>8.1f} "
        f"{metrics['auroc'] or 0:>7.4f} {metrics['average_precision'] or 0:>7.4f} {metrics['f1'] or 0:>7.4f} "
        f"{outcome.noise_rate:>11.3f} {figures['cleaned_labels_right']:>14.3f}"
    )
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
