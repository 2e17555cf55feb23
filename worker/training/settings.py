"""Every number of a training run, its range, and how it is read from text; imports nothing heavy.

A recipe is data: one loop reads it. Epochs count from 1 in everything a person sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

NetworkName = Literal["preact-resnet", "audit", "resnet18", "resnet34", "resnet50"]
Weights = Literal["none", "default"]
Schedule = Literal["steps", "one-cycle"]
Mixup = Literal["none", "constant", "dynamic"]
Bootstrap = Literal["none", "static", "dynamic"]
Guess = Literal["hard", "soft", "soft-to-hard"]
Flip = Literal["off", "on", "colour"]
MixtureName = Literal["beta", "gaussian"]
NormalisationName = Literal["percentile", "maximum"]
WeightsFrom = Literal["tracked", "batch"]
GuessFrom = Literal["step", "tracked"]
Precision = Literal["auto", "float32", "bfloat16"]
Compile = Literal["auto", "on", "off"]


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

    network: NetworkName = "preact-resnet"
    """"audit" is made for short audits; resnet18, 34 and 50 are torchvision's (ImageNet shape, made for larger images)."""
    weights: Weights = "none"
    """What torchvision's networks begin with: "default" are its pretrained weights. A file of weights is no setting:
    only the command line takes one, so that nobody names a file of a server through its web pages."""
    width: int = 64
    """Channels of the first stage; 64 is the paper's PreAct ResNet-18."""
    blocks: int = 2
    """Residual blocks in each of the four stages of a PreAct ResNet; 2 is ResNet-18."""

    networks: int = 1
    """So many networks are trained one after another, each for its share of the epochs; all of them judge the samples."""
    image_size: int = 0
    """Side in pixels to which images are resized before anything else; 0 leaves them as stored."""
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
    """First epoch trained through the estimated transition matrix (forward correction); later where the network cannot
    tell the classes apart by then."""

    mixture: MixtureName = "beta"
    """Which mixture gives the weights of dynamic bootstrapping."""
    normalisation: NormalisationName = "percentile"
    weights_from: WeightsFrom = "tracked"
    """Losses that the noise posteriors are read from: "tracked" after the last epoch (the paper), or computed anew on the
    augmented "batch" through the mixture fitted after the last epoch (the authors' released code; one more pass)."""
    guess_from: GuessFrom = "step"
    """Whose predictions stand in for suspect labels: those of this "step" on the augmented images, or those "tracked" after
    the last epoch, which saves a pass with mixup (only with guess "hard": probabilities are not kept)."""

    literal: bool = False
    """Compute as the authors' released code does, pass by pass, for comparison; see `literal`."""
    weight_average: float = 0.0
    """Samples are judged by the network's weights averaged over about so many epochs; 0: by its weights as they are."""
    judge_mirrored: bool = False
    """In the epochs that count, judge samples by their mirror images as well, where training flips images."""
    precision: Precision = "auto"
    """Number format of the matrix work; "auto" is bfloat16 where the hardware is made for it."""
    compile: Compile = "auto"
    """Compile the network (torch.compile); "auto": on CUDA devices, where the training is long enough to pay."""
    record_steps: bool = True
    """On a CUDA device record whole steps as graphs, which the host then starts in one call each."""

    ranking_skip: float = 0.1
    """Share of each network's first epochs left out of the average predictions by which samples are ranked."""

    def __post_init__(self) -> None:
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ValueError(f"{field} must lie between {low:g} and {high:g}, found {value:g}")
        for field, kind in _CHOICES.items():
            if getattr(self, field) not in kind:
                raise ValueError(f"{field} must be one of {', '.join(kind)}, found {getattr(self, field)!r}")
        if any(not 1 <= epoch <= LONGEST for epoch in self.milestones) or list(self.milestones) != sorted(
            set(self.milestones)
        ):
            raise ValueError(
                f"milestones must rise and lie between 1 and {LONGEST}, "
                f"found {', '.join(map(str, self.milestones))}"
            )

        if self.bootstrap != "none" and self.guess_from == "tracked" and self.guess != "hard":
            raise ValueError("guess_from tracked needs guess hard; tracked predictions are classes")
        if self.networks > 1 and (
            self.schedule != "one-cycle"
            or self.bootstrap != "none"
            or self.mixup == "dynamic"
            or self.forward_correction
        ):
            raise ValueError(
                "networks above 1 need schedule one-cycle, and no phase that builds on earlier epochs "
                "(bootstrap, dynamic mixup, forward_correction)"
            )
        if self.weights == "default" and not self.network.startswith("resnet"):
            raise ValueError(
                f"weights default needs network resnet18, resnet34 or resnet50, found {self.network}"
            )
        if self.literal and (self.weights_from, self.guess_from) != ("batch", "step"):
            raise ValueError("literal needs weights_from batch and guess_from step, as in the released code")
        if self.literal and (self.precision == "bfloat16" or self.compile == "on"):
            raise ValueError("literal computes in float32 and uncompiled")

    def as_dict(self) -> dict[str, Any]:
        """All settings, JSON-ready."""
        return {**asdict(self), "milestones": list(self.milestones)}


LONGEST = 10_000
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "epochs": (1, LONGEST),
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
        "networks": (1, 16),
        "image_size": (0, 1024),
        "crop_share": (0.0, 0.5),
        "mixup_alpha": (0.01, 1000.0),
        "dynamic_mixup_start": (1, LONGEST),
        "static_weight": (0.0, 1.0),
        "bootstrap_start": (1, LONGEST),
        "temperature_end": (1e-4, 1.0),
        "temperature_end_epoch": (1, LONGEST),
        "prior_weight": (0.0, 100.0),
        "correction_start": (1, LONGEST),
        "weight_average": (0.0, 100.0),
        "ranking_skip": (0.0, 0.9),
    }
)
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "network": get_args(NetworkName),
        "weights": get_args(Weights),
        "schedule": get_args(Schedule),
        "mixup": get_args(Mixup),
        "bootstrap": get_args(Bootstrap),
        "guess": get_args(Guess),
        "flip": get_args(Flip),
        "mixture": get_args(MixtureName),
        "normalisation": get_args(NormalisationName),
        "weights_from": get_args(WeightsFrom),
        "guess_from": get_args(GuessFrom),
        "precision": get_args(Precision),
        "compile": get_args(Compile),
    }
)

SETTABLE = tuple(field.name for field in fields(Recipe) if field.name not in ("name", "title", "description"))


_HINTS = get_type_hints(Recipe)


def parsed(key: str, value: object) -> Any:
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
