"""Groups of images that are nearly the same: searched for by a job, kept as an artifact, named in the dataset's report.

Shape letters: G groups, M members of all groups.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.store import datasets, jobs
from backend.store.artifacts import Artifacts

KEY = "similar"
"""In a dataset's report: {status: searching|done|failed, groups, samples, error?}. (`duplicates` there counts equal files.)"""
SEARCH = "worker.jobs.find_duplicates"


class Groups(NamedTuple):
    """Group g is member_M[begin_G1[g] : begin_G1[g + 1]], sample indices, ascending."""

    member_M: NDArray[np.int32]
    begin_G1: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return self.member_M.nbytes + self.begin_G1.nbytes


def ask(session: Session, dataset_id: str) -> dict[str, Any]:
    """Have a worker search; asking twice is asking once. Gives the report."""
    jobs.enqueue(session, SEARCH, queue=jobs.IMPORT, key=f"duplicates:{dataset_id}", dataset_id=dataset_id)
    report = {"status": "searching"}
    datasets.write_report(session, dataset_id, KEY, report)
    return report


def keep(
    session: Session,
    artifacts: Artifacts,
    dataset_id: str,
    member_M: NDArray[np.int32],
    begin_G1: NDArray[np.int64],
) -> None:
    """Keep what was found; the same images have the same groups, so keeping twice is keeping once."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, member=member_M, begin=begin_G1)
    artifacts.put(_key(dataset_id), file.getvalue(), replace=True)
    report = {"status": "done", "groups": len(begin_G1) - 1, "samples": len(member_M)}
    datasets.write_report(session, dataset_id, KEY, report)


def fail(session: Session, dataset_id: str, error: dict[str, Any]) -> None:
    """Say why nothing was found."""
    datasets.write_report(session, dataset_id, KEY, {"status": "failed", "error": error})


def load(artifacts: Artifacts, dataset_id: str) -> Groups:
    """What was found. Raises NotFound."""
    with np.load(io.BytesIO(artifacts.get(_key(dataset_id))), allow_pickle=False) as file:
        return Groups(file["member"], file["begin"])


def _key(dataset_id: str) -> str:
    return f"datasets/{dataset_id}/similar.npz"
