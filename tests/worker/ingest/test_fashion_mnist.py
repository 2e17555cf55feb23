"""Fashion-MNIST as Debian's package installs it comes back image by image."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.settings import Limits
from worker.ingest import Recognised
from worker.ingest.writing import Imported

INSTALLED = Path("/usr/share/datasets/fashion-mnist")

pytestmark = pytest.mark.skipif(
    not INSTALLED.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed"
)


def test_the_first_images_of_training_come_back(bring: Callable[..., Imported], out: Path) -> None:
    imported = bring(INSTALLED, limit=500)

    with gzip.open(INSTALLED / "train-images-idx3-ubyte.gz") as file:
        file.seek(16)
        image_NHW = np.frombuffer(file.read(500 * 28 * 28), np.uint8).reshape(500, 28, 28)
    with gzip.open(INSTALLED / "train-labels-idx1-ubyte.gz") as file:
        label_N = np.frombuffer(file.read()[8:508], np.uint8)
    np.testing.assert_array_equal(np.load(out / "pixels.npy")[..., 0], image_NHW)
    np.testing.assert_array_equal(imported.given_label_N, label_N)
    assert imported.report["splits"] == {"train": 60_000, "test": 10_000}


def test_all_of_it_is_listed(open_source: Callable[..., Recognised], limits: Limits) -> None:
    source = open_source(INSTALLED, split="all", limits=limits)
    assert (source.format, source.total) == ("idx", 70_000)
    assert source.counts["test"] == {str(label): 1000 for label in range(10)}
