"""The one training loop: an epoch of steps, and the pass that tracks every sample.

Nothing in an epoch waits for the device: all random choices are drawn before it and moved in one transfer, and the loss
is read after it. Knows networks, steps and a device; must not know files, mixtures or reports.
Shapes: N samples, B of a step's batch, L of them computed by this process (all, unless several share the work),
C classes, F features, H × W pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.training import compiling
from worker.training.augmentation import normalised
from worker.training.averages import LARGEST_PREDICTIONS, WeightAverage
from worker.training.device import Device
from worker.training.evaluation import Keep, batch_for, evaluate
from worker.training.images import Images
from worker.training.known import Known
from worker.training.literal import LEAN, LITERAL
from worker.training.networks import AuditNet, Builder, built
from worker.training.parallel import ALONE, Group
from worker.training.plan import drawn
from worker.training.recording import Recorder
from worker.training.reports import Stopped
from worker.training.schedule import learning_rate, steps_per_epoch, temperature, turn
from worker.training.settings import Recipe
from worker.training.stepping import Phase, Stepper
from worker.training.steps import steps_of
from worker.training.tensorfile import AnyArray
from worker.training.tracking import Tracked

POLL_SECONDS = 0.5
"""How often a running epoch asks whether it should stop."""

SEED_STEP = 1 << 32
"""Between the seeds of networks that are trained one after another: far from any that a person gives."""

ADAPTED_TO = 512
"""Evenly spaced images that a network looks at before it begins."""

POLL_STEPS = 32
"""How often it asks where several processes must stop at the same step."""


class Loop:
    """Network and optimiser of one run, and what they do in an epoch.

    The caller tells `known` after every tracked epoch what it made of it: each sample's noise posterior, which weighs
    dynamic bootstrapping and dynamic mixup, and the noise transition matrix once estimated. Tracking renews its predictions,
    and `log_probability_NC` unless there are too many. `notes` says what was not done as asked.
    """

    def __init__(
        self,
        images: Images,
        given_label_N: NDArray[np.int64],
        classes: int,
        recipe: Recipe,
        seed: int,
        device: Device,
        should_stop: Callable[[], bool],
        *,
        build: Builder = built,
        group: Group = ALONE,
        batch_size: int | None = None,
    ) -> None:
        self.images, self.classes, self.recipe, self.device = images, classes, recipe, device
        self.group = group
        self.manner = LITERAL if recipe.literal else LEAN
        self.count, self.seed = images.count, seed
        self.batch_size = batch_size or recipe.batch_size
        self.steps = steps_per_epoch(recipe, self.batch_size, self.count)
        self._should_stop, self._last_poll, self._polls = should_stop, -math.inf, 0
        where = device.device
        self.known = Known(given_label_N, where)
        self.log_probability_NC: Tensor | None = None
        mean_C, deviation_C = images.statistics()
        self._statistics = torch.from_numpy(mean_C).to(where), torch.from_numpy(deviation_C).to(where)
        self._pad = math.ceil(recipe.crop_share * max(images.height, images.width))
        self._flip = recipe.flip == "on" or (recipe.flip == "colour" and images.have_colour())

        self._builder = build
        network = self._build(0)
        network = group.with_common_statistics(network, where)
        self.network = network.to(device=where, memory_format=self.manner.layout)  # type: ignore[call-overload]
        self._adapt()
        self._notes: list[str] = []
        if compiling.compiles(recipe, device, self.count * images.height * images.width):
            self._compile()
        self._average = self._new_average()
        self._stepper = Stepper(
            self.network, self.known, classes, recipe, device, group, self.manner, self._statistics, self._pad
        )
        records = where.type == "cuda" and group.size == 1 and recipe.record_steps and not recipe.literal
        self._recorder = Recorder(self._stepper.take, records=records)
        self.runs_ahead = records
        """Whether the host only starts what the device does alone, and has time for other work."""

    @property
    def notes(self) -> list[str]:
        """What was not done as asked, and why."""
        return [*self._notes, *([self._recorder.note] if self._recorder.note else [])]

    def _build(self, index: int) -> nn.Module:
        generator = torch.Generator().manual_seed(self.seed + index * SEED_STEP)
        return self._builder(self.recipe, self.classes, self.images.channels, generator)

    def _new_average(self) -> WeightAverage | None:
        share = self.recipe.weight_average
        return WeightAverage(self.network, share * self.steps) if share else None

    def _adapt(self) -> None:
        if isinstance(self.network, AuditNet):
            self.network.adapt(normalised(self._examples(), *self._statistics))

    def _begin_network(self, index: int) -> None:
        """Puts a fresh network in the place of the one that had its turn."""
        self.network.load_state_dict(self._build(index).state_dict())
        self._adapt()
        self._stepper.optimiser.state.clear()
        self._recorder.forget()
        self._average = self._new_average()

    def _examples(self) -> Tensor:
        place_P = np.linspace(0, self.count - 1, min(self.count, ADAPTED_TO)).round().astype(np.int64)
        return torch.cat([self.images.span(place, place + 1) for place in place_P.tolist()])

    def _compile(self) -> None:
        rows = -(-self.count // self.steps) // self.group.size
        example_BHWC = self.images.span(0, min(self.count, max(2, rows)))
        reason = compiling.compiled(self.network, normalised(example_BHWC, *self._statistics), self.device)
        if reason is not None:
            self._notes.append(reason)

    def train_epoch(self, epoch: int) -> float:
        """One pass of training over all samples, each once; the mean objective (nats). Raises Stopped."""
        index, first, _ = turn(self.recipe, epoch)
        if index > 0 and epoch == first:
            self._begin_network(index)
        self.network.train()
        self._last_poll = -math.inf  # an epoch that has not begun is not worth beginning
        mixes = self.recipe.mixup != "none"
        plan = drawn(
            self.seed, epoch, self.count, self.steps,
            pad=self._pad, flip=self._flip, mixup_alpha=self.recipe.mixup_alpha if mixes else None,
        )  # fmt: skip
        stepper = self._stepper
        stepper.phase = Phase.of(self.recipe, epoch)
        stepper.total.zero_()
        self.known.temperature.fill_(temperature(self.recipe, epoch))
        phase = stepper.phase, self.known.replaced
        partners = mixes and self.group.size > 1
        steps = steps_of(plan, self.images, self.device.device, self.group, partners=partners)
        for number, step in enumerate(steps):
            self._poll()
            stepper.set_rate(learning_rate(self.recipe, self.steps, epoch, number))
            self._recorder(step, phase)
            if self._average is not None:
                self._average.update()
        return float(self.group.sum_(stepper.total)) / (self.count * self.group.size)

    def track(self, *, mirrored: bool = False) -> Tracked:
        """Loss, margin and prediction of every sample, in evaluation mode, by sample index; with `mirrored` by its mirror
        image as well, where training flips images. Raises Stopped."""
        where = self.device.device
        loss_N, margin_N = torch.zeros(self.count, device=where), torch.zeros(self.count, device=where)
        prediction_N = torch.zeros(self.count, dtype=torch.int64, device=where)
        keeps = self.count * self.classes <= LARGEST_PREDICTIONS
        log_probability_NC = torch.zeros((self.count if keeps else 0, self.classes), device=where)

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            given_B1 = self.known.given_N[begin:end, None]
            given_logit_B = logit_BC.gather(1, given_B1)[:, 0]
            loss_N[begin:end] = logit_BC.logsumexp(dim=1) - given_logit_B
            margin_N[begin:end] = given_logit_B - logit_BC.scatter(1, given_B1, -torch.inf).amax(dim=1)
            prediction_N[begin:end] = logit_BC.argmax(dim=1)
            if keeps:
                log_probability_NC[begin:end] = logit_BC.log_softmax(dim=1)

        self._evaluate(self.images, keep, mirrored=mirrored)
        self.known.prediction_N.copy_(self.group.sum_(prediction_N))
        self.log_probability_NC = self.group.sum_(log_probability_NC) if keeps else None
        self.group.sum_(loss_N)
        self.group.sum_(margin_N)
        return Tracked(loss_N.cpu().numpy(), margin_N.cpu().numpy(), prediction_N.cpu().numpy())

    def accuracy(self, images: Images, label_N: NDArray[np.int64]) -> float:
        """Share of the images predicted as labelled. Raises Stopped."""
        expected_N = torch.from_numpy(np.array(label_N, dtype=np.int64)).to(self.device.device)
        hits = torch.zeros((), dtype=torch.int64, device=self.device.device)

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            hits.add_((logit_BC.argmax(dim=1) == expected_N[begin:end]).sum())

        self._evaluate(images, keep)
        return int(self.group.sum_(hits)) / max(1, images.count)

    def describe(self, images: Images) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predicted probabilities (N, C) and features (N, F) of these images, evaluation mode. Raises Stopped."""
        found: list[Tensor] = []

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            row_BX = torch.cat([logit_BC.softmax(dim=1), feature_BF], dim=1).cpu()
            if not found:
                found.append(row_BX.new_zeros((images.count, row_BX.shape[1])))
            found[0][begin:end] = row_BX

        self._evaluate(images, keep, mirrored=self.recipe.judge_mirrored)
        where = self.device.device if self.group.size > 1 else torch.device("cpu")
        row_NX = self.group.sum_(found[0].to(where)).cpu().numpy()
        return np.ascontiguousarray(row_NX[:, : self.classes]), np.ascontiguousarray(
            row_NX[:, self.classes :]
        )

    def _evaluate(self, images: Images, keep: Keep, *, mirrored: bool = False) -> None:
        shrunk = max(1, self.recipe.batch_size // self.batch_size)
        batch = batch_for(images, self.device, shrunk) if self.manner.large_tracking else self.batch_size
        with self._average.in_place() if self._average is not None else nullcontext():
            evaluate(
                self.network, images, self._statistics, self.device, self.group, batch, self.manner.layout,
                keep, self._poll if self.group.size == 1 else lambda: None, mirrored and self._flip,
            )  # fmt: skip

    def _poll(self) -> None:
        now = time.monotonic()
        if self.group.size > 1:
            self._polls += 1
            asks = self._polls % POLL_STEPS == 1
        else:
            asks = now - self._last_poll >= POLL_SECONDS
        if asks:
            self._last_poll = now
            if self.group.agreed(self._should_stop(), self.device.device):
                raise Stopped("stopped on request")

    def state(self) -> dict[str, Tensor]:
        """Everything an undisturbed run would go on with, by name, in memory of its own."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for name, parameter in self._stepper.parameters.items():
            momentum = self._stepper.optimiser.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        if self._average is not None:
            tensors |= {f"average.{name}": value for name, value in self._average.state().items()}
        tensors |= self.known.state()
        return {name: value.detach().clone() for name, value in tensors.items()}

    def load_state(self, arrays: dict[str, AnyArray]) -> None:
        """The inverse of `state`."""
        tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
        self.network.load_state_dict(_under("network.", tensors))
        for name, parameter in self._stepper.parameters.items():
            if (momentum := tensors.get(f"momentum.{name}")) is not None:
                buffer = torch.empty_like(parameter).copy_(momentum)
                self._stepper.optimiser.state[parameter]["momentum_buffer"] = buffer
        if self._average is not None:
            self._average.load_state(_under("average.", tensors))
        self.known.load_state(tensors)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
