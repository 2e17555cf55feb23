"""Numbers of a run and its decisions → the tables people take away, by column, and what files say of themselves. Pure.

Shape letters: N samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.audit.cleaning import BECAUSE, REMOVED, Cleaned, CleaningCounts, Standing, Unreviewed

Exported = Literal["cleaned-labels", "samples", "scores", "dataset", "embedding", "model", "report"]
"""Every kind of file to take away; the first three are tables."""

INPUT_LINE = "a line of each sample: image's SHA-256, tab, given label, tab, name, newline"
DECISION_LINE = (
    "a line of each decision that stands: sample index, tab, verdict, tab, class index or nothing, newline"
)


class Together(NamedTuple):
    """What several annotators say of each sample; a label of −1 is none."""

    agreement_N: NDArray[Any]
    majority_N: NDArray[Any]
    consensus_N: NDArray[Any]


class Audit(NamedTuple):
    """One run on one dataset, whole, as columns by sample index."""

    names: Sequence[str]
    classes: Sequence[str]
    given_N: NDArray[Any]
    true_N: NDArray[Any] | None
    suggested_N: NDArray[Any]
    noise_posterior_N: NDArray[Any]
    loss_N: NDArray[Any]
    margin_N: NDArray[Any]
    flagged_N: NDArray[Any]
    standing: Standing
    annotated: Together | None = None
    split: Sequence[str | None] | None = None
    """Where each sample came from; None where the dataset has no splits."""


def cleaned_labels_table(audit: Audit, cleaned: Cleaned) -> pa.Table:
    """`index, name, given_label, cleaned_label, changed, because`, and `split` where there are splits.

    A removed sample has no cleaned label.
    """
    columns = {
        "index": np.arange(len(audit.given_N), dtype=np.int64),
        "name": pa.array(audit.names, pa.string()),
        "given_label": _named(audit.given_N, audit.classes),
        "cleaned_label": _named(cleaned.label_N, audit.classes),
        "changed": cleaned.label_N != np.asarray(audit.given_N),
        "because": pa.array(np.asarray(BECAUSE, dtype=object)[cleaned.because_N], pa.string()),
    }
    return pa.table(columns | _split(audit))


def samples_table(audit: Audit, cleaned: Cleaned) -> pa.Table:
    """Everything the run says, one row per sample; annotators' columns, `split` and `true_label` last, and only where known."""
    decision_N = np.full(len(audit.given_N), None, dtype=object)
    for index, (verdict, *_) in audit.standing.items():
        decision_N[index] = None if verdict == "cleared" else verdict
    columns: dict[str, Any] = {
        "index": np.arange(len(audit.given_N), dtype=np.int64),
        "name": pa.array(audit.names, pa.string()),
        "given_label": _named(audit.given_N, audit.classes),
        "suggested_label": _named(audit.suggested_N, audit.classes),
        "noise_posterior": np.asarray(audit.noise_posterior_N, dtype=np.float64),
        "loss": np.asarray(audit.loss_N, dtype=np.float32),
        "margin": np.asarray(audit.margin_N, dtype=np.float32),
        "flagged": np.asarray(audit.flagged_N, dtype=bool),
        "decision": pa.array(decision_N, pa.string()),
        "cleaned_label": _named(cleaned.label_N, audit.classes),
    }
    if audit.annotated is not None:
        columns |= {
            "annotator_agreement": np.asarray(audit.annotated.agreement_N, dtype=np.float32),
            "majority_label": _named(audit.annotated.majority_N, audit.classes),
            "consensus_label": _named(audit.annotated.consensus_N, audit.classes),
        }
    columns |= _split(audit)
    if audit.true_N is not None:
        columns["true_label"] = _named(audit.true_N, audit.classes)
    return pa.table(columns)


def _split(audit: Audit) -> dict[str, Any]:
    return {} if audit.split is None else {"split": pa.array(audit.split, pa.string())}


def scores_table(audit: Audit, cleaned: Cleaned, scores: Mapping[str, NDArray[Any]]) -> pa.Table:
    """The samples' columns, and behind them every score by its name, each (N,)."""
    table = samples_table(audit, cleaned)
    for name, score_N in scores.items():
        table = table.append_column(name, pa.array(score_N))
    return table


def input_hash(
    names: Sequence[str], classes: Sequence[str], given_N: NDArray[Any], sha256_N32: NDArray[np.uint8]
) -> str:
    """SHA-256 of the dataset as it came, made of what INPUT_LINE says."""
    digest = hashlib.sha256()
    for name, given, image in zip(names, given_N.tolist(), sha256_N32, strict=True):
        digest.update(f"{image.tobytes().hex()}\t{classes[given]}\t{name}\n".encode())
    return digest.hexdigest()


def decisions_hash(standing: Standing) -> str:
    """SHA-256 of the decisions that stand, made of what DECISION_LINE says."""
    lines = (
        f"{index}\t{verdict}\t{'' if label is None else label}\n"
        for index, (verdict, label, *_) in sorted(standing.items())
        if verdict != "cleared"
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def manifest(
    what: Exported,
    *,
    unreviewed: Unreviewed,
    counts: CleaningCounts,
    dataset: dict[str, Any],
    run: dict[str, Any],
    as_of: datetime,
    input_sha256: str,
    decisions_sha256: str,
    version: str,
) -> dict[str, Any]:
    """What a file needs to be understood alone: where from, by which run, decisions and policy, and the counts.

    `as_of` is the time of the newest decision or, without one, of the run's end: not of the
    download, so the same state gives the same file to the byte.
    """
    return {
        "format": "noise-audit export 1",
        "what": what,
        "as_of": as_of.isoformat(),
        "version": version,
        "unreviewed": unreviewed,
        "input": {"sha256": input_sha256, "of": INPUT_LINE},
        "decisions": {"sha256": decisions_sha256, "of": DECISION_LINE},
        "dataset": dataset,
        "run": run,
        "counts": counts._asdict(),
    }


def _named(label_N: NDArray[Any], classes: Sequence[str]) -> pa.Array:
    """Class indices as class names; REMOVED and other negatives have none."""
    label_N = np.asarray(label_N)
    names = np.asarray([*classes, None], dtype=object)
    return pa.array(names[np.where(label_N <= REMOVED, len(classes), label_N)], pa.string())
