"""Annotators' labels of a dataset and what they say together: kept as one artifact, named in the dataset's report.

Shape letters: N samples, A annotators.
"""

from __future__ import annotations

import hashlib
import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.audit.annotators import NONE, consensus, votes
from backend.store import datasets
from backend.store.artifacts import Artifacts
from backend.store.tables import Dataset

KEY = "annotations"
"""In a dataset's report: {id, annotators: [{name, labels, accuracy}], annotated, unanimous, differing}."""


class AnnotatorLabels(NamedTuple):
    """By sample index; meanings as in `audit.annotators`. Without a consensus its arrays repeat the majority."""

    annotators: list[str]
    label_NA: NDArray[np.int32]
    majority: NDArray[np.int32]
    agreement: NDArray[np.float32]
    consensus: NDArray[np.int32]
    probability: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return sum(array.nbytes for array in self[1:])


def keep(
    session: Session,
    artifacts: Artifacts,
    dataset: Dataset,
    label_NA: NDArray[np.int32],
    annotators: list[str],
) -> dict[str, Any]:
    """Keep the labels, and with them majority and consensus; they take the place of those kept before. Gives the report."""
    found, counted = consensus(label_NA, len(dataset.classes)), votes(label_NA, len(dataset.classes))
    given_N, _ = datasets.labels(session, dataset.id)
    arrays: dict[str, NDArray[Any]] = {
        "label": label_NA,
        "majority": counted.majority,
        "agreement": counted.agreement,
        "consensus": counted.majority if found is None else found.label,
        "probability": counted.agreement if found is None else found.probability,
        "annotators": np.array(annotators),
    }
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    version = hashlib.sha256(file.getvalue()).hexdigest()[:32]
    artifacts.put(_key(dataset.id, version), file.getvalue())
    annotated_N = counted.voters > 0
    report = {
        "id": version,
        "annotators": [
            {
                "name": name,
                "labels": int((label_N != NONE).sum()),
                "accuracy": None if found is None else float(found.accuracy[place]),
            }
            for place, (name, label_N) in enumerate(zip(annotators, label_NA.T, strict=True))
        ],
        "annotated": int(annotated_N.sum()),
        "unanimous": int((counted.agreement[annotated_N] == 1).sum()),
        "differing": int((annotated_N & (arrays["consensus"] != given_N)).sum()),
    }
    datasets.write_report(session, dataset.id, KEY, report)
    return report


def load(artifacts: Artifacts, dataset_id: str, version: str) -> AnnotatorLabels:
    """What was kept. Raises NotFound."""
    with np.load(io.BytesIO(artifacts.get(_key(dataset_id, version))), allow_pickle=False) as file:
        return AnnotatorLabels(
            [str(name) for name in file["annotators"]],
            *(file[name] for name in ("label", "majority", "agreement", "consensus", "probability")),
        )


def version_of(dataset: Dataset) -> str | None:
    """The id of the annotations that a dataset has now; None when it has none."""
    found = dataset.report.get(KEY)
    return str(found["id"]) if found else None


def _key(dataset_id: str, version: str) -> str:
    return f"datasets/{dataset_id}/annotations/{version}.npz"
