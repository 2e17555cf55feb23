"""One dataset from its source to stored images and rows: import, built-in demo, or planted noise.

`python -m worker.prepare DATASET CLAIM`; started by `worker.jobs`, one process per dataset.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.audit.errors import BadInput
from backend.settings import Settings
from backend.store import annotators, claims, datasets, keeping, selftests, uploads
from backend.store.artifacts import Artifacts
from backend.store.tables import Dataset
from worker.claimed import Claimed
from worker.delivered import delivered
from worker.door import Stopped, enter
from worker.ingest import Cancelled, Source
from worker.ingest.importing import import_images
from worker.ingest.relabelling import read_labels
from worker.ingest.writing import MISSING, Imported
from worker.noise.inject import inject
from worker.scratch import scratch_folder

OF_LABELS = ("planted", "annotations", "similar")
"""What a report says of labels or of a search, which a version with other labels does not take over."""
STORED = 0.95
"""Share of an import that is done when the images are decoded; storing is the rest."""


class Preparation:
    """What preparing one dataset needs in hand."""

    def __init__(
        self, settings: Settings, artifacts: Artifacts, claimed: Claimed, dataset: Dataset, folder: Path
    ) -> None:
        self.settings, self.artifacts, self.claimed, self.dataset = settings, artifacts, claimed, dataset
        self.source: dict[str, Any] = dataset.source
        self.directory = folder

    def go(self) -> None:
        """Do what the source asks for."""
        kinds: dict[str, Callable[[], None]] = {
            "upload": self.import_upload,
            "folder": self.import_folder,
            "builtin": self.import_digits,
            "injection": self.inject,
            "labels": self.relabel,
        }
        kinds[self.source["kind"]]()

    # --- where images come from ------------------------------------------------------------------

    def import_upload(self) -> None:
        """Import what somebody uploaded; the upload's bytes are dropped once the dataset stands."""
        self.claimed.progress(force=True, stage="fetch", message="Opening the upload")
        with delivered(self.source, self.settings, self.artifacts, self.directory) as source:
            self.store(source)
        keeping.drop(self.claimed.database, self.artifacts, uploads.key(self.source["upload_id"]))

    def import_folder(self) -> None:
        """Import a folder of this server."""
        with delivered(self.source, self.settings, self.artifacts, self.directory) as source:
            self.store(source)

    def import_digits(self) -> None:
        """The demo: scikit-learn's handwritten digits, with symmetric noise planted."""
        # Only the demo needs scikit-learn, which takes a second to load.
        from worker.digits import DigitsSource

        rate, seed = float(self.source["noise_rate"]), int(self.source["seed"])

        def plant(true_label_N: np.ndarray[Any, Any], classes: int) -> np.ndarray[Any, Any]:
            return inject(true_label_N, classes, "symmetric", rate, np.random.default_rng(seed))

        self.store(DigitsSource(), plant)

    # --- storing ---------------------------------------------------------------------------------

    def store(
        self,
        source: Source,
        plant: Callable[[np.ndarray[Any, Any], int], np.ndarray[Any, Any]] | None = None,
    ) -> None:
        """Decode everything, store the artifacts, then publish the rows in one transaction."""

        def advance(done: int, total: int) -> None:
            self.claimed.progress(
                stage="import",
                done=done,
                total=total,
                fraction=STORED * done / max(total, 1),
                message=f"Read {done:,} of {total:,} images",
            )

        packed = self.directory / "packed"
        try:
            imported = import_images(
                source,
                packed,
                limits=self.settings.limits,
                limit=self.source.get("limit"),
                all_or_nothing=bool(self.source.get("all_or_nothing", False)),
                progress=advance,
                should_stop=self.claimed.should_stop,
            )
        except Cancelled as cancelled:
            raise Stopped from cancelled
        self.claimed.progress(force=True, stage="store", fraction=STORED, message="Storing the images")
        self.artifacts.upload_folder(packed, f"datasets/{self.dataset.content_id}/")
        label_N = imported.given_label_N
        given_N, true_N = label_N, imported.true_label_N
        if plant is not None:
            given_N, true_N = plant(label_N, len(imported.classes)), label_N
        self.publish(imported, given_N, true_N)

    def publish(
        self, imported: Imported, given_N: np.ndarray[Any, Any], true_N: np.ndarray[Any, Any] | None
    ) -> None:
        """Rows, counts and the status `ready`, atomically and fenced."""
        self.finish(
            names=imported.names,
            given_N=given_N,
            true_N=true_N,
            hashes=imported.content_hash,
            width_N=imported.width_N,
            height_N=imported.height_N,
            split=imported.split,
            classes=imported.classes,
            image_shape=list(imported.image_shape),
            report=imported.report,
            annotated=(imported.annotation_NA, imported.annotators) if imported.annotators else None,
        )

    def inject(self) -> None:
        """A derived dataset: the parent's images, its labels as true labels, and noise planted on them."""
        self.claimed.progress(force=True, stage="inject", fraction=0.1, message="Planting noise")
        with self.claimed.database.transaction() as session:
            parent = datasets.get(session, self.dataset.owner_id, str(self.dataset.parent_id))
            rows = datasets.samples(session, parent.id)
            classes, shape, report = parent.classes, parent.image_shape, parent.report
        true_N = rows.true_label_N if rows.true_label_N is not None else rows.given_label_N
        kind, matrix = str(self.source["noise"]), self.source.get("matrix")
        try:
            given_N = inject(
                true_N,
                len(classes),
                kind,
                float(self.source.get("rate") or 0.0),
                np.random.default_rng(int(self.source["seed"])),
                matrix=None if matrix is None else np.asarray(matrix, dtype=np.float64),
                feature=self.pixels() if kind == "instance" else None,
            )
        except ValueError as error:
            raise BadInput("INVALID", str(error), hint="Correct the noise rate or the matrix.") from error
        self.finish(
            names=rows.names,
            given_N=given_N,
            true_N=true_N,
            hashes=rows.content_hash,
            width_N=rows.width_N,
            height_N=rows.height_N,
            split=rows.split,
            classes=classes,
            image_shape=shape,
            report={**report, "planted": {"kind": kind, "share_wrong": float(np.mean(given_N != true_N))}},
        )

    def relabel(self) -> None:
        """A version: the parent's images under the labels of a table."""
        self.claimed.progress(force=True, stage="labels", fraction=0.1, message="Reading the labels")
        with self.claimed.database.transaction() as session:
            parent = datasets.get(session, self.dataset.owner_id, str(self.dataset.parent_id))
            rows = datasets.samples(session, parent.id)
            classes, shape, report = parent.classes, parent.image_shape, parent.report
        path = self.directory / f"labels{Path(self.source['filename']).suffix.lower()[:16]}"
        key = f"uploads/{self.source['upload_id']}"
        self.artifacts.download(key, path)
        given_N = read_labels(
            path,
            names_N=rows.names,
            classes=classes,
            given_N=rows.given_label_N,
            limits=self.settings.limits,
        )
        kept = {name: said for name, said in report.items() if name not in OF_LABELS}
        self.finish(
            names=rows.names,
            given_N=given_N,
            true_N=rows.true_label_N,
            hashes=rows.content_hash,
            width_N=rows.width_N,
            height_N=rows.height_N,
            split=rows.split,
            classes=classes,
            image_shape=shape,
            report={**kept, "relabelled": int((given_N != rows.given_label_N).sum())},
        )
        keeping.drop(self.claimed.database, self.artifacts, key)

    def pixels(self) -> np.ndarray[Any, Any]:
        """The parent's training pixels as rows, float32 in [0, 1]: what instance-dependent noise looks at."""
        path = self.directory / "pixels.npy"
        self.artifacts.download(f"datasets/{self.dataset.content_id}/pixels.npy", path)
        image_NHWC = np.load(path, mmap_mode="r", allow_pickle=False)
        flat_ND: np.ndarray[Any, Any] = image_NHWC.reshape(len(image_NHWC), -1).astype(np.float32) / 255
        return flat_ND

    def finish(
        self,
        *,
        names: list[str],
        given_N: np.ndarray[Any, Any],
        true_N: np.ndarray[Any, Any] | None,
        hashes: list[str],
        width_N: np.ndarray[Any, Any],
        height_N: np.ndarray[Any, Any],
        split: Sequence[str | None],
        classes: list[str],
        image_shape: list[int],
        report: dict[str, Any],
        annotated: tuple[np.ndarray[Any, Any], list[str]] | None = None,
    ) -> None:
        """Publish the rows, and what annotators said beside them; from here on the dataset is ready."""
        counts = np.bincount(given_N, minlength=len(classes)).tolist()

        def write() -> None:
            with self.claimed.database.transaction() as session:
                datasets.publish_samples(
                    session,
                    self.dataset.id,
                    names=names,
                    given_label_N=given_N,
                    true_label_N=true_N,
                    content_hash=hashes,
                    width_N=width_N,
                    height_N=height_N,
                    split=split,
                )
                claims.finish(
                    session,
                    Dataset,
                    self.dataset.id,
                    self.claimed.claim_id,
                    status="ready",
                    classes=classes,
                    class_counts=counts,
                    sample_count=len(given_N),
                    image_shape=image_shape,
                    has_true_labels=true_N is not None and bool((true_N != MISSING).all()),
                    report={**report, "class_counts": counts},
                    progress={"stage": "done", "fraction": 1.0},
                )
                if annotated is not None:
                    kept = datasets.load(session, self.dataset.id)
                    annotators.keep(session, self.artifacts, kept, *annotated)
                # In this transaction, or a crash could leave a self-test without its run, or with two.
                selftests.queue_run(session, self.dataset.id)

        self.claimed.patiently(write)


def prepare(settings: Settings, artifacts: Artifacts, claimed: Claimed, dataset: Dataset) -> None:
    """Prepare one claimed dataset."""
    with scratch_folder(settings.data, f"dataset-{dataset.id}-{claimed.claim_id}") as folder:
        Preparation(settings, artifacts, claimed, dataset, folder).go()


if __name__ == "__main__":
    sys.exit(enter(Dataset, prepare, sys.argv[1:]))
