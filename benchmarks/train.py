"""Images per second of every recipe, of the literal mode and of the forward pass alone, in one run on one device.

    python -m benchmarks.train [--device auto] [--width 64] [--images 256] [--repeats 2] [--recipes m-dyr-h,…] [--json FILE]

Synthetic images of 32 × 32 pixels in 10 classes, batches of 128, every recipe in its last phase (guesses, posteriors and
matrices all in use). "steps" is a training epoch without tracking, "epoch" with it. "floor" is the share of the
arithmetic floor that an epoch reaches: the forward pass's rate over the passes that the recipe cannot do without (a
backward pass counts as two). The first epoch of each is not counted; the fastest of the others is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.training.device import Device, chosen_device
from worker.training.images import Images
from worker.training.loop import Loop
from worker.training.posteriors import tabulated
from worker.training.recipes import RECIPES, Recipe, recipe
from worker.training.train import weighting_mixture

CLASSES, SIDE = 10, 32
LITERAL = "m-dyr-h, literal float32"
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    LITERAL: ("m-dyr-h", {"literal": True}),
    "m-dyr-h, lean float32": ("m-dyr-h", {"precision": "float32"}),
    "m-dyr-h, posteriors of the batch": ("m-dyr-h", {"weights_from": "batch"}),
    "m-dyr-h, tracked guesses": ("m-dyr-h", {"guess_from": "tracked"}),
    "md-dyr-h, tracked guesses": ("md-dyr-h", {"guess_from": "tracked"}),
}
"""Beside the recipes as they are."""


def passes(each: Recipe) -> int:
    """Forward passes' worth of arithmetic per image and epoch that the recipe cannot do without, tracking included."""
    guesses = each.mixup != "none" and each.bootstrap != "none" and each.guess_from == "step"
    return 3 + guesses + (each.weights_from == "batch") + 1


def ready_loop(each: Recipe, images: Images, given_N: np.ndarray[Any, Any], device: Device) -> Loop:
    """A loop whose next epoch uses all that the recipe ever uses."""
    loop = Loop(images, given_N, CLASSES, each, 0, device, lambda: False)
    tracked = loop.track()
    mixture = weighting_mixture(each).fit(tracked.loss_N)
    table = tabulated(mixture, tracked.loss_N, each.normalisation, loop.manner.entries, device.device)
    loop.known.weigh(mixture.posterior(tracked.loss_N), table)
    if each.forward_correction:
        loop.known.correct(torch.eye(CLASSES) * 0.9 + 0.01)
    return loop


def fastest(work: Callable[[], object], device: Device, repeats: int) -> float:
    """Seconds of the fastest of so many goes, after one that is not counted."""
    seconds = []
    for _ in range(repeats + 1):
        device.synchronise()
        started = time.perf_counter()
        work()
        device.synchronise()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def measured(each: Recipe, image_NHWC: np.ndarray[Any, Any], device: Device, repeats: int) -> dict[str, Any]:
    """Images per second of the recipe's steps, of tracking, and of both."""
    device = device.with_precision("float32" if each.literal else each.precision)
    given_N = np.arange(len(image_NHWC)) % CLASSES
    loop = ready_loop(each, Images(image_NHWC, device.device), given_N, device)
    steps = fastest(lambda: loop.train_epoch(each.epochs), device, repeats)
    tracking = fastest(loop.track, device, repeats)
    count = len(image_NHWC)
    return {
        "images_per_second_steps": count / steps,
        "images_per_second_tracking": count / tracking,
        "images_per_second_epoch": count / (steps + tracking),
        "passes": passes(each),
        "batch_size": each.batch_size,
        "width": each.width,
        "precision": "bfloat16" if device.bfloat16 else "float32",
        "notes": loop.notes,
    }


def settings_of(name: str, width: int) -> Recipe:
    """The recipe or variant of this name; the paper's network in the asked width, `fast` as it is."""
    base, overrides = VARIANTS.get(name, (name, {}))
    if RECIPES[base].network == "audit":
        return recipe(base, overrides)
    return recipe(base, {**overrides, "width": width, "batch_size": 128})


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--images", type=int, help="per epoch; default 256, on CUDA devices 50048")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--recipes", help="names separated by commas; default all")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "results" / "train.json")
    options = parser.parse_args()
    device = chosen_device(options.device)
    count = options.images or (50_048 if device.device.type == "cuda" else 256)
    image_NHWC = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    # Recipes that reuse averaged predictions of earlier epochs need a whole run.
    names = [
        name for name in (*VARIANTS, *RECIPES) if settings_of(name, 64).guess_from in ("step", "tracked")
    ]
    if options.recipes:
        asked = options.recipes.split(",")
        names = [name for name in names if name == LITERAL or name.partition(",")[0] in asked]

    plain = dataclasses.replace(settings_of("ce", options.width), name="forward pass alone")
    document: dict[str, Any] = {
        "device": device.name,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "images": count,
        "width": options.width,
        "recipes": {},
    }
    loop = ready_loop(plain, Images(image_NHWC, device.device), np.arange(count) % CLASSES, device)
    forward = count / fastest(loop.track, device, options.repeats)
    document["images_per_second_forward"] = forward
    print(f"{device.name}, torch {torch.__version__}, width {options.width}, {count} images an epoch")
    print(f"forward pass alone: {forward:,.0f} images/s\n")
    print(f"{'':34}{'steps':>8}{'track':>8}{'epoch':>8}{'floor':>8}{'× literal':>11}")
    for name in names:
        each = settings_of(name, options.width)
        row = measured(each, image_NHWC, device, options.repeats)
        document["recipes"][name] = row
        literal = document["recipes"].get(LITERAL)
        # The floor is that of the paper's network; `fast` has another.
        floor = row["images_per_second_epoch"] * row["passes"] / forward
        row["share_of_floor"] = floor if each.network == plain.network else None
        row["times_literal"] = literal and row["images_per_second_epoch"] / literal["images_per_second_epoch"]
        row["times_literal_steps"] = literal and (
            row["images_per_second_steps"] / literal["images_per_second_steps"]
        )
        shown = "" if row["share_of_floor"] is None else f"{floor:.0%}"
        print(
            f"{name:34}{row['images_per_second_steps']:8,.0f}{row['images_per_second_tracking']:8,.0f}"
            f"{row['images_per_second_epoch']:8,.0f}{shown:>8}{row['times_literal'] or 0:11.2f}",
            flush=True,
        )
        for note in row["notes"]:
            sys.stderr.write(f"{name}: {note}\n")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nwritten to {options.json}")


if __name__ == "__main__":
    main()
