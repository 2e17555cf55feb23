"""Where to flag: by the posterior itself, by the precision to expect, or by how many samples can be looked at. Pure.

Shapes: N samples. What a threshold would mean in counts is the audit's business, not this module's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLD = 0.5
"""A sample is flagged from here on: noisy is then the likelier of the two."""

NOBODY = 1.0 + 2.0**-52
"""The threshold that no posterior reaches."""


def threshold_for(
    noise_posterior: ArrayLike,
    *,
    posterior: float | None = None,
    expected_precision: float | None = None,
    budget: int | None = None,
) -> float:
    """The threshold for exactly one wish, or THRESHOLD without any; NOBODY where nothing satisfies it.

    `posterior` in [0, 1] is itself the threshold. `expected_precision` in [0, 1]: the lowest threshold at which the mean
    posterior of what is flagged reaches it. `budget`: the lowest threshold at which at most so many samples are flagged;
    equal posteriors are flagged together or not at all. Posteriors that are no numbers are never flagged.
    Raises ValueError for a value outside its range, or for several wishes.
    """
    if sum(wish is not None for wish in (posterior, expected_precision, budget)) > 1:
        raise ValueError("choose one of posterior, expected_precision and budget")
    if posterior is not None:
        return _share("posterior", posterior)
    value_N = np.asarray(noise_posterior, dtype=np.float64).ravel()
    descending_N = np.sort(value_N[~np.isnan(value_N)])[::-1]
    if expected_precision is not None:
        wanted = _share("expected_precision", expected_precision)
        mean_N = np.cumsum(descending_N) / np.arange(1, descending_N.size + 1)
        # Rounding of the sum must not refuse a precision that is met exactly.
        allowed_N = mean_N >= wanted - 1e-12
    elif budget is not None:
        if budget < 0:
            raise ValueError(f"budget {budget} is below 0")
        allowed_N = np.arange(1, descending_N.size + 1) <= budget
    else:
        return THRESHOLD
    # Only where a run of equals ends can a threshold stand.
    ends_N = np.append(np.diff(descending_N) != 0.0, True)[: descending_N.size]
    place_K = np.flatnonzero(allowed_N & ends_N)
    return float(descending_N[place_K[-1]]) if place_K.size else NOBODY


def balanced_threshold(noise_posterior: ArrayLike) -> float:
    """The threshold at which the F1 to expect, 2 Σ_flagged p / (flagged + Σ p), is highest; THRESHOLD without posteriors.

    Where clean and noisy samples overlap it lies below one half: the best threshold is half the best F1 (Lipton, Elkan and
    Naryanaswamy 2014), and at one half most wrong labels would be missed.
    """
    value_N = np.asarray(noise_posterior, dtype=np.float64).ravel()
    descending_N = np.sort(value_N[~np.isnan(value_N)])[::-1]
    total = float(descending_N.sum())
    if not total > 0.0:
        return THRESHOLD
    expected_N = np.cumsum(descending_N) / (np.arange(1, descending_N.size + 1) + total)
    return float(descending_N[int(expected_N.argmax())])


def flags(noise_posterior: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Which samples (N,) reach the threshold; a posterior that is no number does not."""
    return np.nan_to_num(np.asarray(noise_posterior, dtype=np.float64), nan=-np.inf) >= threshold


def _share(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} {value} is outside [0, 1]")
    return float(value)
