"""One step of training: from a batch of pixels to changed weights, as the recipe says; all recipes are data to it.

Nothing in a step waits for the device or depends on the host's clock or numbers, so that it can be recorded once and
repeated. Knows networks, objectives and a device; must not know epochs, files or reports.
Shapes: N samples, B of a step's batch, L of them computed by this process (all, unless several share the work),
C classes, H × W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from worker.training import objectives
from worker.training.device import Device
from worker.training.known import Known
from worker.training.literal import Manner
from worker.training.parallel import Group
from worker.training.settings import Recipe
from worker.training.steps import Step


@dataclass(frozen=True)
class Phase:
    """What a recipe does in an epoch: whether guesses take part in targets, whether posteriors steer mixing."""

    bootstraps: bool
    steers: bool

    @classmethod
    def of(cls, recipe: Recipe, epoch: int) -> Phase:
        """That of an epoch, counted from 1."""
        return cls(
            recipe.bootstrap != "none" and epoch >= recipe.bootstrap_start,
            recipe.mixup == "dynamic" and epoch >= recipe.dynamic_mixup_start,
        )


class Stepper:
    """Network and optimiser, and what one step does with them; `total` sums the objective over samples (nats)."""

    def __init__(
        self, network: nn.Module, known: Known, classes: int, recipe: Recipe, device: Device, group: Group,
        manner: Manner, statistics: tuple[Tensor, Tensor], pad: int,
    ) -> None:  # fmt: skip
        self.network, self.known, self.classes, self.recipe = network, known, classes, recipe
        self.device, self.group, self.manner, self.pad = device, group, manner, pad
        self._statistics = statistics
        self._shared = group.shared(network)
        self.phase = Phase(False, False)
        self.total = torch.zeros((), device=device.device)
        self.parameters = {name: each for name, each in network.named_parameters() if each.requires_grad}
        on_cuda = device.device.type == "cuda"
        # On CUDA the rate is a tensor in its place, which recorded steps read.
        self._rate = (
            torch.tensor(recipe.learning_rate, device=device.device) if on_cuda and manner.fused else None
        )
        self.optimiser = torch.optim.SGD(
            self.parameters.values(),
            lr=recipe.learning_rate if self._rate is None else self._rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov and recipe.momentum > 0.0,
            weight_decay=recipe.weight_decay,
            fused=manner.fused and device.device.type in ("cuda", "cpu"),
        )
        self._last_rate = recipe.learning_rate

    def set_rate(self, rate: float) -> None:
        """The learning rate of the steps that follow."""
        if rate == self._last_rate:
            return
        self._last_rate = rate
        if self._rate is not None:
            self._rate.fill_(rate)
            return
        for options in self.optimiser.param_groups:
            options["lr"] = rate

    def take(self, step: Step) -> None:
        """Changes the weights by one step."""
        loss = self._loss(step)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        # Dropped at once, so that the next step's gradients find the memory free.
        self.optimiser.zero_grad(set_to_none=True)
        self.total += loss.detach() * step.size

    def _loss(self, step: Step) -> Tensor:
        """The objective of this process's rows, scaled so that the mean over processes is that of the batch."""
        recipe, group, known, phase = self.recipe, self.group, self.known, self.phase
        rows, samples = step.partner_L.shape[0], step.size
        image_RCHW = step.pixels(self.pad, self._statistics, self.manner.layout)
        image_LCHW = image_RCHW[:rows]
        target_BC = objectives.one_hot(known.given_N[step.sample_B], self.classes, recipe.label_smoothing)
        posterior_B = known.posterior_N[step.sample_B]
        if (
            (phase.bootstraps or phase.steers)
            and recipe.weights_from == "batch"
            and recipe.bootstrap != "static"
        ):
            posterior_B = self._posteriors(step, image_LCHW)
        weight_B = (
            torch.full_like(posterior_B, recipe.static_weight)
            if recipe.bootstrap == "static"
            else posterior_B
        )

        if recipe.mixup == "none":
            logit_LC = self._logits(self._shared, image_LCHW)
            target_LC = target_BC[step.own]
            if phase.bootstraps:
                guess_LC = (
                    self._guess(logit_LC)
                    if recipe.guess_from == "step"
                    else self._known_guess(step.sample_B[step.own])
                )
                target_LC = objectives.bootstrapped(target_LC, guess_LC, weight_B[step.own])
        else:
            if phase.bootstraps:
                target_BC = objectives.bootstrapped(target_BC, self._guesses(step, image_LCHW), weight_B)
            partner_LCHW = image_LCHW[step.partner_L] if image_RCHW.shape[0] == rows else image_RCHW[rows:]
            input_share = step.share
            if phase.steers:
                input_share = objectives.dynamic_share(posterior_B[step.own], posterior_B[step.partner_L])
                input_share = input_share[:, None, None, None]
            mixed_LCHW = objectives.mixed(image_LCHW, partner_LCHW, input_share)
            logit_LC = self._logits(self._shared, mixed_LCHW)
            target_LC = objectives.mixed(target_BC[step.own], target_BC[step.partner_L], step.share)

        if known.transition_CC is not None:
            loss_L = objectives.forward_corrected(logit_LC, target_LC, known.transition_CC)
        else:
            loss_L = objectives.cross_entropy(logit_LC, target_LC)
        loss = loss_L.sum() * (group.size / samples)
        # The term belongs to the bootstrapped objective (Sec. 3.3): before, no guess can lead to one class.
        if recipe.prior_weight > 0.0 and phase.bootstraps:
            mean_C = group.sum(logit_LC.softmax(dim=1).sum(dim=0)) / samples
            loss = loss + recipe.prior_weight * objectives.prior_penalty(mean_C)
        return loss

    def _guesses(self, step: Step, image_LCHW: Tensor) -> Tensor:
        """What the network takes the whole batch's samples for (B, C)."""
        if self.recipe.guess_from != "step":
            return self._known_guess(step.sample_B)
        # One further pass over the unmixed images, in training mode as in the released code, so that the running
        # statistics see unmixed images too.
        with self.manner.side_pass():
            guess_LC = self._guess(self._logits(self.network, image_LCHW))
        return self._whole(guess_LC, step)

    def _known_guess(self, sample_B: Tensor) -> Tensor:
        """What is known of these samples since the last epoch (B, C)."""
        return objectives.one_hot(self.known.prediction_N[sample_B], self.classes)

    def _guess(self, logit_BC: Tensor) -> Tensor:
        logit_BC = logit_BC.detach()
        if self.recipe.guess == "hard":
            return objectives.hard_guess(logit_BC)
        soft_to_hard = self.recipe.guess == "soft-to-hard"
        return objectives.soft_guess(logit_BC, self.known.temperature if soft_to_hard else 1.0)

    def _posteriors(self, step: Step, image_LCHW: Tensor) -> Tensor:
        """Noise posteriors of the whole batch (B,) from the losses of its augmented images, in evaluation mode."""
        table = self.known.table
        if table is None:
            return self.known.posterior_N[step.sample_B]
        self.network.eval()
        with self.manner.side_pass():
            logit_LC = self._logits(self.network, image_LCHW)
        self.network.train()
        given_LC = objectives.one_hot(self.known.given_N[step.sample_B[step.own]], self.classes)
        loss_L = objectives.cross_entropy(logit_LC.detach(), given_LC)
        return self._whole(self.manner.lookup(table, loss_L), step)

    def _whole(self, value_L: Tensor, step: Step) -> Tensor:
        """The rows of all processes, one after another."""
        if self.group.size == 1:
            return value_L
        value_B = value_L.new_zeros((step.size, *value_L.shape[1:]))
        value_B[step.own] = value_L
        return self.group.sum_(value_B)

    def _logits(self, network: nn.Module, image_BCHW: Tensor) -> Tensor:
        with self.device.autocast():
            logit_BC: Tensor = network(image_BCHW)
        return logit_BC.float()
