"""What is stored of a run besides rows: its results as a Parquet file, its mixtures as figures read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import rankdata

from backend.store.results import RESULT_DTYPE


def agreement(
    scores: Mapping[str, np.ndarray[Any, Any]], suspects: int
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """How many of the scores put each sample among their `suspects` most suspect ones (N,).

    Every score rises with suspicion. Equal scores share their mean rank, so that all of them are in or none; what is
    no number is suspect to nobody.
    """
    if not scores:
        raise ValueError("agreement needs at least one score")
    agreed_N = np.zeros(len(next(iter(scores.values()))), np.int16)
    for score_N in scores.values():
        known_N = np.nan_to_num(np.asarray(score_N, np.float64), nan=-np.inf)
        mean_rank_N = rankdata(-known_N, method="average")
        agreed_N += (mean_rank_N <= suspects) & (known_N > -np.inf)
    return agreed_N


def write_parquet(
    path: Path,
    result_N: np.ndarray[Any, Any],
    given_label_N: np.ndarray[Any, Any],
    scores: Mapping[str, np.ndarray[Any, Any]],
) -> None:
    """Write the results with the given labels (class indices) and further scores as one Parquet file."""
    columns = {name: np.ascontiguousarray(result_N[name]) for name in RESULT_DTYPE.names or ()}
    further = {f"score_{name}": score_N.astype(np.float32) for name, score_N in scores.items()}
    pq.write_table(pa.table({**columns, "given_label": given_label_N.astype(np.int32), **further}), path)


def stored_mixtures(fitted: dict[str, Any], chosen: str) -> dict[str, Any]:
    """Both mixtures of an epoch as the page and the figures read them.

    Per mixture: weights, parameters, log_likelihood, `x` (nats), `components` (clean, noisy) and `sum`
    (densities per nat, times weight), and `threshold`: the loss from which on noise is the likelier cause.
    """
    stored: dict[str, Any] = {"chosen": chosen}
    for name, mixture in fitted.items():
        curve = mixture["curves"]
        stored[name] = {
            **{key: value for key, value in mixture.items() if key != "curves"},
            "x": curve["x"],
            "components": [curve["clean"], curve["noisy"]],
            "sum": curve["sum"],
            "threshold": _crossing(curve),
        }
    return stored


def _crossing(curve: dict[str, Any]) -> float | None:
    """The smallest loss above which the noisy component stays the larger one; None when it never does."""
    clean_likelier = np.asarray(curve["clean"]) > np.asarray(curve["noisy"])
    if not len(clean_likelier) or clean_likelier[-1] or not clean_likelier.any():
        return None
    return float(curve["x"][int(np.flatnonzero(clean_likelier)[-1]) + 1])
