"""One dataset from its source to stored images and rows: an import, the built-in demo, or one derived from another.

`python -m worker.prepare DATASET CLAIM`; started by `worker.jobs`, one process per dataset.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from backend.settings import Settings
from backend.store import keeping, uploads
from backend.store.artifacts import Artifacts
from backend.store.datasets import SampleColumns
from backend.store.tables import Dataset
from worker.claimed import Claimed
from worker.delivered import delivered
from worker.derived import append, plant_noise, relabel
from worker.door import enter
from worker.ingest.writing import Imported
from worker.noise.inject import inject
from worker.preparing import Prepare, Preparing, samples_of
from worker.scratch import scratch_folder


def import_delivery(job: Preparing) -> None:
    """Import an upload, whose bytes are dropped once the dataset stands, or a folder of this server."""
    job.claimed.progress(force=True, stage="fetch", message="Opening the files")
    with delivered(job.source, job.settings, job.claimed.database, job.artifacts, job.folder) as source:
        imported = job.decode(source)
    _publish(job, imported, samples_of(imported))
    if "upload_id" in job.source:
        keeping.drop(job.claimed.database, job.artifacts, uploads.key(job.source["upload_id"]))


def import_digits(job: Preparing) -> None:
    """The demo: scikit-learn's handwritten digits, with symmetric noise planted."""
    # Only the demo needs scikit-learn, which takes a second to load.
    from worker.digits import DigitsSource

    imported = job.decode(DigitsSource())
    rate, seed = float(job.source["noise_rate"]), int(job.source["seed"])
    true_N = imported.given_label_N
    given_N = inject(true_N, len(imported.classes), "symmetric", rate, np.random.default_rng(seed))
    _publish(
        job,
        imported,
        replace(samples_of(imported), given_label_N=given_N.astype(np.int32), true_label_N=true_N),
    )


def _publish(job: Preparing, imported: Imported, samples: SampleColumns) -> None:
    job.ready(
        samples,
        classes=imported.classes,
        image_shape=list(imported.image_shape),
        report=imported.report,
        annotated=(imported.annotation_NA, imported.annotators) if imported.annotators else None,
    )


KINDS: dict[str, Prepare] = {
    "upload": import_delivery,
    "folder": import_delivery,
    "builtin": import_digits,
    "injection": plant_noise,
    "labels": relabel,
    "append": append,
}
"""By the kind of a dataset's source."""


def prepare(settings: Settings, artifacts: Artifacts, claimed: Claimed, dataset: Dataset) -> None:
    """Prepare one claimed dataset."""
    with scratch_folder(settings.data, f"dataset-{dataset.id}-{claimed.claim_id}") as folder:
        KINDS[dataset.source["kind"]](Preparing(settings, artifacts, claimed, dataset, folder))


if __name__ == "__main__":
    sys.exit(enter(Dataset, prepare, sys.argv[1:]))
