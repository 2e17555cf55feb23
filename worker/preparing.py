"""One dataset while it is prepared: its claim, its parent, its folder, and how it becomes ready. No source, no rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from backend.settings import Settings
from backend.store import annotators, claims, datasets, deciding, keeping, selftests
from backend.store.artifacts import Artifacts
from backend.store.database import patiently
from backend.store.datasets import SampleColumns
from backend.store.tables import Dataset
from worker.claimed import Claimed
from worker.door import Stopped
from worker.ingest import Cancelled, Source
from worker.ingest.importing import import_images
from worker.ingest.writing import MISSING, Imported, Onto

STORED = 0.95
"""Share of an import that is done when the images are decoded; storing is the rest."""

Annotated = tuple[NDArray[np.int32], list[str]]
"""What annotators say (N, A), MISSING where one says nothing, and their names."""


class Parent(NamedTuple):
    """The dataset that another one is derived from, as it stood."""

    row: Dataset
    samples: SampleColumns


class Preparing:
    """A claimed dataset, and the folder in which it comes together."""

    def __init__(
        self, settings: Settings, artifacts: Artifacts, claimed: Claimed, dataset: Dataset, folder: Path
    ) -> None:
        self.settings, self.artifacts, self.claimed, self.dataset = settings, artifacts, claimed, dataset
        self.source: dict[str, Any] = dataset.source
        self.folder = folder
        self.packed = folder / "packed"

    def parent(self) -> Parent:
        """What it is derived from. Raises NotFound when that is gone."""
        with self.claimed.database.transaction() as session:
            row = datasets.get(session, self.dataset.owner_id, str(self.dataset.parent_id))
            samples = datasets.samples(session, row.id)
            session.expunge(row)
        return Parent(row, samples)

    def decode(self, source: Source, onto: Onto | None = None) -> Imported:
        """Read and check all images of the source, and store what came of it under the dataset's content."""

        def advance(done: int, total: int) -> None:
            self.claimed.progress(
                stage="import",
                done=done,
                total=total,
                fraction=STORED * done / max(total, 1),
                message=f"Read {done:,} of {total:,} images",
            )

        try:
            imported = import_images(
                source,
                self.packed,
                limits=self.settings.limits,
                limit=self.source.get("limit"),
                all_or_nothing=bool(self.source.get("all_or_nothing", False)),
                progress=advance,
                should_stop=self.claimed.should_stop,
                onto=onto,
            )
        except Cancelled as cancelled:
            raise Stopped from cancelled
        self.claimed.progress(force=True, stage="store", fraction=STORED, message="Storing the images")
        if self.dataset.starts > 1:
            self.move()
        prefix = f"datasets/{self.dataset.content_id}/"
        self.artifacts.upload_folder(self.packed, prefix, before_each=self.claimed.check)
        return imported

    def move(self) -> None:
        """Store the images in a place that no earlier start knows.

        Its worker may only be paused, and wake up while it stores: then it writes beside what counts, never over it.
        """
        former, fresh = self.dataset.content_id, uuid4().hex
        patiently(lambda: self.claimed.write(content_id=fresh))
        self.dataset.content_id = fresh
        keeping.drop(self.claimed.database, self.artifacts, f"datasets/{former}/")

    def ready(
        self,
        samples: SampleColumns,
        *,
        classes: list[str],
        image_shape: list[int],
        report: dict[str, Any],
        annotated: Annotated | None = None,
    ) -> None:
        """Publish the rows, what annotators said beside them and the decisions that are carried over, all at once."""
        counts = np.bincount(samples.given_label_N, minlength=len(classes)).tolist()
        true_N = samples.true_label_N

        def write() -> None:
            with self.claimed.database.transaction() as session:
                datasets.publish_samples(
                    session,
                    self.dataset.id,
                    names=samples.names,
                    given_label_N=samples.given_label_N,
                    true_label_N=true_N,
                    content_hash=samples.content_hash,
                    width_N=samples.width_N,
                    height_N=samples.height_N,
                    split=samples.split,
                )
                said = {**report, "class_counts": counts}
                if self.source.get("carry_decisions"):
                    carried = deciding.carry(session, str(self.dataset.parent_id), self.dataset.id)
                    said["carried"] = carried._asdict()
                claims.finish(
                    session,
                    Dataset,
                    self.dataset.id,
                    self.claimed.claim_id,
                    status="ready",
                    classes=classes,
                    class_counts=counts,
                    sample_count=len(samples.names),
                    image_shape=image_shape,
                    has_true_labels=true_N is not None and bool((true_N != MISSING).all()),
                    report=said,
                    progress={"stage": "done", "fraction": 1.0},
                )
                if annotated is not None:
                    kept = datasets.load(session, self.dataset.id)
                    annotators.keep(session, self.artifacts, kept, *annotated)
                # In this transaction, or a crash could leave a self-test without its run, or with two.
                selftests.queue_run(session, self.dataset.id)

        patiently(write)


def samples_of(imported: Imported) -> SampleColumns:
    """What was imported as the columns that are kept."""
    return SampleColumns(
        names=imported.names,
        given_label_N=imported.given_label_N,
        true_label_N=imported.true_label_N,
        content_hash=imported.content_hash,
        width_N=imported.width_N,
        height_N=imported.height_N,
        split=imported.split,
    )


Prepare = Callable[[Preparing], None]
"""Prepares a dataset of one kind of source."""
