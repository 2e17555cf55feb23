"""Labelled images for the benchmarks, from a place given by the reader; knows files, nothing of recipes.

Shapes: N samples, H × W pixels, C channels.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]


def labelled_images(source: str, limit: int | None = None, split: str = "train") -> Labelled:
    """Images (N, H, W, C) and true labels (N,), the first `limit` of them.

    `source` is "digits" (scikit-learn's handwritten digits), a folder of Parquet shards named SPLIT-*.parquet with the
    columns image and label (as the Hugging Face hub keeps CIFAR-10), or an .npz with image and true_label.
    Raises FileNotFoundError where a folder holds no such shard.
    """
    if source == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return (digits.images * 15).astype(np.uint8)[:limit, ..., None], digits.target[:limit].astype(
            np.int64
        )
    path = Path(source)
    if path.is_file():
        with np.load(path, allow_pickle=False) as archive:
            return archive["image"][:limit], archive["true_label"][:limit].astype(np.int64)
    shards = sorted(path.glob(f"{split}-*.parquet"))
    if not shards:
        raise FileNotFoundError(f"{path} holds no {split}-*.parquet; give the folder with CIFAR-10's shards")
    return _from_shards(shards, limit)


def _from_shards(shards: list[Path], limit: int | None) -> Labelled:
    import pyarrow.parquet as parquet
    from PIL import Image

    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for shard in shards:
        for batch in parquet.ParquetFile(shard).iter_batches(columns=["image", "label"]):
            row: dict[str, Any]
            for row in batch.to_pylist():
                if limit is not None and len(images) == limit:
                    return np.stack(images), np.array(labels, dtype=np.int64)
                images.append(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")))
                labels.append(int(row["label"]))
    return np.stack(images), np.array(labels, dtype=np.int64)


def labels_from_csv(path: Path, limit: int | None = None) -> NDArray[np.int64]:
    """Given labels (N,) from a CSV with a header: the sample's index first, its label second."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    by_index = {int(index): int(label) for index, label, *_ in rows}
    count = len(by_index) if limit is None else min(limit, len(by_index))
    return np.array([by_index[index] for index in range(count)], dtype=np.int64)
