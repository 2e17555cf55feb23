"""The named training configurations, and how a shortened one still passes through every phase; imports nothing heavy.

What can be set and in which ranges is in `settings`. Epochs count from 1 in everything a person sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from worker.training.settings import LONGEST, SETTABLE, Recipe, parsed

__all__ = ["RECIPES", "SETTABLE", "Recipe", "recipe"]

_SCALED = (
    "milestones",
    "dynamic_mixup_start",
    "bootstrap_start",
    "temperature_end_epoch",
    "correction_start",
)
"""Epochs that move with `epochs`, so that a shortened run passes through every phase."""


def recipe(name: str, overrides: Mapping[str, object] = MappingProxyType({})) -> Recipe:
    """The named recipe with some settings replaced; values may be text, as in `--set epochs=30`.

    Where `epochs` is set, milestones and starts that are not set themselves move in proportion. Raises
    ValueError for an unknown name or key (listing the known ones) and for a value of the wrong kind or range.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe is named {name!r};{_near(name, RECIPES)} there are {', '.join(RECIPES)}")
    base = RECIPES[name]
    unknown = [key for key in overrides if key not in SETTABLE]
    if unknown:
        near = _near(unknown[0], SETTABLE)
        raise ValueError(f"unknown setting {unknown[0]!r};{near} settings are {', '.join(SETTABLE)}")
    values = {key: parsed(key, value) for key, value in overrides.items()}
    if "epochs" in values:
        share = values["epochs"] / base.epochs
        for key in _SCALED:
            if key not in values:
                values[key] = _scaled(getattr(base, key), share)
    if values.get("literal"):
        values.setdefault("weights_from", "batch")
    return replace(base, **values)


def _near(wrong: str, known: Iterable[str]) -> str:
    """What was perhaps meant, in words."""
    near = get_close_matches(wrong, known, 1)
    return f" did you mean {near[0]}?" if near else ""


def _scaled(value: int | tuple[int, ...], share: float) -> int | tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(sorted({_scaled_epoch(epoch, share) for epoch in value}))
    return _scaled_epoch(value, share)


def _scaled_epoch(epoch: int, share: float) -> int:
    return min(LONGEST, max(1, round(epoch * share)))


_PAPER = Recipe(
    name="ce",
    title="Cross-entropy",
    description="Plain training for 300 epochs; the baseline, which learns the wrong labels too.",
)
# Table 1 has no mixup; its schedule stands in the paper's appendix and is given here from memory: 120 epochs,
# the rate divided by 10 after 30, 80 and 110, bootstrapping from epoch 31.
_SHORT = replace(_PAPER, epochs=120, milestones=(30, 80, 110), bootstrap_start=31)
_MIXUP = replace(_PAPER, mixup="constant")
_DYNAMIC = replace(_MIXUP, bootstrap="dynamic", prior_weight=1.0)


def _named(base: Recipe, name: str, title: str, description: str, **settings: Any) -> Recipe:
    return replace(base, name=name, title=title, description=description, **settings)


_ALL = (
    _named(
        _PAPER,
        "fast",
        "Fast audit",
        "Finds suspect labels in minutes, also without a graphics card; the best choice to begin with.",
        epochs=16,
        networks=2,
        batch_size=64,
        fewest_steps=40,
        learning_rate=0.1,
        nesterov=True,
        weight_decay=5e-4,
        schedule="one-cycle",
        network="audit",
        width=32,
        weight_average=0.6,
        judge_mirrored=True,
        ranking_skip=0.75,
    ),
    _PAPER,
    _named(
        _SHORT,
        "st-s",
        "Static soft bootstrapping",
        "Every label is trusted to 95 %, the network's probabilities to 5 % (Reed 2015).",
        bootstrap="static",
        guess="soft",
        static_weight=0.05,
    ),
    _named(
        _SHORT,
        "st-h",
        "Static hard bootstrapping",
        "Every label is trusted to 80 %, the network's prediction to 20 % (Reed 2015).",
        bootstrap="static",
        guess="hard",
        static_weight=0.2,
    ),
    _named(
        _SHORT,
        "dy-s",
        "Dynamic soft bootstrapping",
        "The noise posterior of each sample weighs its label against the network's probabilities.",
        bootstrap="dynamic",
        guess="soft",
    ),
    _named(
        _SHORT,
        "dy-h",
        "Dynamic hard bootstrapping",
        "The noise posterior of each sample weighs its label against the network's prediction.",
        bootstrap="dynamic",
        guess="hard",
    ),
    _named(
        _MIXUP,
        "m",
        "Mixup",
        "Trains on blends of two images and their labels, which slows the learning of wrong labels.",
    ),
    _named(
        _DYNAMIC,
        "m-dyr-s",
        "Mixup, dynamic soft bootstrapping",
        "Mixup, and suspect labels give way to the network's probabilities.",
        guess="soft",
    ),
    _named(
        _DYNAMIC,
        "m-dyr-h",
        "Mixup, dynamic hard bootstrapping",
        "The paper's main method: mixup, and suspect labels give way to the network's prediction.",
        guess="hard",
    ),
    _named(
        _DYNAMIC,
        "md-dyr-h",
        "Dynamic mixup, hard bootstrapping",
        "For very noisy data: clean samples lead in every blend; suspect labels give way to the prediction.",
        mixup="dynamic",
        bootstrap_start=111,
        guess="hard",
    ),
    _named(
        _DYNAMIC,
        "md-dyr-sh",
        "Dynamic mixup, soft to hard bootstrapping",
        "For extreme noise: as dynamic mixup with hard bootstrapping, trusting predictions only gradually.",
        mixup="dynamic",
        bootstrap_start=111,
        guess="soft-to-hard",
    ),
    _named(
        _PAPER,
        "forward",
        "Forward correction",
        "Learns which classes are mistaken for which and trains through that matrix (Patrini 2017).",
        forward_correction=True,
    ),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType({each.name: each for each in _ALL})
"""Name → recipe; the first one is the default."""
