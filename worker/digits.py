"""The built-in demo dataset: scikit-learn's 1 797 handwritten digits (8×8, grey) as PNG images.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from worker.ingest import Entry

GREY_LEVELS = 16
"""The original pixels are counts from 0 to 16."""


class DigitsSource:
    """The digits as a source like any upload; they go through the same import."""

    format = "digits"
    reason = "scikit-learn's handwritten digits, built in"
    taken = "all"
    ignored = 0
    columns = None

    def __init__(self) -> None:
        self._digits = load_digits()
        self.total = len(self._digits.target)
        self.splits: dict[str, int] = {}
        self.classes = [str(digit) for digit in range(10)]
        self.annotators: list[str] = []

    def entries(self, limit: int | None = None) -> Iterator[Entry]:
        """Each digit in the original order, white on black."""
        for index, (grey_HW, digit) in enumerate(zip(self._digits.images, self._digits.target, strict=True)):
            if limit is not None and index >= limit:
                return
            png = io.BytesIO()
            Image.fromarray(np.round(grey_HW * (255 / GREY_LEVELS)).astype(np.uint8)).save(png, "PNG")
            yield Entry(name=f"digit-{index:04d}.png", label=str(digit), split=None, data=png.getvalue())
