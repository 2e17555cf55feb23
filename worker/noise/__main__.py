"""Which labels look wrong, from losses or predicted probabilities in a file; the outer door of `worker.noise`.

    python -m worker.noise FILE.npz [--out FILE.npz]

FILE.npz holds given_label (N,) and predicted_probabilities (N, C), best out of sample; or loss (N,) alone; optionally
true_label (N,). One JSON document is printed. Exit codes: 0 done, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.noise.assess import Assessment, assess, assess_probabilities
from worker.noise.detection import detection_metrics


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m worker.noise", description="Which labels look wrong?")
    parser.add_argument("file", type=Path, metavar="FILE.npz")
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="write one value per sample there")
    options = parser.parse_args(arguments)
    try:
        document, arrays = judged(loaded(options.file))
        if options.out is not None:
            with options.out.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
    except (OSError, ValueError) as error:
        message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"error: {message}\n")
        return 2
    sys.stdout.write(json.dumps(document) + "\n")
    return 0


def loaded(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file; OSError when it cannot be opened, ValueError when it is none."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
        except (ValueError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path.name} is not a readable .npz file of plain arrays") from error


def judged(arrays: dict[str, NDArray[Any]]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The printed document, and one value per sample by name.

    From losses alone nothing is known of other classes: the suggested label is then the given one, or −1
    without any, and the margin is not a number. Raises ValueError for arrays that do not fit together.
    """
    given_N = _labels(arrays, "given_label")
    if "predicted_probabilities" in arrays:
        if given_N is None:
            raise ValueError("predicted_probabilities needs given_label beside it")
        loss_N, margin_N, suggested_N = _from_probabilities(arrays["predicted_probabilities"], given_N)
    elif "loss" in arrays:
        if not np.issubdtype(arrays["loss"].dtype, np.number) or np.iscomplexobj(arrays["loss"]):
            raise ValueError(f"loss must be numbers, found {arrays['loss'].dtype}")
        loss_N = np.asarray(arrays["loss"], dtype=np.float64)
        if loss_N.ndim != 1:
            raise ValueError(f"loss must be a vector, found shape {loss_N.shape}")
        margin_N = np.full(loss_N.shape, np.nan)
        suggested_N = np.full(loss_N.shape, -1, dtype=np.int64) if given_N is None else given_N
    else:
        raise ValueError(
            "the file must hold given_label and predicted_probabilities, or loss; "
            f"found {', '.join(arrays) or 'nothing'}"
        )
    true_N = _labels(arrays, "true_label")
    for name, label_N in (("given_label", given_N), ("true_label", true_N)):
        if label_N is not None and label_N.shape != loss_N.shape:
            raise ValueError(f"{name} has {label_N.size} entries, the losses {loss_N.size}")
    assessment: Assessment
    if "predicted_probabilities" in arrays and given_N is not None:
        assessment = assess_probabilities(arrays["predicted_probabilities"], given_N)
    else:
        assessment = assess(loss_N, given_N)
    document = assessment.describe()
    if true_N is not None:
        if given_N is None:
            raise ValueError("true_label needs given_label beside it")
        document["metrics"] = detection_metrics(
            given_N != true_N, assessment.noise_posterior_N, assessment.flagged_N
        )
    return document, {
        "noise_posterior": assessment.noise_posterior_N,
        "suggested_label": suggested_N,
        "loss": loss_N,
        "margin": margin_N,
        "flagged": assessment.flagged_N,
    }


def _labels(arrays: dict[str, NDArray[Any]], name: str) -> NDArray[np.int64] | None:
    if name not in arrays:
        return None
    label_N = arrays[name]
    if label_N.ndim != 1 or not np.issubdtype(label_N.dtype, np.integer):
        raise ValueError(f"{name} must be a vector of whole numbers, found {label_N.dtype} {label_N.shape}")
    return label_N.astype(np.int64)


def _from_probabilities(
    probabilities: NDArray[Any], given_N: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Loss, margin of log-probabilities, and most likely class (N,) each."""
    if not np.issubdtype(probabilities.dtype, np.number) or np.iscomplexobj(probabilities):
        raise ValueError(f"predicted_probabilities must be numbers, found {probabilities.dtype}")
    probability_NC = np.asarray(probabilities, dtype=np.float64)
    if probability_NC.ndim != 2 or probability_NC.shape[1] < 2 or len(probability_NC) != len(given_N):
        raise ValueError(
            f"predicted_probabilities must be {len(given_N)} × classes (2 or more), found {probability_NC.shape}"
        )
    if not np.isfinite(probability_NC).all() or (probability_NC.size and probability_NC.min() < 0.0):
        raise ValueError("predicted_probabilities must be at least 0 and finite")
    classes = probability_NC.shape[1]
    if given_N.size and not (int(given_N.min()) >= 0 and int(given_N.max()) < classes):
        raise ValueError(
            f"given_label must lie in 0 … {classes - 1}, found {given_N.min()} … {given_N.max()}"
        )
    # Probabilities of exactly 0 come from rounding; the smallest single-precision number stands for them.
    log_NC = np.log(np.maximum(probability_NC, 1.2e-38))
    row_N = np.arange(len(given_N))
    given_log_N = log_NC[row_N, given_N].copy()
    suggested_N = log_NC.argmax(axis=1)
    log_NC[row_N, given_N] = -np.inf
    return -given_log_N, given_log_N - log_NC.max(axis=1), suggested_N


if __name__ == "__main__":
    sys.exit(main())
