"""Where a step stands in its training: how many steps there are, their learning rate, the guess's temperature.

Pure functions of a recipe. Epochs count from 1, steps of an epoch from 0.
"""

from __future__ import annotations

import math

from worker.training.settings import Recipe

SMALLEST_BATCH = 16
"""Fewer samples give batch statistics that are mostly chance."""


def steps_per_epoch(recipe: Recipe, batch_size: int, samples: int) -> int:
    """Steps of an epoch; batches are of nearly equal size, since a last batch of one has no batch statistics."""
    batch = min(batch_size, max(SMALLEST_BATCH, samples // recipe.fewest_steps))
    steps = max(1, math.ceil(samples / batch))
    return steps if samples >= 2 * steps else 1


def turn(recipe: Recipe, epoch: int) -> tuple[int, int, int]:
    """Which network is trained in an epoch (from 0), its first and its last epoch."""
    networks = min(recipe.networks, recipe.epochs)
    index = ((epoch - 1) * networks) // recipe.epochs
    first, last = (-(-recipe.epochs * each // networks) for each in (index, index + 1))
    return index, first + 1, last


def first_epochs(recipe: Recipe) -> list[int]:
    """The epochs in which a network begins, the first of them 1."""
    return sorted({turn(recipe, epoch)[1] for epoch in range(1, recipe.epochs + 1)})


def is_ranked(recipe: Recipe, epoch: int) -> bool:
    """Whether the predictions after an epoch count; the first ones of each network know too little."""
    _, first, last = turn(recipe, epoch)
    return epoch >= min(last, first + round(recipe.ranking_skip * (last - first + 1)))


def learning_rate(recipe: Recipe, steps: int, epoch: int, step: int = 0) -> float:
    """The rate of a step of an epoch of `steps` steps; a cycle is one network's."""
    if recipe.schedule == "steps":
        passed = sum(epoch > milestone for milestone in recipe.milestones)
        return recipe.learning_rate / recipe.decay**passed
    _, first, last = turn(recipe, epoch)
    done = ((epoch - first) * steps + step + 1) / ((last - first + 1) * steps + 1)
    if done < recipe.warmup_share:
        return recipe.learning_rate * done / recipe.warmup_share
    return recipe.learning_rate * (1.0 - done) / (1.0 - recipe.warmup_share)


def temperature(recipe: Recipe, epoch: int) -> float:
    """Softmax temperature of the guess in an epoch (Eq. 16), falling linearly to its end."""
    span = max(1, recipe.temperature_end_epoch - recipe.bootstrap_start)
    share = min(1.0, max(0.0, (epoch - recipe.bootstrap_start) / span))
    return 1.0 + share * (recipe.temperature_end - 1.0)
