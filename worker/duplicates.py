"""The search for duplicates of one dataset, from its pixels to the stored groups.

`python -m worker.duplicates DATASET`; started by `worker.jobs`. Groups follow from the images alone, so a search that is
delivered twice writes the same twice and needs no claim.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from backend.settings import Settings
from backend.store import datasets, duplicates
from backend.store.artifacts import Artifacts
from backend.store.database import Database, patiently
from worker.door import error_json
from worker.embedding.duplicates import alike, candidates, groups, hashes
from worker.outages import outlasting

log = logging.getLogger(__name__)


def search(database: Database, artifacts: Artifacts, dataset_id: str, folder: Path) -> None:
    """Find and store the groups; what equal bytes have in common is a group even where pixels were not compared."""
    with database.transaction() as session:
        dataset = datasets.load(session, dataset_id)
        content_id = dataset.content_id
        content_hash = datasets.samples(session, dataset_id).content_hash
    path = folder / "pixels.npy"
    artifacts.download(f"datasets/{content_id}/pixels.npy", path)
    image_NHWC = np.load(path, mmap_mode="r", allow_pickle=False)
    pair_P2 = candidates(hashes(image_NHWC))
    near_P2 = pair_P2[alike(image_NHWC, pair_P2)]
    _, same_N = np.unique(np.array(content_hash), return_inverse=True)
    order_N = np.argsort(same_N, kind="stable")
    equal = same_N[order_N[1:]] == same_N[order_N[:-1]]
    equal_P2 = np.stack([order_N[:-1][equal], order_N[1:][equal]], axis=1)
    found = groups(np.concatenate([near_P2, equal_P2]), len(image_NHWC))
    with database.transaction() as session:
        duplicates.keep(session, artifacts, dataset_id, found.member_M, found.begin_G1)


def _fail(database: Database, dataset_id: str, error: dict[str, Any]) -> None:
    with database.transaction() as session:
        duplicates.fail(session, dataset_id, error)


def main(arguments: list[str]) -> int:
    """Search the dataset named; whatever goes wrong is written in its report. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    settings, (dataset_id,) = Settings(), arguments
    database = Database(settings.database_url)
    try:
        scratch = settings.data / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="duplicates-") as folder:
            artifacts = Artifacts.open(settings.artifacts, settings.data)
            outlasting(lambda: search(database, artifacts, dataset_id, Path(folder)), database, artifacts)
    except Exception as error:
        log.exception("search for duplicates of %s failed", dataset_id)
        told = error_json(error)
        patiently(lambda: _fail(database, dataset_id, told))
        return 1
    finally:
        database.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
