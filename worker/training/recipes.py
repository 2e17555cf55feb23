"""The named training configurations and the check of every number in them; imports nothing heavy.

A recipe is data: one loop reads it. Epochs count from 1 in everything a person sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

Network = Literal["preact-resnet", "audit"]
Schedule = Literal["steps", "one-cycle"]
Mixup = Literal["none", "constant", "dynamic"]
Bootstrap = Literal["none", "static", "dynamic"]
Guess = Literal["hard", "soft", "soft-to-hard"]
Flip = Literal["off", "on", "colour"]
MixtureName = Literal["beta", "gaussian"]
NormalisationName = Literal["percentile", "maximum"]


@dataclass(frozen=True)
class Recipe:
    """Every number of a training run. Ranges are checked on creation (ValueError names field and range)."""

    name: str
    title: str
    description: str

    epochs: int = 300
    batch_size: int = 128
    fewest_steps: int = 1
    """An epoch has at least so many steps: small sets get smaller batches, down to 16 samples."""
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    schedule: Schedule = "steps"
    milestones: tuple[int, ...] = (100, 250)
    """After these epochs the learning rate is divided by `decay` (schedule "steps")."""
    decay: float = 10.0
    warmup_share: float = 0.25
    """Share of the steps in which the rate climbs to its peak (schedule "one-cycle"); then it falls to 0."""
    label_smoothing: float = 0.0

    network: Network = "preact-resnet"
    width: int = 64
    """Channels of the first stage; 64 is the paper's PreAct ResNet-18."""
    blocks: int = 2
    """Residual blocks in each of the four stages of a PreAct ResNet; 2 is ResNet-18."""

    crop_share: float = 0.125
    """Zero border before a random crop, as a share of the image's side: 4 pixels of 32."""
    flip: Flip = "colour"
    """Random horizontal flip. "colour" flips only images with colour: a mirrored photograph is still that photograph,
    a mirrored digit, letter or grey medical image may be something else, and those mostly have no colour."""

    mixup: Mixup = "none"
    mixup_alpha: float = 32.0
    """Both parameters of the beta distribution of the mixing share (Eq. 11; 32 under noise)."""
    dynamic_mixup_start: int = 106
    """First epoch in which clean posteriors steer the mixing of inputs (Eq. 15, mixup "dynamic")."""
    bootstrap: Bootstrap = "none"
    guess: Guess = "hard"
    static_weight: float = 0.2
    """Weight of the network's guess with bootstrap "static"."""
    bootstrap_start: int = 106
    """First epoch in which the guess takes part (bootstrap "dynamic" or "static")."""
    temperature_end: float = 0.001
    temperature_end_epoch: int = 200
    """The softmax temperature falls from 1 at `bootstrap_start` to its end here (Eq. 16, guess "soft-to-hard")."""
    prior_weight: float = 0.0
    """Weight η of the term against predicting one class for all (Eq. 14)."""
    forward_correction: bool = False
    correction_start: int = 76
    """First epoch trained through the estimated transition matrix (forward correction)."""

    mixture: MixtureName = "beta"
    """Which mixture gives the weights of dynamic bootstrapping."""
    normalisation: NormalisationName = "percentile"

    ranking_skip: float = 0.1
    """Share of the first epochs left out of the mean margin by which samples are ranked."""

    def __post_init__(self) -> None:
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"{field} must lie between {low:g} and {high:g}, found {value:g}")
        for field, kind in _CHOICES.items():
            if getattr(self, field) not in kind:
                raise ValueError(f"{field} must be one of {', '.join(kind)}, found {getattr(self, field)!r}")
        if any(not 1 <= epoch <= _LONGEST for epoch in self.milestones) or list(self.milestones) != sorted(
            set(self.milestones)
        ):
            raise ValueError(
                f"milestones must rise and lie between 1 and {_LONGEST}, "
                f"found {', '.join(map(str, self.milestones))}"
            )

    def as_dict(self) -> dict[str, Any]:
        """All settings, JSON-ready."""
        return {**asdict(self), "milestones": list(self.milestones)}


_LONGEST = 10_000
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "epochs": (1, _LONGEST),
        "batch_size": (2, 65_536),
        "fewest_steps": (1, 10_000),
        "learning_rate": (1e-6, 100.0),
        "momentum": (0.0, 0.9999),
        "weight_decay": (0.0, 1.0),
        "decay": (1.0, 1e6),
        "warmup_share": (0.0, 0.95),
        "label_smoothing": (0.0, 0.9),
        "width": (4, 1024),
        "blocks": (1, 8),
        "crop_share": (0.0, 0.5),
        "mixup_alpha": (0.01, 1000.0),
        "dynamic_mixup_start": (1, _LONGEST),
        "static_weight": (0.0, 1.0),
        "bootstrap_start": (1, _LONGEST),
        "temperature_end": (1e-4, 1.0),
        "temperature_end_epoch": (1, _LONGEST),
        "prior_weight": (0.0, 100.0),
        "correction_start": (1, _LONGEST),
        "ranking_skip": (0.0, 0.9),
    }
)
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "network": get_args(Network),
        "schedule": get_args(Schedule),
        "mixup": get_args(Mixup),
        "bootstrap": get_args(Bootstrap),
        "guess": get_args(Guess),
        "flip": get_args(Flip),
        "mixture": get_args(MixtureName),
        "normalisation": get_args(NormalisationName),
    }
)
_SCALED = (
    "milestones",
    "dynamic_mixup_start",
    "bootstrap_start",
    "temperature_end_epoch",
    "correction_start",
)
"""Epochs that move with `epochs`, so that a shortened run passes through every phase."""

SETTABLE = tuple(field.name for field in fields(Recipe) if field.name not in ("name", "title", "description"))


def recipe(name: str, overrides: Mapping[str, object] = MappingProxyType({})) -> Recipe:
    """The named recipe with some settings replaced; values may be text, as in `--set epochs=30`.

    Where `epochs` is set, milestones and starts that are not set themselves move in proportion. Raises
    ValueError for an unknown name or key (listing the known ones) and for a value of the wrong kind or range.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe is named {name!r}; there are {', '.join(RECIPES)}")
    base = RECIPES[name]
    unknown = [key for key in overrides if key not in SETTABLE]
    if unknown:
        raise ValueError(f"unknown setting {unknown[0]!r}; settings are {', '.join(SETTABLE)}")
    values = {key: _parsed(key, value) for key, value in overrides.items()}
    if "epochs" in values:
        share = values["epochs"] / base.epochs
        for key in _SCALED:
            if key not in values:
                values[key] = _scaled(getattr(base, key), share)
    return replace(base, **values)


def _scaled(value: int | tuple[int, ...], share: float) -> int | tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(sorted({_scaled_epoch(epoch, share) for epoch in value}))
    return _scaled_epoch(value, share)


def _scaled_epoch(epoch: int, share: float) -> int:
    return min(_LONGEST, max(1, round(epoch * share)))


_HINTS = get_type_hints(Recipe)


def _parsed(key: str, value: object) -> Any:
    """The value in the type of its field."""
    kind = _HINTS[key]
    try:
        if kind is bool:
            return _as_bool(value)
        if kind is int:
            return _as_int(value)
        if kind is float:
            return _as_float(value)
        if kind == tuple[int, ...]:
            parts = value.replace(" ", "").split(",") if isinstance(value, str) else value
            if not isinstance(parts, list | tuple):
                raise ValueError("not a list")
            return tuple(_as_int(part) for part in parts if part != "")
    except (TypeError, ValueError, OverflowError) as error:
        words = {bool: "true or false", int: "a whole number", float: "a number"}
        raise ValueError(
            f"{key} must be {words.get(kind, 'whole numbers separated by commas')}, found {value!r}"
        ) from error
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a word, found {value!r}")
    return value


def _as_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("neither true nor false")


def _as_int(value: object) -> int:
    number = _as_float(value)
    if number != int(number):
        raise ValueError("not whole")
    return int(number)


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("not a number")
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("not finite")
    return number


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
        batch_size=64,
        fewest_steps=40,
        learning_rate=0.1,
        nesterov=True,
        weight_decay=5e-4,
        schedule="one-cycle",
        network="audit",
        width=32,
        ranking_skip=0.25,
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
