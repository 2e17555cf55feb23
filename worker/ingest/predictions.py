"""Predicted probabilities that people bring, checked and in the dataset's order of classes; knows no network and no store.

Shape letters: N samples, C classes, B rows of a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.matrices import Matrix, read_matrix
from worker.ingest.names import shown

PROBABILITIES = ("predicted_probabilities", "probabilities", "pred_probs", "predictions", "probs")
LOGITS = ("logits", "predicted_logits")
"""Names of arrays; one called logits says what it holds."""
SUM_TOLERANCE = 0.01
"""Half precision over a thousand classes still sums to 1 within this."""
_PREFIXES = (
    "p_",
    "prob_",
    "proba_",
    "probability_",
    "probabilities_",
    "pred_",
    "logit_",
    "logits_",
    "class_",
    "score_",
    "p",
)
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Predictions:
    """Probabilities by sample index and class, float32 (N, C), each row summing to 1; `notes` say in sentences what was
    taken for granted on the way."""

    probability_NC: NDArray[np.float32]
    notes: tuple[str, ...]


def read_predictions(
    path: Path, *, names_N: Sequence[str], classes: Sequence[str], logits: bool, limits: Limits
) -> Predictions:
    """The predictions of a file for the samples called `names_N`; with `logits` their softmax.

    Columns that are named like the classes are taken by name, wherever they stand; otherwise they must be as many as the
    classes, in their order. Raises BadInput PROBS_INVALID, LABEL_UNKNOWN, and what `read_matrix` raises.
    """
    matrix = read_matrix(
        path, names_N, arrays=(*PROBABILITIES, *LOGITS), what="Predictions", most_columns=limits.classes + 64, limits=limits
    )  # fmt: skip
    notes = []
    place_C = _places(matrix, classes)
    if place_C is None:
        if matrix.value_ND.shape[1] != len(classes):
            raise _wrong_classes(matrix, classes)
        notes.append(
            f"The file does not name its columns: they were taken for {_listed(classes)}, in this order."
        )
        value_NC = matrix.value_ND
    else:
        value_NC = matrix.value_ND[:, place_C]
    if logits or matrix.array in LOGITS:
        probability_NC = np.empty_like(value_NC)
        for block, value_BC in _blocks(value_NC):
            probability_NC[block] = _softmax(value_BC, block.start)
    else:
        probability_NC = np.empty_like(value_NC)
        for block, value_BC in _blocks(value_NC):
            probability_NC[block] = _normalised(value_BC, block.start)
    if matrix.by is None:
        notes.append("Rows were taken in the order of the samples.")
    return Predictions(probability_NC, tuple(notes))


def _places(matrix: Matrix, classes: Sequence[str]) -> list[int] | None:
    """The column of each class; None where names do not tell."""
    if matrix.columns is None:
        return None
    for prefix in ("", *_PREFIXES):
        place = {
            name.removeprefix(prefix): number
            for number, name in enumerate(matrix.columns)
            if name.startswith(prefix)
        }
        if all(name in place for name in classes):
            return [place[name] for name in classes]
        numbered = [str(label) for label in range(len(classes))]
        if all(name in place for name in numbered):
            return [place[name] for name in numbered]
    unknown = [name for name in matrix.columns if name not in classes]
    missing = [name for name in classes if name not in matrix.columns]
    if len(missing) < len(classes) or len(matrix.columns) == len(classes):
        raise BadInput(
            "LABEL_UNKNOWN",
            f"There is no column for the class {shown(missing[0])}.",
            hint="Columns are named like the dataset's classes, or numbered from 0 in their order.",
            limit=_listed(classes),
            found=shown(", ".join(unknown[:10])),
        )
    raise _wrong_classes(matrix, classes)


def _wrong_classes(matrix: Matrix, classes: Sequence[str]) -> BadInput:
    return BadInput(
        "PROBS_INVALID",
        "The predictions have another number of classes than the dataset.",
        hint=f"The dataset's classes are {_listed(classes)}.",
        limit=len(classes),
        found=matrix.value_ND.shape[1],
    )


def _blocks(value_NC: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    rows = max(1, _BLOCK // value_NC.shape[1])
    for begin in range(0, len(value_NC), rows):
        block = slice(begin, min(begin + rows, len(value_NC)))
        yield block, value_NC[block].astype(np.float64)


def _softmax(value_BC: NDArray[np.float64], begin: int) -> NDArray[np.float64]:
    _check_finite(value_BC, begin)
    value_BC = np.exp(value_BC - value_BC.max(axis=1, keepdims=True))
    softmax_BC: NDArray[np.float64] = value_BC / value_BC.sum(axis=1, keepdims=True)
    return softmax_BC


def _normalised(value_BC: NDArray[np.float64], begin: int) -> NDArray[np.float64]:
    _check_finite(value_BC, begin)
    sum_B = value_BC.sum(axis=1)
    outside_B = (value_BC < 0).any(axis=1) | (np.abs(sum_B - 1.0) > SUM_TOLERANCE)
    if outside_B.any():
        row = int(outside_B.argmax())
        lowest = float(value_BC[row].min())
        raise BadInput(
            "PROBS_INVALID",
            "Predicted probabilities must be at least 0 and sum to 1 in each row.",
            hint="If these are logits, say so: --logits, or the choice on the page.",
            item=f"sample {begin + row}",
            limit="0 to 1, sum 1",
            found=f"{lowest:.4g}" if lowest < 0 else f"sum {sum_B[row]:.4g}",
        )
    normalised_BC: NDArray[np.float64] = value_BC / sum_B[:, None]
    return normalised_BC


def _check_finite(value_BC: NDArray[np.float64], begin: int) -> None:
    broken_B = ~np.isfinite(value_BC).all(axis=1)
    if broken_B.any():
        row = int(broken_B.argmax())
        found = value_BC[row][~np.isfinite(value_BC[row])][0]
        raise BadInput(
            "PROBS_INVALID",
            "Predictions must be finite numbers, one for each class.",
            hint="Every sample needs a prediction; missing cells count as not a number.",
            item=f"sample {begin + row}",
            found=str(found),
        )


def _listed(classes: Sequence[str]) -> str:
    first = ", ".join(shown(name) for name in classes[:10])
    return first if len(classes) <= 10 else f"{first}, … ({len(classes)} classes)"
