"""The search for duplicates, from a dataset to its groups, and what is said when it fails."""

from __future__ import annotations

import io

import numpy as np

from backend.settings import Settings
from backend.store import datasets, duplicates
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from worker.duplicates import main


def test_copies_among_the_digits_are_found_and_a_lost_file_is_said(
    digits: str, settings: Settings, database: Database, artifacts: Artifacts
) -> None:
    key = f"datasets/{digits}/pixels.npy"
    image_NHWC = np.load(io.BytesIO(artifacts.get(key)))
    image_NHWC[1000:1010] = image_NHWC[:10]
    file = io.BytesIO()
    np.save(file, image_NHWC)
    artifacts.put(key, file.getvalue(), replace=True)
    assert main([digits]) == 0
    found = duplicates.load(artifacts, digits)
    pairs = {tuple(part.tolist()) for part in np.split(found.member_M, found.begin_G1[1:-1])}
    assert sum(any({n, 1000 + n} <= set(group) for group in pairs) for n in range(10)) == 10
    with database.transaction() as session:
        report = datasets.load(session, digits).report[duplicates.KEY]
    assert (report["status"], report["groups"]) == ("done", len(pairs))
    assert len(found.member_M) < 200, "digits are alike, but not so many"

    artifacts.delete(key)
    assert main([digits]) == 1
    with database.transaction() as session:
        report = datasets.load(session, digits).report[duplicates.KEY]
    assert (report["status"], report["error"]["code"]) == ("failed", "ARTIFACT_MISSING")
