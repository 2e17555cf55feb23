"""The one training loop: an epoch of steps, and the pass that tracks every sample; all recipes are data to it.

Knows networks, objectives and a device; must not know files, mixtures or reports.
Shapes: N samples, B of a batch, C classes, F features, H × W pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.training import objectives
from worker.training.augmentation import augmented, normalised
from worker.training.device import Device
from worker.training.images import Images
from worker.training.networks import initialise, network_for
from worker.training.recipes import Recipe
from worker.training.reports import Stopped
from worker.training.tensorfile import AnyArray
from worker.training.tracking import Tracked

SMALLEST_BATCH = 16
"""Fewer samples give batch statistics that are mostly chance."""

POLL_SECONDS = 0.5
"""How often a running epoch asks whether it should stop."""


class Loop:
    """Network, optimiser and generators of one run, and what they do in an epoch.

    `posterior_N` holds each sample's noise posterior, the weight of dynamic bootstrapping and dynamic mixup;
    the caller renews it after every tracked epoch. `transition_CC` is the noise transition matrix once estimated.
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
    ) -> None:
        self.images, self.classes, self.recipe, self.device = images, classes, recipe, device
        self.count = images.count
        self._should_stop, self._last_poll = should_stop, -math.inf
        where = device.device
        self._given_N = torch.from_numpy(np.array(given_label_N, dtype=np.int64)).to(where)
        self.posterior_N = torch.zeros(self.count, device=where)
        self.transition_CC: Tensor | None = None
        mean_C, deviation_C = images.statistics()
        self._mean_C, self._deviation_C = (
            torch.from_numpy(mean_C).to(where),
            torch.from_numpy(deviation_C).to(where),
        )
        self._pad = math.ceil(recipe.crop_share * max(images.height, images.width))
        self._flip = recipe.flip == "on" or (recipe.flip == "colour" and images.have_colour())

        network = network_for(recipe, classes, images.channels)
        initialise(network, torch.Generator().manual_seed(seed))
        self.network = network.to(device=where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._parameters = dict(self.network.named_parameters())
        self._optimiser = torch.optim.SGD(
            self._parameters.values(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov and recipe.momentum > 0.0,
            weight_decay=recipe.weight_decay,
            fused=where.type in ("cuda", "cpu"),
        )
        # Order and mixing are drawn on the host, augmentation where the pixels are.
        self.host_generator = np.random.default_rng(seed)
        self.device_generator = torch.Generator(device=where).manual_seed(seed)

        batch = min(recipe.batch_size, max(SMALLEST_BATCH, self.count // recipe.fewest_steps))
        batches = max(1, math.ceil(self.count / batch))
        self._steps = batches if self.count >= 2 * batches else 1

    def train_epoch(self, epoch: int) -> float:
        """One pass of training over all samples, each once; the mean objective (nats). Raises Stopped."""
        self.network.train()
        self._last_poll = -math.inf  # an epoch that has not begun is not worth beginning
        order_N = self.host_generator.permutation(self.count)
        total = torch.zeros((), device=self.device.device)
        # Batches of nearly equal size: a last batch of one sample has no batch statistics.
        for step, index_B in enumerate(np.array_split(order_N, self._steps)):
            self._poll()
            self._set_learning_rate(self.learning_rate(epoch, step))
            loss = self._step_loss(epoch, index_B)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            total += loss.detach() * len(index_B)
        return float(total) / self.count

    def learning_rate(self, epoch: int, step: int = 0) -> float:
        """The rate of a step (from 0) of an epoch (from 1)."""
        recipe = self.recipe
        if recipe.schedule == "steps":
            passed = sum(epoch > milestone for milestone in recipe.milestones)
            return recipe.learning_rate / recipe.decay**passed
        done = ((epoch - 1) * self._steps + step + 1) / (recipe.epochs * self._steps + 1)
        if done < recipe.warmup_share:
            return recipe.learning_rate * done / recipe.warmup_share
        return recipe.learning_rate * (1.0 - done) / (1.0 - recipe.warmup_share)

    def temperature(self, epoch: int) -> float:
        """Softmax temperature of the guess in an epoch (Eq. 16), falling linearly to its end."""
        recipe = self.recipe
        span = max(1, recipe.temperature_end_epoch - recipe.bootstrap_start)
        share = min(1.0, max(0.0, (epoch - recipe.bootstrap_start) / span))
        return 1.0 + share * (recipe.temperature_end - 1.0)

    def _step_loss(self, epoch: int, index_B: NDArray[np.int64]) -> Tensor:
        recipe = self.recipe
        place_B = torch.from_numpy(index_B).to(self.device.device)
        image_BHWC = augmented(self.images.batch(index_B), self._pad, self._flip, self.device_generator)
        image_BCHW = normalised(image_BHWC, self._mean_C, self._deviation_C)
        target_BC = objectives.one_hot(self._given_N[place_B], self.classes, recipe.label_smoothing)
        posterior_B = self.posterior_N[place_B]
        bootstraps = recipe.bootstrap != "none" and epoch >= recipe.bootstrap_start
        weight_B = (
            torch.full_like(posterior_B, recipe.static_weight)
            if recipe.bootstrap == "static"
            else posterior_B
        )

        if recipe.mixup == "none":
            logit_BC = self._logits(image_BCHW)
            if bootstraps:
                target_BC = objectives.bootstrapped(target_BC, self._guess(logit_BC, epoch), weight_B)
        else:
            if bootstraps:
                # The guesses of both partners come from one further pass, in training mode as in the
                # released code, so that the running statistics see unmixed images too.
                with torch.no_grad():
                    guess_BC = self._guess(self._logits(image_BCHW), epoch)
                target_BC = objectives.bootstrapped(target_BC, guess_BC, weight_B)
            partner_B = torch.from_numpy(self.host_generator.permutation(len(index_B))).to(self.device.device)
            share = float(self.host_generator.beta(recipe.mixup_alpha, recipe.mixup_alpha))
            input_share: Tensor | float = share
            if recipe.mixup == "dynamic" and epoch >= recipe.dynamic_mixup_start:
                input_share = objectives.dynamic_share(posterior_B, posterior_B[partner_B])[
                    :, None, None, None
                ]
            logit_BC = self._logits(objectives.mixed(image_BCHW, image_BCHW[partner_B], input_share))
            target_BC = objectives.mixed(target_BC, target_BC[partner_B], share)

        if self.transition_CC is not None:
            loss = objectives.forward_corrected(logit_BC, target_BC, self.transition_CC).mean()
        else:
            loss = objectives.cross_entropy(logit_BC, target_BC).mean()
        # The term belongs to the bootstrapped objective (Sec. 3.3): before, no guess can lead to one class.
        if recipe.prior_weight > 0.0 and bootstraps:
            loss = loss + recipe.prior_weight * objectives.prior_penalty(logit_BC)
        return loss

    def _guess(self, logit_BC: Tensor, epoch: int) -> Tensor:
        logit_BC = logit_BC.detach()
        if self.recipe.guess == "hard":
            return objectives.hard_guess(logit_BC)
        temperature = self.temperature(epoch) if self.recipe.guess == "soft-to-hard" else 1.0
        return objectives.soft_guess(logit_BC, temperature)

    def _logits(self, image_BCHW: Tensor) -> Tensor:
        with self.device.autocast():
            logit_BC: Tensor = self.network(image_BCHW)
        return logit_BC.float()

    def track(self) -> Tracked:
        """Loss, margin and prediction of every sample, in evaluation mode, by sample index. Raises Stopped."""
        where = self.device.device
        loss_N, margin_N = torch.empty(self.count, device=where), torch.empty(self.count, device=where)
        prediction_N = torch.empty(self.count, dtype=torch.int64, device=where)

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            given_B1 = self._given_N[begin:end, None]
            given_logit_B = logit_BC.gather(1, given_B1)[:, 0]
            loss_N[begin:end] = logit_BC.logsumexp(dim=1) - given_logit_B
            margin_N[begin:end] = given_logit_B - logit_BC.scatter(1, given_B1, -torch.inf).amax(dim=1)
            prediction_N[begin:end] = logit_BC.argmax(dim=1)

        self._evaluate(self.images, keep)
        return Tracked(loss_N.cpu().numpy(), margin_N.cpu().numpy(), prediction_N.cpu().numpy())

    def accuracy(self, images: Images, label_N: NDArray[np.int64]) -> float:
        """Share of the images predicted as labelled. Raises Stopped."""
        expected_N = torch.from_numpy(np.array(label_N, dtype=np.int64)).to(self.device.device)
        hits = torch.zeros((), dtype=torch.int64, device=self.device.device)

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            nonlocal hits
            hits = hits + (logit_BC.argmax(dim=1) == expected_N[begin:end]).sum()

        self._evaluate(images, keep)
        return int(hits) / max(1, images.count)

    def describe_samples(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predicted probabilities (N, C) and features (N, F) of every sample, evaluation mode. Raises Stopped."""
        probabilities: list[Tensor] = []
        features: list[Tensor] = []

        def keep(begin: int, end: int, feature_BF: Tensor, logit_BC: Tensor) -> None:
            probabilities.append(logit_BC.softmax(dim=1).cpu())
            features.append(feature_BF.cpu())

        self._evaluate(self.images, keep)
        return torch.cat(probabilities).numpy(), torch.cat(features).numpy()

    @torch.no_grad()
    def _evaluate(self, images: Images, keep: Callable[[int, int, Tensor, Tensor], None]) -> None:
        self.network.eval()
        # Larger than in training: no gradients are kept. Bounded by pixels, so that large images fit too.
        pixels = images.height * images.width
        batch = (
            max(16, min(1024, (1 << 20) // pixels))
            if self.device.device.type == "cpu"
            else max(16, (1 << 23) // pixels)
        )
        for begin in range(0, images.count, batch):
            self._poll()
            end = min(begin + batch, images.count)
            image_BCHW = normalised(images.span(begin, end), self._mean_C, self._deviation_C)
            with self.device.autocast():
                feature_BF = self.network.features(image_BCHW)
                logit_BC = self.network.head(feature_BF)
            keep(begin, end, feature_BF.float(), logit_BC.float())

    def _set_learning_rate(self, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _poll(self) -> None:
        now = time.monotonic()
        if now - self._last_poll >= POLL_SECONDS:
            self._last_poll = now
            if self._should_stop():
                raise Stopped("stopped on request")

    def state(self) -> tuple[dict[str, AnyArray], dict[str, Any]]:
        """Everything an undisturbed run would go on with: arrays by name, and a JSON-ready document."""
        arrays = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for name, parameter in self._parameters.items():
            momentum = self._optimiser.state[parameter].get("momentum_buffer")
            if momentum is not None:
                arrays[f"momentum.{name}"] = momentum
        arrays["device_generator"] = self.device_generator.get_state()
        arrays["posterior"] = self.posterior_N
        if self.transition_CC is not None:
            arrays["transition"] = self.transition_CC
        document = {"host_generator": self.host_generator.bit_generator.state}
        return {name: value.detach().cpu().contiguous().numpy() for name, value in arrays.items()}, document

    def load_state(self, arrays: dict[str, AnyArray], document: dict[str, Any]) -> None:
        """The inverse of `state`."""
        where = self.device.device
        prefix = "network."
        self.network.load_state_dict(
            {
                name.removeprefix(prefix): torch.from_numpy(value)
                for name, value in arrays.items()
                if name.startswith(prefix)
            }
        )
        for name, parameter in self._parameters.items():
            if (momentum := arrays.get(f"momentum.{name}")) is not None:
                buffer = torch.empty_like(parameter).copy_(torch.from_numpy(momentum))
                self._optimiser.state[parameter]["momentum_buffer"] = buffer
        self.device_generator.set_state(torch.from_numpy(arrays["device_generator"]))
        self.posterior_N = torch.from_numpy(arrays["posterior"]).to(where)
        if "transition" in arrays:
            self.transition_CC = torch.from_numpy(arrays["transition"]).to(where)
        self.host_generator.bit_generator.state = document["host_generator"]
