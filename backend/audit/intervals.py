"""Exact 95 % limits for how many labels of a finite dataset are wrong, from random samples of its strata. Pure.

One stratum: the hypergeometric test inverted (Buonaccorsi 1987), which is Clopper and Pearson's (1934) interval
where the stratum is much larger than its sample. Two strata: what could have been seen is put in an order, by
approximate limits (Zou and Donner 2008); the exact limit is the largest number of wrong labels, however the strata
share them, under which something up to what was seen still had a chance (Buehler 1957; Wendell and Schmee 1996).
The approximation decides only how wide the exact limits are: their coverage is at least nominal whatever the truth.

Shape letters: G candidate numbers of wrong labels, K numbers of wrong labels that a sample can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaln

ALPHA = 0.05
"""One minus the confidence; half of it for each limit."""
ROUNDING = 1e-9
"""Error of a probability summed from log-gammas at a million samples; limits are kept on the safe side of it."""
FINEST = 10_000
"""A combined limit may lie outside the exact one by the population over this: a hundredth of a point."""
FIRST_POINTS, SPLIT = 33, 3

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


class Seen(NamedTuple):
    """A simple random sample without replacement of one stratum."""

    samples: int
    """Of the whole stratum."""
    drawn: int
    wrong: int
    """Of the drawn."""

    @property
    def mirrored(self) -> Seen:
        """The same, counting right labels."""
        return self._replace(wrong=self.drawn - self.wrong)


def count_limits(strata: Sequence[Seen], alpha: float = ALPHA) -> tuple[int, int]:
    """Lower and upper limit for the number of wrong labels in all strata together; see `most_wrong`."""
    return fewest_wrong(strata, alpha), most_wrong(strata, alpha)


def fewest_wrong(strata: Sequence[Seen], alpha: float = ALPHA) -> int:
    """The lower limit for the number of wrong labels; see `most_wrong`."""
    mirrored = [each.mirrored for each in strata]
    return sum(each.samples for each in strata) - most_wrong(mirrored, alpha)


def most_wrong(strata: Sequence[Seen], alpha: float = ALPHA) -> int:
    """The upper limit for the number of wrong labels in all strata together, exact at `alpha` / 2.

    It is the largest number under which what was seen, or less, still has more than that chance. A stratum of
    which nothing was drawn may hold any number. Raises ValueError for counts that cannot be, and for more than
    two strata with samples drawn.
    """
    for each in strata:
        if not 0 <= each.wrong <= each.drawn <= each.samples:
            raise ValueError(f"no such sample of a stratum: {each}")
    unseen = sum(each.samples for each in strata if each.drawn == 0)
    seen = sorted(each for each in strata if each.drawn > 0)
    if len(seen) > 2:
        raise ValueError(f"at most two strata can be combined, found {len(seen)}")
    if not seen:
        return unseen
    # The smaller stratum is searched, the larger one solved for; alone, a stratum has an empty one beside it.
    beside = seen[0] if len(seen) == 2 else Seen(0, 0, 0)
    return unseen + _Pair(beside, seen[-1], alpha / 2).most()


def quick_limits(strata: Sequence[Seen], alpha: float = ALPHA) -> tuple[float, float]:
    """The same limits approximately and at once, for forecasts; every stratum has samples drawn."""
    total = sum(each.samples for each in strata)
    expected = sum(float(_expected(each, np.asarray(each.wrong))) for each in strata)
    below, above = (
        np.hypot.reduce([_reach(each, np.asarray(each.wrong), alpha / 2) for each in counted])
        for counted in ([each.mirrored for each in strata], strata)
    )
    return max(0.0, expected - float(below)), min(float(total), expected + float(above))


class _Pair:
    """Two strata, of which the first may be empty, and what the two samples could show up to what they did."""

    def __init__(self, first: Seen, second: Seen, tail: float) -> None:
        self.first, self.second, self.tail = first, second, tail - ROUNDING
        wrong_K = np.arange(first.drawn + 1, dtype=np.int64)
        beside_K = self._largest_beside(wrong_K)
        self.wrong_K, self.beside_K = wrong_K[beside_K >= 0], beside_K[beside_K >= 0]

    def most(self) -> int:
        """Branch and bound over the first stratum's number of wrong labels.

        The second stratum's largest number falls as the first's rises: between two candidates the sum is at
        most the upper end plus the second's number at the lower end.
        """
        lowest, highest = _possible(self.first)
        tolerance = (self.first.samples + self.second.samples) // FINEST
        at_G = np.unique(np.linspace(lowest, highest, FIRST_POINTS).round().astype(np.int64))
        end_G = np.append(at_G[1:] - 1, highest)
        best = limit = 0
        while len(at_G):
            beside_G = self._largest_number(at_G)
            fits_G = beside_G >= 0
            best = max(best, int((at_G + beside_G)[fits_G].max(initial=0)))
            bound_G = np.where(fits_G, end_G + beside_G, 0)
            open_G = (bound_G > best + tolerance) & (end_G > at_G)
            limit = max(limit, int(bound_G[~open_G].max(initial=0)))
            at_G, end_G = _split(at_G[open_G], end_G[open_G])
        return max(best, min(limit, best + tolerance))

    def _largest_beside(self, wrong_K: Counts) -> Counts:
        """With so many wrong in the first sample, the most in the second that is no more than what was seen; or −1."""
        seen = self._order(np.asarray(self.first.wrong), np.asarray(self.second.wrong))
        fits_K = np.full(len(wrong_K), -1, dtype=np.int64)
        fails_K = np.full(len(wrong_K), self.second.drawn + 1, dtype=np.int64)
        while (fails_K - fits_K > 1).any():
            middle_K = (fits_K + fails_K) // 2
            # Ties belong to it, also those that rounding hides.
            below_K = self._order(wrong_K, middle_K) <= seen * (1 + ROUNDING)
            fits_K = np.where(below_K, middle_K, fits_K)
            fails_K = np.where(below_K, fails_K, middle_K)
        return fits_K

    def _order(self, first_K: Counts, second_K: Counts) -> Floats:
        """The approximate upper limit, by which pairs of counts are put in order; it rises with both."""
        expected: Floats = _expected(self.first, first_K) + _expected(self.second, second_K)
        reach_K = np.hypot(_reach(self.first, first_K, self.tail), _reach(self.second, second_K, self.tail))
        return expected + reach_K

    def _largest_number(self, first_G: Counts) -> Counts:
        """The second stratum's largest number of wrong labels beside each of the first's; −1 where none fits."""
        lowest, highest = _possible(self.second)
        probability_GK = _pmf(self.first, first_G, self.wrong_K)
        sample_K = np.arange(int(self.beside_K.max()) + 1, dtype=np.int64)
        fits_G = np.full(len(first_G), lowest - 1, dtype=np.int64)
        fails_G = np.full(len(first_G), highest + 1, dtype=np.int64)
        while (fails_G - fits_G > 1).any():
            # Where a search has ended, its middle is its last fit, or one below the lowest: tried in vain.
            middle_G = np.maximum((fits_G + fails_G) // 2, lowest)
            below_GK = np.cumsum(_pmf(self.second, middle_G, sample_K), axis=1)[:, self.beside_K]
            likely_G = (probability_GK * below_GK).sum(axis=1) > self.tail
            fits_G = np.where(likely_G, np.maximum(middle_G, fits_G), fits_G)
            fails_G = np.where(likely_G, fails_G, np.minimum(middle_G, fails_G))
        return np.where(fits_G < lowest, -1, fits_G)


def _split(at_G: Counts, end_G: Counts) -> tuple[Counts, Counts]:
    """Each range [at, end] in up to SPLIT parts, none empty."""
    if not len(at_G):
        return at_G, end_G
    edge_GS = np.linspace(at_G, end_G + 1, SPLIT + 1, axis=1).round().astype(np.int64)
    start, stop = edge_GS[:, :-1].ravel(), edge_GS[:, 1:].ravel()
    return start[stop > start], stop[stop > start] - 1


def _possible(stratum: Seen) -> tuple[int, int]:
    """The numbers of wrong labels that what was seen leaves possible."""
    return stratum.wrong, stratum.samples - (stratum.drawn - stratum.wrong)


def _expected(stratum: Seen, wrong_K: NDArray[Any]) -> Floats:
    """Wrong labels of the whole stratum when its sample shows so many."""
    return np.asarray(wrong_K * (stratum.samples / max(stratum.drawn, 1)), dtype=np.float64)


def _reach(stratum: Seen, wrong_K: NDArray[Any], tail: float) -> Floats:
    """How far Clopper and Pearson's upper limit is above the expected number, less what is known of a small stratum."""
    if stratum.drawn == stratum.samples:
        return np.zeros(np.shape(wrong_K))
    limit_K = np.where(
        wrong_K < stratum.drawn,
        betaincinv(wrong_K + 1.0, np.maximum(stratum.drawn - wrong_K, 1), 1 - tail),
        1.0,
    )
    unknown = np.sqrt((stratum.samples - stratum.drawn) / (stratum.samples - 1))
    return np.asarray(unknown * (limit_K * stratum.samples - _expected(stratum, wrong_K)), dtype=np.float64)


def _pmf(stratum: Seen, wrong_G: Counts, seen_K: NDArray[Any]) -> Floats:
    """Hypergeometric probabilities (G, K) of seeing so many wrong labels when the stratum holds so many."""
    wrong_G1, right_G1 = wrong_G[:, None], stratum.samples - wrong_G[:, None]
    log_GK = (
        _log_choose(wrong_G1, seen_K)
        + _log_choose(right_G1, stratum.drawn - seen_K)
        - _log_choose(np.asarray(stratum.samples), np.asarray(stratum.drawn))
    )
    return np.exp(np.minimum(log_GK, 0.0))


def _log_choose(of: NDArray[Any], chosen: NDArray[Any]) -> Floats:
    """Logarithm of the binomial coefficient; −inf where more are chosen than there are."""
    # gammaln is +inf at 0, −1, −2, …, as needed here.
    value: Floats = gammaln(of + 1.0) - gammaln(chosen + 1.0) - gammaln(of - chosen + 1.0)
    return value
