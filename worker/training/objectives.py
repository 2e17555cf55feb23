"""The training objectives as pure functions; equation numbers are those of Arazo et al. 2019.

Every bootstrapped or mixed objective is one cross-entropy to a blended target, because cross-entropy is
linear in its target: posterior 0 gives cross-entropy to the given label, posterior 1 to the guess.
Shapes: B samples of a batch, C classes. Losses in nats.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logit_BC: Tensor, target_BC: Tensor) -> Tensor:
    """−Σ_c t_c log h_c per sample (B,), Eq. 1 with any distribution as target."""
    return -(target_BC * F.log_softmax(logit_BC, dim=1)).sum(dim=1)


def one_hot(label_B: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
    """The labels as distributions (B, C), a share `smoothing` of each spread over all classes."""
    target_BC = F.one_hot(label_B, classes).float()
    return target_BC if smoothing == 0.0 else target_BC * (1.0 - smoothing) + smoothing / classes


def hard_guess(logit_BC: Tensor) -> Tensor:
    """z of Eq. 10: all weight on the predicted class (B, C)."""
    return F.one_hot(logit_BC.argmax(dim=1), logit_BC.shape[1]).float()


def soft_guess(logit_BC: Tensor, temperature: Tensor | float = 1.0) -> Tensor:
    """h of Eq. 16: softmax of the logits over the temperature (B, C); towards 0 it is the hard guess."""
    return F.softmax(logit_BC / temperature, dim=1)


def bootstrapped(given_BC: Tensor, guess_BC: Tensor, weight_B: Tensor) -> Tensor:
    """Target (1 − w) y + w z of Eq. 10 (B, C); no gradient flows through the guess."""
    weight_B1 = weight_B[:, None]
    return (1.0 - weight_B1) * given_BC + weight_B1 * guess_BC.detach()


def mixed(first: Tensor, second: Tensor, share: Tensor | float) -> Tensor:
    """δ a + (1 − δ) b: of inputs Eq. 11, of targets Eq. 12 and 13.

    Eq. 13 is printed with a plus between its terms; both are negative log-likelihoods, as here.
    """
    return share * first + (1.0 - share) * second


def dynamic_share(posterior_p_B: Tensor, posterior_q_B: Tensor) -> Tensor:
    """δ_p / (δ_p + δ_q) of Eq. 15 (B,), from noise posteriors; one half where both are surely noisy."""
    clean_p_B, clean_q_B = 1.0 - posterior_p_B, 1.0 - posterior_q_B
    # Departs from the paper by the 1e-4 that the released code clamps to: 0 / 0 has no value.
    clean_p_B, clean_q_B = clean_p_B.clamp(min=1e-4), clean_q_B.clamp(min=1e-4)
    return clean_p_B / (clean_p_B + clean_q_B)


def prior_penalty(mean_C: Tensor) -> Tensor:
    """R of Eq. 14 with the even prior, from the batch's mean softmax (C,): 0 when all classes are predicted alike."""
    classes = mean_C.shape[0]
    return -(torch.log(classes * mean_C.clamp(min=1e-12)) / classes).sum()


def forward_corrected(logit_BC: Tensor, target_BC: Tensor, transition_CC: Tensor) -> Tensor:
    """−Σ_c t_c log (Tᵀ h)_c per sample (B,), T = P(given | true) (Patrini et al. 2017, Theorem 2)."""
    probability_BC = F.softmax(logit_BC, dim=1) @ transition_CC
    return -(target_BC * torch.log(probability_BC.clamp(min=1e-12))).sum(dim=1)


def estimated_transition(probability_NC: Tensor, quantile: float = 0.97) -> Tensor:
    """T (C, C) from the predictions on all N samples: row c is the prediction on the sample that looks most
    like class c (Patrini et al. 2017, Eq. 12–13; the 97 % quantile instead of the maximum, their Sec. 5)."""
    count = probability_NC.shape[0]
    place = min(count - 1, max(0, round(quantile * (count - 1))))
    order_NC = probability_NC.argsort(dim=0, stable=True)
    transition_CC = probability_NC[order_NC[place]]
    return transition_CC / transition_CC.sum(dim=1, keepdim=True)


def tells_classes_apart(transition_CC: Tensor) -> bool:
    """Whether the likeliest given label of every true class is that class.

    Without it T says of some class that it is another, as estimates from a network that has not yet learned do, and
    training through it teaches just that (Patrini et al. 2017 assume it throughout).
    """
    return bool(
        (transition_CC.argmax(dim=1) == torch.arange(len(transition_CC), device=transition_CC.device)).all()
    )
