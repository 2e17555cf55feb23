"""What a run will cost, before it is started: time and disk. Pure; knows recipes and sizes, not what they find.

Shape letters: N samples, E epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.training.recipes import Recipe

REFERENCE_SPEED: Mapping[str, tuple[int, float]] = {"preact-resnet": (16, 900.0), "audit": (32, 1300.0)}
"""By network: a width, and images trained per second at it on 32 × 32 pixels with two CPU cores (measured)."""
WIDTH_EXPONENT = 1.6
"""Four times the width is about nine times slower."""
TRACKING_SHARE = 0.3
"""Cost of the evaluation pass after each epoch, of the training pass."""
MIXUP_SHARE = 0.4
"""What the extra forward pass of mixup and bootstrapping adds."""
SMALLEST_PIXELS = 256
"""Below this an image costs its overhead, not its pixels."""
AROUND_SECONDS = 6.0
"""What every run takes besides: its process starts, and the map's compiler (measured on two CPU cores)."""
MAP_SECONDS = 0.0012
"""The map and the storing of the results, per sample (measured on 1 797 and on 10 000)."""

PARAMETERS: Mapping[str, float] = {"preact-resnet": 2727.0, "audit": 280.0}
"""Of the networks that have a width: parameters per squared channel of the first stage, with two blocks."""
TORCHVISION: Mapping[str, tuple[int, int]] = {
    "resnet18": (11_700_000, 512),
    "resnet34": (21_800_000, 512),
    "resnet50": (25_600_000, 2048),
}
"""Parameters and features."""
CHECKPOINTS, TENSORS = 2, 3
"""The two newest are kept, each with weights, momentum and averaged weights as 4-byte numbers."""
ROW_BYTES = 260
"""A sample's row with its index entries in the database, its row in the Parquet file and its neighbours."""


def run_seconds(each: Recipe, samples: int, pixels: int) -> float | None:
    """About how long the whole run takes on two CPU cores; None without a ready dataset."""
    if not samples or not pixels:
        return None
    width, speed = REFERENCE_SPEED.get(each.network, REFERENCE_SPEED["preact-resnet"])
    speed *= float((width / each.width) ** WIDTH_EXPONENT * (2 / each.blocks))
    speed *= 32 * 32 / max(pixels, SMALLEST_PIXELS)
    extra = TRACKING_SHARE + (MIXUP_SHARE if each.mixup != "none" or each.bootstrap != "none" else 0.0)
    return samples * each.epochs * (1 + extra) / speed + AROUND_SECONDS + MAP_SECONDS * samples


def run_bytes(each: Recipe, samples: int, classes: int, shape: Sequence[int]) -> int:
    """About how much space a run needs at its fullest, on the machine that trains and where artifacts are kept.

    While it runs: a copy of the pixels and the checkpoints with all epochs' losses, margins and predictions. For good:
    the network, features and predicted probabilities (half precision), those histories, and a row per sample.
    """
    parameters, features = _size(each)
    history_EN = each.epochs * samples * 10
    checkpoint = parameters * 4 * TENSORS + history_EN
    pixels = samples * shape[0] * shape[1] * (shape[2] if len(shape) > 2 else 1)
    kept = parameters * 4 + samples * 2 * (features + classes) + history_EN // 2 + samples * ROW_BYTES
    # Checkpoints lie beside the process and, mirrored, among the artifacts.
    return pixels + 2 * CHECKPOINTS * checkpoint + kept


def _size(each: Recipe) -> tuple[int, int]:
    """Parameters and features of the recipe's network."""
    if each.network in TORCHVISION:
        return TORCHVISION[each.network]
    parameters = PARAMETERS[each.network] * each.width**2
    if each.network == "preact-resnet":
        return round(parameters * each.blocks / 2), 8 * each.width
    return round(parameters), 4 * each.width
