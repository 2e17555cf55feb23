"""How far two reviewers agree beyond what chance would give: Cohen's kappa. Pure.

Shape letters: N samples that both decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

ALPHA = 0.05
"""One minus the confidence; half of it for each limit."""
Answer = tuple[str, int | None]
"""A verdict and, with relabel, the label: what two reviewers must have in common to agree."""


class Agreement(NamedTuple):
    """What two reviewers say of the samples that both decided."""

    a: str
    b: str
    samples: int
    same: int
    kappa: float | None
    """1: always the same; 0: as chance would; below: less. None where both gave one single answer throughout."""
    kappa_low: float | None
    kappa_high: float | None
    """95 % limits; see `kappa_limits`."""


def cohens_kappa(first_N: NDArray[np.integer[Any]], second_N: NDArray[np.integer[Any]]) -> float | None:
    """(observed − expected) / (1 − expected) agreement (Cohen, 1960), the expected from both ones' own frequencies.

    Answers are numbers from 0. None for no samples, and where chance alone explains everything. Raises ValueError
    when the two differ in length.
    """
    expected = _by_chance(first_N, second_N)
    if expected is None:
        return None
    return (float((first_N == second_N).mean()) - expected) / (1 - expected)


def kappa_limits(
    first_N: NDArray[np.integer[Any]], second_N: NDArray[np.integer[Any]]
) -> tuple[float, float] | None:
    """95 % limits of kappa; None where there is no kappa.

    As Cohen (1960) has it, the agreement that chance explains is taken as known, and only the observed one as
    estimated. Departs from the paper: that share gets Clopper and Pearson's (1934) limits in the place of a normal
    deviate, so that three samples on which all agree do not look certain.
    """
    expected = _by_chance(first_N, second_N)
    if expected is None:
        return None
    samples, same = len(first_N), int((first_N == second_N).sum())
    low = 0.0 if same == 0 else float(betaincinv(same, samples - same + 1, ALPHA / 2))
    high = 1.0 if same == samples else float(betaincinv(same + 1, samples - same, 1 - ALPHA / 2))
    return (low - expected) / (1 - expected), (high - expected) / (1 - expected)


def _by_chance(first_N: NDArray[np.integer[Any]], second_N: NDArray[np.integer[Any]]) -> float | None:
    """The share of agreement that chance explains; None for no samples, and where it explains everything."""
    if len(first_N) != len(second_N):
        raise ValueError("both reviewers' answers are needed for each sample")
    if not len(first_N):
        return None
    kinds = int(max(first_N.max(), second_N.max())) + 1
    share_first = np.bincount(first_N, minlength=kinds) / len(first_N)
    share_second = np.bincount(second_N, minlength=kinds) / len(first_N)
    expected = float(share_first @ share_second)
    return None if expected >= 1 else expected


def agreements(answers: Mapping[str, Mapping[int, Answer]]) -> list[Agreement]:
    """Every pair of reviewers who decided some of the same samples, most of them first.

    `answers` has each reviewer's own newest answer by sample index.
    """
    found = []
    for a, b in combinations(sorted(answers), 2):
        both = sorted(answers[a].keys() & answers[b].keys())
        if not both:
            continue
        said_a, said_b = [answers[a][index] for index in both], [answers[b][index] for index in both]
        number = {answer: place for place, answer in enumerate(dict.fromkeys(said_a + said_b))}
        first_N, second_N = (np.array([number[answer] for answer in said]) for said in (said_a, said_b))
        same = int((first_N == second_N).sum())
        low, high = kappa_limits(first_N, second_N) or (None, None)
        found.append(Agreement(a, b, len(both), same, cohens_kappa(first_N, second_N), low, high))
    return sorted(found, key=lambda pair: -pair.samples)
