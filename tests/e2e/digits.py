"""Real images for the browser tests: scikit-learn's handwritten digits as a zip of class folders."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write_zip(
    path: Path, *, samples: int, wrong: float, unreadable: int = 0, splits: tuple[str, ...] = ("",)
) -> dict[str, str]:
    """Write the archive; gives the label of every image by its name in the archive.

    A share `wrong` of the images lies in another class's folder; `unreadable` files are cut short; the images are
    dealt to the folders `splits` in turn.
    """
    digits, rng = load_digits(), np.random.default_rng(6)
    true_N = digits.target[:samples]
    given_N = true_N.copy()
    moved = rng.choice(samples, size=round(wrong * samples), replace=False)
    given_N[moved] = (true_N[moved] + rng.integers(1, 10, len(moved))) % 10
    label_of = {}
    with zipfile.ZipFile(path, "w") as archive:
        for index, (image, label) in enumerate(zip(digits.images[:samples], given_N, strict=True)):
            name = "/".join(filter(None, ("digits", splits[index % len(splits)], f"{label}/{index:04d}.png")))
            archive.writestr(name, _png(image))
            label_of[name] = str(label)
        for number in range(unreadable):
            archive.writestr(f"digits/0/cut-{number}.png", _png(digits.images[number])[:60])
    return label_of


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray((image * 15).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()
