"""Every objective against loops written from the equations in double precision, and its identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from worker.training import objectives

BATCH, CLASSES = 6, 4


def numbers(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


LOGIT_BC = numbers(0, BATCH, CLASSES)
LABEL_B = torch.tensor([0, 1, 2, 3, 1, 0])
WEIGHT_B = torch.rand(BATCH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def softmax_row(row: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    shifted = [math.exp((value - max(row)) / temperature) for value in row]
    return np.array([value / sum(shifted) for value in shifted])


@pytest.mark.parametrize("hard", [True, False])
def test_bootstrapping_is_equation_ten(hard: bool) -> None:
    guess_BC = objectives.hard_guess(LOGIT_BC) if hard else objectives.soft_guess(LOGIT_BC)
    target_BC = objectives.bootstrapped(objectives.one_hot(LABEL_B, CLASSES), guess_BC, WEIGHT_B)
    loss_B = objectives.cross_entropy(LOGIT_BC, target_BC)
    for i in range(BATCH):
        h = softmax_row(LOGIT_BC[i].numpy())
        w, expected = float(WEIGHT_B[i]), 0.0
        for c in range(CLASSES):
            y = 1.0 if c == int(LABEL_B[i]) else 0.0
            z = (1.0 if c == int(h.argmax()) else 0.0) if hard else h[c]
            expected -= ((1.0 - w) * y + w * z) * math.log(h[c])
        assert float(loss_B[i]) == pytest.approx(expected, abs=1e-6)


def test_posterior_zero_is_cross_entropy_to_the_given_label_and_one_to_the_guess() -> None:
    given_BC, guess_BC = objectives.one_hot(LABEL_B, CLASSES), objectives.hard_guess(LOGIT_BC)
    zero_B, one_B = torch.zeros(BATCH), torch.ones(BATCH)
    plain = torch.nn.functional.cross_entropy
    assert objectives.cross_entropy(
        LOGIT_BC, objectives.bootstrapped(given_BC, guess_BC, zero_B)
    ) == pytest.approx(plain(LOGIT_BC, LABEL_B, reduction="none"))
    assert objectives.cross_entropy(
        LOGIT_BC, objectives.bootstrapped(given_BC, guess_BC, one_B)
    ) == pytest.approx(plain(LOGIT_BC, LOGIT_BC.argmax(dim=1), reduction="none"))


def test_mixed_bootstrapping_is_equation_thirteen_with_both_terms_negative() -> None:
    order, share = torch.tensor([3, 0, 5, 1, 2, 4]), 0.37
    guess_BC = objectives.soft_guess(numbers(5, BATCH, CLASSES))
    target_BC = objectives.bootstrapped(objectives.one_hot(LABEL_B, CLASSES), guess_BC, WEIGHT_B)
    loss_B = objectives.cross_entropy(LOGIT_BC, objectives.mixed(target_BC, target_BC[order], share))
    for i in range(BATCH):
        log_h = np.log(softmax_row(LOGIT_BC[i].numpy()))
        terms = []
        for sample in (i, int(order[i])):
            y = np.eye(CLASSES)[int(LABEL_B[sample])]
            w = float(WEIGHT_B[sample])
            terms.append(-float(((1 - w) * y + w * guess_BC[sample].numpy()) @ log_h))
        assert float(loss_B[i]) == pytest.approx(share * terms[0] + (1 - share) * terms[1], abs=1e-6)


def test_a_mixing_share_of_one_leaves_everything_unmixed() -> None:
    assert torch.equal(objectives.mixed(LOGIT_BC, LOGIT_BC.flip(0), 1.0), LOGIT_BC)


def test_the_dynamic_share_is_equation_fifteen() -> None:
    p_B, q_B = torch.tensor([0.0, 0.2, 1.0, 0.9, 1.0]), torch.tensor([0.0, 0.7, 0.0, 0.9, 1.0])
    expected = [0.5, 0.8 / (0.8 + 0.3), 1e-4 / (1 + 1e-4), 0.5, 0.5]
    assert objectives.dynamic_share(p_B, q_B).tolist() == pytest.approx(expected, rel=1e-5)


def test_the_prior_penalty_is_equation_fourteen_and_vanishes_for_even_predictions() -> None:
    mean = np.mean([softmax_row(row) for row in LOGIT_BC.numpy()], axis=0)
    expected = sum(0.25 * math.log(0.25 / mean[c]) for c in range(CLASSES))
    assert float(objectives.prior_penalty(LOGIT_BC.softmax(dim=1).mean(dim=0))) == pytest.approx(
        expected, abs=1e-9
    )
    assert float(objectives.prior_penalty(torch.full((5,), 0.2))) == pytest.approx(0.0, abs=1e-6)
    one_class = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
    assert torch.isfinite(objectives.prior_penalty(one_class))
    assert float(objectives.prior_penalty(one_class)) > 10.0


def test_the_guess_softens_and_hardens_with_the_temperature() -> None:
    for temperature in (0.5, 1.0, 3.0):
        expected = np.stack([softmax_row(row, temperature) for row in LOGIT_BC.numpy()])
        assert objectives.soft_guess(LOGIT_BC, temperature).numpy() == pytest.approx(expected, abs=1e-9)
    assert torch.allclose(objectives.soft_guess(LOGIT_BC, 1e-3).float(), objectives.hard_guess(LOGIT_BC))


def test_forward_correction_predicts_the_given_label_through_the_matrix() -> None:
    transition_CC = torch.softmax(numbers(7, CLASSES, CLASSES), dim=1)
    loss_B = objectives.forward_corrected(LOGIT_BC, objectives.one_hot(LABEL_B, CLASSES), transition_CC)
    for i in range(BATCH):
        h = softmax_row(LOGIT_BC[i].numpy())
        given = sum(float(transition_CC[true, int(LABEL_B[i])]) * h[true] for true in range(CLASSES))
        assert float(loss_B[i]) == pytest.approx(-math.log(given), abs=1e-6)
    plain_B = objectives.cross_entropy(LOGIT_BC, objectives.one_hot(LABEL_B, CLASSES))
    identity_CC = torch.eye(CLASSES, dtype=torch.float64)
    assert objectives.forward_corrected(
        LOGIT_BC, objectives.one_hot(LABEL_B, CLASSES), identity_CC
    ) == pytest.approx(plain_B)


def test_the_transition_matrix_is_read_off_the_samples_that_look_most_like_each_class() -> None:
    rng = np.random.default_rng(0)
    transition_CC = np.array([[0.7, 0.2, 0.1], [0.0, 0.9, 0.1], [0.3, 0.1, 0.6]])
    true_N = rng.integers(0, 3, 900)
    # Predictions of a network that learned P(given | image) with some haze around it.
    probability_NC = 0.97 * transition_CC[true_N] + 0.03 * rng.dirichlet(np.ones(3), 900)
    found_CC = objectives.estimated_transition(torch.from_numpy(probability_NC))
    assert found_CC.numpy() == pytest.approx(transition_CC, abs=0.04)
    assert found_CC.sum(dim=1).numpy() == pytest.approx(np.ones(3))


def test_a_matrix_that_takes_a_class_for_another_tells_no_classes_apart() -> None:
    good_CC = torch.tensor([[0.5, 0.4, 0.1], [0.3, 0.4, 0.3], [0.0, 0.2, 0.8]])
    assert objectives.tells_classes_apart(good_CC)
    assert not objectives.tells_classes_apart(good_CC[[1, 0, 2]])
    assert not objectives.tells_classes_apart(
        torch.tensor([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.0, 0.0, 1.0]])
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_smoothed_labels_stay_distributions(smoothing: float) -> None:
    target_BC = objectives.one_hot(LABEL_B, CLASSES, smoothing)
    assert target_BC.sum(dim=1).numpy() == pytest.approx(np.ones(BATCH))
    assert target_BC[0, 0] == pytest.approx(1.0 - smoothing + smoothing / CLASSES)


def test_gradients_agree_with_finite_differences_and_do_not_flow_through_the_guess() -> None:
    logit_BC = LOGIT_BC.clone().requires_grad_()
    constant_BC = objectives.bootstrapped(
        objectives.one_hot(LABEL_B, CLASSES).double(), objectives.soft_guess(LOGIT_BC), WEIGHT_B
    )

    def objective(x_BC: torch.Tensor) -> torch.Tensor:
        return objectives.cross_entropy(x_BC, constant_BC).mean() + objectives.prior_penalty(
            x_BC.softmax(dim=1).mean(dim=0)
        )

    assert torch.autograd.gradcheck(objective, (logit_BC,))
    free_BC = objectives.bootstrapped(
        objectives.one_hot(LABEL_B, CLASSES).double(), objectives.soft_guess(logit_BC), WEIGHT_B
    )
    through = torch.autograd.grad(objectives.cross_entropy(logit_BC, free_BC).sum(), logit_BC)[0]
    fixed = torch.autograd.grad(objectives.cross_entropy(logit_BC, constant_BC).sum(), logit_BC)[0]
    assert torch.allclose(through, fixed)
