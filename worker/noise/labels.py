"""Which given labels are wrong, from predicted probabilities: the true label as an unseen variable.

Knows predicted probabilities and given labels; must not know of losses' mixtures. Departs from the paper, which has the
losses alone; needs probabilities from a network that did not train on the sample.
Shapes: N samples, C classes.

P(given g | image) = Σ_j P(true j | image) · T(j, g), where P(true | image) is the network's answer made honest:
softmax(a·log p + b·(log p) A + c). Temperature a, class offsets c (Guo 2017), and one number b for the pairs of classes that
the network confuses (A: overlap of their probabilities). A mistake of the network becomes rarer the surer it is; a wrong
label stays as frequent. So T (Patrini 2017) is taken from the samples on which the network is surest.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from worker.noise.histogram import FloatArray

IntArray = NDArray[np.int64]

SMALLEST_PROBABILITY = 1.2e-38
"""Probabilities of exactly 0 come from rounding; the smallest normal single-precision number stands for them."""

FEWEST_SAMPLES = 200
"""Below this C offsets, two slopes and a rate are not told apart."""

SURE_SHARE = 1.0 / 3.0
"""Share of the samples, the surest, that the transition matrix is taken from. Of the shares tried (all, 1/2, 1/4) on
one network's set the smaller ones kept more of its confusions out of the matrix; a second network's set agreed."""

PRIOR_SAMPLES = 10.0
"""Each row of a full matrix is held towards even noise by this many samples."""

STRUCTURE = 0.01
"""Nats per sample that a full matrix must win over even noise. Which classes the network confuses is structure as well,
and wins it .004–.006 on two sets without any noise; class-conditional noise of 1 % wins .014."""

OFFSET_SPREAD = 1.0
"""Width of the prior on a class's offset. With a thousand classes and eight samples of each that are looked at, offsets without it
explained the noise away (3 % of wrong labels, F1 .93 instead of 1.00)."""

FEWEST_TRIED, MOST_TRIED, TRIAL_CELLS = 2048, 8192, 800_000
"""Starts are tried on so many samples: fewer of them where classes are many."""

FIT_CELLS = 8_000_000
"""Samples times classes that a fit looks at; of more data every k-th sample, which bounds time and memory."""

PART_CELLS = 4_000_000
STARTS = (0.05, 0.7)
"""Noise rates to start from: few and most labels wrong; in between both lead to the same fit."""


class _State(NamedTuple):
    slope_2: FloatArray
    offset_C: FloatArray
    transition_CC: FloatArray
    log_likelihood: float
    iterations: int


class LabelModel:
    """Calibration and noise transition matrix by expectation maximisation, even noise or full as the labels say.

    After `fit`: `transition_CC_` P(given | true), `structured_` (whether it is full), `slopes_` (a, b), `log_likelihood_`
    (mean per sample, nats), `informative_` (nats per sample over the classes' frequencies alone), `iterations_`, and
    `reason_`: None, or why nothing can be said (then there is no posterior).
    """

    def __init__(self, iterations: int = 60, tolerance: float = 2e-6) -> None:
        self.iterations = iterations
        self.tolerance = tolerance

    def fit(self, predicted_probabilities: ArrayLike, given_label: ArrayLike) -> Self:
        """Fits to probabilities (N, C) ≥ 0 and given labels (N,) in 0 … C − 1; never raises on such."""
        probability_NC = np.asarray(predicted_probabilities)
        given_N = np.asarray(given_label, dtype=np.int64)
        samples, classes = probability_NC.shape
        self.reason_: str | None = None
        self.structured_ = False
        self.transition_CC_: FloatArray = np.eye(classes)
        self.slopes_: FloatArray = np.array([1.0, 0.0])
        self.offset_C_: FloatArray = np.zeros(classes)
        self.log_likelihood_, self.informative_, self.iterations_ = 0.0, 0.0, 0
        self._affinity_CC: FloatArray = np.zeros((classes, classes))
        count_C = np.bincount(given_N, minlength=classes)
        if samples < max(FEWEST_SAMPLES, 5 * classes):
            self.reason_ = f"only {samples} samples of {classes} classes"
        elif int((count_C > 0).sum()) < 2:
            self.reason_ = "all given labels are the same"
        else:
            self._fit(probability_NC, given_N, count_C / samples)
        return self

    def posterior(self, predicted_probabilities: ArrayLike, given_label: ArrayLike) -> FloatArray:
        """P(given label wrong | probabilities, given label) (N,) in [0, 1]."""
        probability_NC = np.asarray(predicted_probabilities)
        given_N = np.asarray(given_label, dtype=np.int64)
        posterior_N = np.zeros(len(given_N))
        if self.reason_ is not None:
            return posterior_N
        step = max(1, PART_CELLS // probability_NC.shape[1])
        state = _State(self.slopes_, self.offset_C_, self.transition_CC_, 0.0, 0)
        for start in range(0, len(given_N), step):
            part = slice(start, start + step)
            log_PC = log_probabilities(probability_NC[part])
            honest_PC = _honest(log_PC, log_PC @ self._affinity_CC, state)[0]
            joint_PC = honest_PC * self.transition_CC_[:, given_N[part]].T
            row_P = np.arange(len(joint_PC))
            right_P = joint_PC[row_P, given_N[part]]
            joint_PC[row_P, given_N[part]] = 0.0
            wrong_P = joint_PC.sum(axis=1)
            posterior_N[part] = wrong_P / np.maximum(wrong_P + right_P, 1e-300)
        return posterior_N

    def describe(self) -> dict[str, Any]:
        """The fit, JSON-ready."""
        return {
            "kind": "class-conditional" if self.structured_ else "even",
            "slopes": [float(value) for value in self.slopes_],
            "log_likelihood": float(self.log_likelihood_),
            "iterations": self.iterations_,
            "reason": self.reason_,
        }

    def _fit(self, probability_NC: NDArray[Any], given_N: IntArray, frequency_C: FloatArray) -> None:
        stride = max(1, -(-probability_NC.size // FIT_CELLS))
        log_MC, given_M = log_probabilities(probability_NC[::stride]), given_N[::stride]
        self._affinity_CC = _affinity(log_MC)
        pair_MC = log_MC @ self._affinity_CC
        tried = min(MOST_TRIED, max(FEWEST_TRIED, TRIAL_CELLS // log_MC.shape[1]))
        trial = slice(None, None, max(1, len(given_M) // tried))
        states: dict[bool, _State] = {}
        for structured in (False, True):
            trials = [
                self._climb(
                    log_MC[trial], pair_MC[trial], given_M[trial], self._start(log_MC, rate), structured
                )
                for rate in STARTS
            ]
            best = max(trials, key=lambda state: state.log_likelihood)
            states[structured] = self._climb(log_MC, pair_MC, given_M, best, structured)
        gain = states[True].log_likelihood - states[False].log_likelihood
        price = 0.5 * _cells(states[True].transition_CC) * np.log(len(given_M)) / len(given_M)
        self.structured_ = bool(gain > max(price, STRUCTURE))
        state = states[self.structured_]
        if not np.isfinite(state.log_likelihood):
            self.reason_ = "the fit did not stay finite"
            return
        self.slopes_, self.offset_C_, self.transition_CC_ = state.slope_2, state.offset_C, state.transition_CC
        self.log_likelihood_, self.iterations_ = state.log_likelihood, state.iterations
        used_C = frequency_C[frequency_C > 0]
        self.informative_ = state.log_likelihood - float(used_C @ np.log(used_C))

    def _start(self, log_MC: FloatArray, rate: float) -> _State:
        classes = log_MC.shape[1]
        return _State(np.array([1.0, 0.0]), np.zeros(classes), _even(rate, classes), -np.inf, 0)

    def _climb(
        self, log_MC: FloatArray, pair_MC: FloatArray, given_M: IntArray, state: _State, structured: bool
    ) -> _State:
        """Expectation maximisation; one Newton step of the calibration in each M-step."""
        samples, classes = log_MC.shape
        row_M, order_M = np.arange(samples), np.argsort(given_M, kind="stable")
        last = -np.inf
        for iteration in range(1, self.iterations + 1):
            honest_MC, gap_M = _honest(log_MC, pair_MC, state)
            joint_MC = honest_MC * state.transition_CC[:, given_M].T
            total_M = np.maximum(joint_MC.sum(axis=1), 1e-300)
            likelihood = float(np.log(total_M).mean())
            state = state._replace(log_likelihood=likelihood, iterations=iteration)
            if not np.isfinite(likelihood) or (iteration > 4 and abs(likelihood - last) < self.tolerance):
                break
            last = likelihood
            share_MC = joint_MC / total_M[:, None]
            sure_M = gap_M >= np.quantile(gap_M, 1.0 - SURE_SHARE)
            if structured:
                transition_CC = _full(share_MC, given_M, order_M, sure_M)
            else:
                transition_CC = _even(1.0 - float(share_MC[row_M, given_M][sure_M].mean()), classes)
            slope_2, offset_C = _newton(log_MC, pair_MC, honest_MC, share_MC, state)
            state = state._replace(slope_2=slope_2, offset_C=offset_C, transition_CC=transition_CC)
        return state


def log_probabilities(probability_NC: NDArray[Any]) -> FloatArray:
    """Logarithms (N, C) of probabilities, each row's mean taken off (softmax does not see it)."""
    log_NC = np.log(np.maximum(np.asarray(probability_NC, dtype=np.float64), SMALLEST_PROBABILITY))
    log_NC -= log_NC.mean(axis=1, keepdims=True)
    return log_NC


def _honest(log_MC: FloatArray, pair_MC: FloatArray, state: _State) -> tuple[FloatArray, FloatArray]:
    """P(true | image) (M, C), and how far the first class is ahead of the second (M,)."""
    logit_MC = state.slope_2[0] * log_MC + state.slope_2[1] * pair_MC + state.offset_C
    logit_MC -= logit_MC.max(axis=1, keepdims=True)
    gap_M = -np.partition(logit_MC, -2, axis=1)[:, -2]
    np.exp(np.maximum(logit_MC, -700.0), out=logit_MC)
    logit_MC /= logit_MC.sum(axis=1, keepdims=True)
    return logit_MC, gap_M


def _affinity(log_MC: FloatArray) -> FloatArray:
    """How much the probabilities of two classes overlap (C, C), largest 1, none with itself; none at all where there are but two
    classes, whose pair says what the temperature says."""
    if log_MC.shape[1] == 2:
        return np.zeros((2, 2))
    weight_MC = np.exp(log_MC - log_MC.max(axis=1, keepdims=True))
    weight_MC /= weight_MC.sum(axis=1, keepdims=True)
    overlap_CC = weight_MC.T @ weight_MC
    root_C = np.sqrt(np.maximum(np.diag(overlap_CC), 1e-12))
    overlap_CC /= root_C[:, None] * root_C[None, :]
    np.fill_diagonal(overlap_CC, 0.0)
    affinity_CC: FloatArray = overlap_CC / max(float(overlap_CC.max()), 1e-12)
    return affinity_CC


def _even(rate: float, classes: int) -> FloatArray:
    """The transition matrix of noise that is even over the other classes."""
    rate = min(max(rate, 1e-9), 1.0)
    transition_CC = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(transition_CC, 1.0 - rate)
    np.maximum(transition_CC, 1e-12, out=transition_CC)
    return transition_CC


def _full(
    share_MC: FloatArray, given_M: IntArray, order_M: NDArray[np.intp], sure_M: NDArray[np.bool_]
) -> FloatArray:
    """The transition matrix of the sure samples, each row held towards even noise."""
    classes = share_MC.shape[1]
    order_K = order_M[sure_M[order_M]]
    first_G = np.flatnonzero(np.diff(given_M[order_K], prepend=-1))
    count_CC = np.zeros((classes, classes))
    count_CC[:, given_M[order_K][first_G]] = np.add.reduceat(share_MC[order_K], first_G, axis=0).T
    rate = 1.0 - float(np.trace(count_CC)) / max(float(count_CC.sum()), 1e-300)
    count_CC += PRIOR_SAMPLES * _even(rate, classes)
    transition_CC: FloatArray = np.maximum(count_CC / count_CC.sum(axis=1, keepdims=True), 1e-12)
    return transition_CC


def _newton(
    log_MC: FloatArray, pair_MC: FloatArray, honest_MC: FloatArray, share_MC: FloatArray, state: _State
) -> tuple[FloatArray, FloatArray]:
    """Slopes (2,) and offsets (C,) after one step towards the soft labels `share_MC`; the aim is concave."""
    samples, classes = log_MC.shape
    feature_2 = (log_MC, pair_MC)
    curve = np.zeros((classes + 2, classes + 2))
    curve[:classes, :classes] = np.diag(honest_MC.sum(axis=0)) - honest_MC.T @ honest_MC
    gradient = np.zeros(classes + 2)
    gradient[:classes] = (share_MC - honest_MC).sum(axis=0) - state.offset_C / OFFSET_SPREAD**2
    weighted_2 = [honest_MC * feature for feature in feature_2]
    mean_2 = [weighted_MC.sum(axis=1) for weighted_MC in weighted_2]
    for k, feature in enumerate(feature_2):
        at = classes + k
        gradient[at] = np.vdot(share_MC, feature) - mean_2[k].sum()
        curve[:classes, at] = curve[at, :classes] = weighted_2[k].sum(axis=0) - mean_2[k] @ honest_MC
        for other in range(2):
            curve[at, classes + other] = np.vdot(weighted_2[k], feature_2[other]) - mean_2[k] @ mean_2[other]
    curve[np.arange(classes), np.arange(classes)] += OFFSET_SPREAD**-2
    # Adding one number to all offsets changes nothing; a little ridge picks one solution and bounds the step.
    curve[np.diag_indices(classes + 2)] += 1e-7 * samples + 1e-6
    step = np.clip(np.linalg.solve(curve, gradient), -2.0, 2.0)
    offset_C = state.offset_C + step[:classes]
    slope_2 = np.clip(state.slope_2 + step[classes:], [0.0, -20.0], [50.0, 20.0])
    return slope_2, offset_C - offset_C.mean()


def _cells(transition_CC: FloatArray) -> int:
    """How many mistakes make up nineteen twentieths of all noise: what a full matrix says beyond even noise."""
    off_K = np.sort((transition_CC - np.diag(np.diag(transition_CC))).ravel())[::-1]
    total = float(off_K.sum())
    return int(np.searchsorted(np.cumsum(off_K), 0.95 * total) + 1) if total > 0.0 else 0
