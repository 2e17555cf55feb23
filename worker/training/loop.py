"""The one training loop: an epoch of steps, and the pass that tracks every sample; all recipes are data to it.

Nothing in an epoch waits for the device: all random choices are drawn before it and moved in one transfer, and the loss
is read after it. Knows networks, objectives and a device; must not know files, mixtures or reports.
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

from worker.training import compiling, objectives
from worker.training.augmentation import normalised
from worker.training.averages import LARGEST_PREDICTIONS, WeightAverage
from worker.training.device import Device
from worker.training.evaluation import Keep, batch_for, evaluate
from worker.training.images import Images
from worker.training.literal import LEAN, LITERAL
from worker.training.networks import AuditNet, Builder, built
from worker.training.parallel import ALONE, Group
from worker.training.plan import drawn
from worker.training.posteriors import PosteriorTable
from worker.training.reports import Stopped
from worker.training.schedule import learning_rate, steps_per_epoch, temperature, turn
from worker.training.settings import Recipe
from worker.training.steps import Step, steps_of
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

    The caller renews after every tracked epoch: `posterior_N`, each sample's noise posterior, which weighs dynamic
    bootstrapping and dynamic mixup; `table`, the mixture itself. Tracking renews `prediction_N` and, unless there are too many, `log_probability_NC`.
    `transition_CC` is the noise transition matrix once estimated. `notes` says what was not done as asked.
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
        self.images, self.classes, self.recipe, self.device, self.group = (
            images,
            classes,
            recipe,
            device,
            group,
        )
        self.manner = LITERAL if recipe.literal else LEAN
        self.count, self.seed = images.count, seed
        self.batch_size = batch_size or recipe.batch_size
        self.steps = steps_per_epoch(recipe, self.batch_size, self.count)
        self._should_stop, self._last_poll, self._polls = should_stop, -math.inf, 0
        where = device.device
        self._given_N = torch.from_numpy(np.array(given_label_N, dtype=np.int64)).to(where)
        self.posterior_N = torch.zeros(self.count, device=where)
        self.prediction_N = self._given_N.clone()
        self.log_probability_NC: Tensor | None = None
        self.table: PosteriorTable | None = None
        self.transition_CC: Tensor | None = None
        mean_C, deviation_C = images.statistics()
        self._statistics = torch.from_numpy(mean_C).to(where), torch.from_numpy(deviation_C).to(where)
        self._pad = math.ceil(recipe.crop_share * max(images.height, images.width))
        self._flip = recipe.flip == "on" or (recipe.flip == "colour" and images.have_colour())

        self._builder = build
        network = self._build(0)
        network = group.with_common_statistics(network, where)
        self.network = network.to(device=where, memory_format=self.manner.layout)  # type: ignore[call-overload]
        self._adapt()
        self.notes: list[str] = []
        if compiling.compiles(recipe.compile, device) and not recipe.literal:
            self._compile()
        self._shared = group.shared(self.network)
        self._average = self._new_average()
        self._parameters = {
            name: value for name, value in self.network.named_parameters() if value.requires_grad
        }
        self._optimiser = torch.optim.SGD(
            self._parameters.values(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov and recipe.momentum > 0.0,
            weight_decay=recipe.weight_decay,
            fused=self.manner.fused and where.type in ("cuda", "cpu"),
        )

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
        self._optimiser.state.clear()
        self._average = self._new_average()

    def _examples(self) -> Tensor:
        place_P = np.linspace(0, self.count - 1, min(self.count, ADAPTED_TO)).round().astype(np.int64)
        return torch.cat([self.images.span(place, place + 1) for place in place_P.tolist()])

    def _compile(self) -> None:
        rows = -(-self.count // self.steps) // self.group.size
        example_BHWC = self.images.span(0, min(self.count, max(2, rows)))
        reason = compiling.compiled(self.network, normalised(example_BHWC, *self._statistics), self.device)
        if reason is not None:
            self.notes.append(reason)

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
        total = torch.zeros((), device=self.device.device)
        batches = steps_of(
            plan, self.images, self._statistics, self._pad, self.manner.layout, self.device.device,
            self.group, partners=mixes and self.group.size > 1,
        )  # fmt: skip
        for step, batch in enumerate(batches):
            self._poll()
            for options in self._optimiser.param_groups:
                options["lr"] = learning_rate(self.recipe, self.steps, epoch, step)
            if self.device.device.type == "cuda":
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            loss = self._step_loss(epoch, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            # Dropped at once: recorded graphs reuse the memory of gradients in the next step.
            self._optimiser.zero_grad(set_to_none=True)
            if self._average is not None:
                self._average.update()
            total += loss.detach() * batch.sample_B.shape[0]
        return float(self.group.sum_(total)) / (self.count * self.group.size)

    def _step_loss(self, epoch: int, step: Step) -> Tensor:
        """The objective of this process's rows, scaled so that the mean over processes is that of the batch."""
        recipe, group = self.recipe, self.group
        rows, samples = step.partner_L.shape[0], step.sample_B.shape[0]
        image_LCHW = step.image_BCHW[:rows]
        bootstraps = recipe.bootstrap != "none" and epoch >= recipe.bootstrap_start
        steers = recipe.mixup == "dynamic" and epoch >= recipe.dynamic_mixup_start
        target_BC = objectives.one_hot(self._given_N[step.sample_B], self.classes, recipe.label_smoothing)
        posterior_B = self.posterior_N[step.sample_B]
        if (bootstraps or steers) and recipe.weights_from == "batch" and recipe.bootstrap != "static":
            posterior_B = self._posteriors(step, image_LCHW)
        weight_B = (
            torch.full_like(posterior_B, recipe.static_weight)
            if recipe.bootstrap == "static"
            else posterior_B
        )

        if recipe.mixup == "none":
            logit_LC = self._logits(self._shared, image_LCHW)
            target_LC = target_BC[step.own]
            if bootstraps:
                guess_LC = (
                    self._guess(logit_LC, epoch)
                    if recipe.guess_from == "step"
                    else self._known_guess(step.sample_B[step.own])
                )
                target_LC = objectives.bootstrapped(target_LC, guess_LC, weight_B[step.own])
        else:
            if bootstraps:
                target_BC = objectives.bootstrapped(
                    target_BC, self._guesses(epoch, step, image_LCHW), weight_B
                )
            partner_LCHW = (
                image_LCHW[step.partner_L] if step.image_BCHW.shape[0] == rows else step.image_BCHW[rows:]
            )
            input_share = step.share
            if steers:
                input_share = objectives.dynamic_share(posterior_B[step.own], posterior_B[step.partner_L])
                input_share = input_share[:, None, None, None]
            mixed_LCHW = objectives.mixed(image_LCHW, partner_LCHW, input_share)
            logit_LC = self._logits(self._shared, mixed_LCHW)
            target_LC = objectives.mixed(target_BC[step.own], target_BC[step.partner_L], step.share)

        if self.transition_CC is not None:
            loss_L = objectives.forward_corrected(logit_LC, target_LC, self.transition_CC)
        else:
            loss_L = objectives.cross_entropy(logit_LC, target_LC)
        loss = loss_L.sum() * (group.size / samples)
        # The term belongs to the bootstrapped objective (Sec. 3.3): before, no guess can lead to one class.
        if recipe.prior_weight > 0.0 and bootstraps:
            mean_C = group.sum(logit_LC.softmax(dim=1).sum(dim=0)) / samples
            loss = loss + recipe.prior_weight * objectives.prior_penalty(mean_C)
        return loss

    def _guesses(self, epoch: int, step: Step, image_LCHW: Tensor) -> Tensor:
        """What the network takes the whole batch's samples for (B, C)."""
        if self.recipe.guess_from != "step":
            return self._known_guess(step.sample_B)
        # One further pass over the unmixed images, in training mode as in the released code, so that the running
        # statistics see unmixed images too.
        with self.manner.side_pass():
            guess_LC = self._guess(self._logits(self.network, image_LCHW), epoch)
        return self._whole(guess_LC, step)

    def _known_guess(self, sample_B: Tensor) -> Tensor:
        """What is known of these samples since the last epoch (B, C)."""
        return objectives.one_hot(self.prediction_N[sample_B], self.classes)

    def _guess(self, logit_BC: Tensor, epoch: int) -> Tensor:
        logit_BC = logit_BC.detach()
        if self.recipe.guess == "hard":
            return objectives.hard_guess(logit_BC)
        soft_to_hard = self.recipe.guess == "soft-to-hard"
        return objectives.soft_guess(logit_BC, temperature(self.recipe, epoch) if soft_to_hard else 1.0)

    def _posteriors(self, step: Step, image_LCHW: Tensor) -> Tensor:
        """Noise posteriors of the whole batch (B,) from the losses of its augmented images, in evaluation mode."""
        if self.table is None:
            return self.posterior_N[step.sample_B]
        self.network.eval()
        with self.manner.side_pass():
            logit_LC = self._logits(self.network, image_LCHW)
        self.network.train()
        given_LC = objectives.one_hot(self._given_N[step.sample_B[step.own]], self.classes)
        loss_L = objectives.cross_entropy(logit_LC.detach(), given_LC)
        return self._whole(self.manner.lookup(self.table, loss_L), step)

    def _whole(self, value_L: Tensor, step: Step) -> Tensor:
        """The rows of all processes, one after another."""
        if self.group.size == 1:
            return value_L
        value_B = value_L.new_zeros((step.sample_B.shape[0], *value_L.shape[1:]))
        value_B[step.own] = value_L
        return self.group.sum_(value_B)

    def _logits(self, network: nn.Module, image_BCHW: Tensor) -> Tensor:
        with self.device.autocast():
            logit_BC: Tensor = network(image_BCHW)
        return logit_BC.float()

    def track(self, *, mirrored: bool = False) -> Tracked:
        """Loss, margin and prediction of every sample, in evaluation mode, by sample index; with `mirrored` by its mirror
        image as well, where training flips images. Raises Stopped."""
        where = self.device.device
        loss_N, margin_N = torch.zeros(self.count, device=where), torch.zeros(self.count, device=where)
        prediction_N = torch.zeros(self.count, dtype=torch.int64, device=where)
        keeps = self.count * self.classes <= LARGEST_PREDICTIONS
        log_probability_NC = torch.zeros((self.count if keeps else 0, self.classes), device=where)

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            given_B1 = self._given_N[begin:end, None]
            given_logit_B = logit_BC.gather(1, given_B1)[:, 0]
            loss_N[begin:end] = logit_BC.logsumexp(dim=1) - given_logit_B
            margin_N[begin:end] = given_logit_B - logit_BC.scatter(1, given_B1, -torch.inf).amax(dim=1)
            prediction_N[begin:end] = logit_BC.argmax(dim=1)
            if keeps:
                log_probability_NC[begin:end] = logit_BC.log_softmax(dim=1)

        self._evaluate(self.images, keep, mirrored=mirrored)
        self.prediction_N = self.group.sum_(prediction_N)
        self.log_probability_NC = self.group.sum_(log_probability_NC) if keeps else None
        self.group.sum_(loss_N)
        self.group.sum_(margin_N)
        return Tracked(loss_N.cpu().numpy(), margin_N.cpu().numpy(), self.prediction_N.cpu().numpy())

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

    def state(self) -> dict[str, AnyArray]:
        """Everything an undisturbed run would go on with, as arrays by name."""
        arrays = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for name, parameter in self._parameters.items():
            momentum = self._optimiser.state[parameter].get("momentum_buffer")
            if momentum is not None:
                arrays[f"momentum.{name}"] = momentum
        if self._average is not None:
            arrays |= {f"average.{name}": value for name, value in self._average.state().items()}
        arrays["posterior"], arrays["prediction"] = self.posterior_N, self.prediction_N
        if self.table is not None:
            arrays["table"] = self.table.posterior_M
            arrays["table_range"] = torch.tensor([self.table.lowest, self.table.highest], dtype=torch.float64)
        if self.transition_CC is not None:
            arrays["transition"] = self.transition_CC
        return {name: value.detach().cpu().contiguous().numpy() for name, value in arrays.items()}

    def load_state(self, arrays: dict[str, AnyArray]) -> None:
        """The inverse of `state`."""
        where = self.device.device
        tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
        self.network.load_state_dict(_under("network.", tensors))
        for name, parameter in self._parameters.items():
            if (momentum := tensors.get(f"momentum.{name}")) is not None:
                self._optimiser.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(
                    momentum
                )
        if self._average is not None:
            self._average.load_state(_under("average.", tensors))
        self.posterior_N, self.prediction_N = tensors["posterior"].to(where), tensors["prediction"].to(where)
        if "table" in tensors:
            low, high = tensors["table_range"].tolist()
            self.table = PosteriorTable(low, high, tensors["table"].to(where))
        if "transition" in tensors:
            self.transition_CC = tensors["transition"].to(where)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
