"""What never changes once it is there, kept close: results, matches and figures in memory, histories on disk.

Each kind has its bound, in bytes where its size depends on the dataset's. The verdicts that stand are kept too, and
brought up to date before each use.

Knows no rights: whoever asks has checked that the account may see the dataset or run.
Shape letters: N samples, E tracked epochs, C classes, F features, K neighbours.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.audit.errors import BadInput, NotFound
from backend.store import annotators, datasets, matching, results, runs, selections
from backend.store.annotators import AnnotatorLabels
from backend.store.artifacts import Artifacts
from backend.store.matching import Indices, Matches, SampleFilter
from backend.store.recent import Recent
from backend.store.tables import Run
from backend.store.verdicts import Codes, Verdicts

Kept = TypeVar("Kept")
MIB = 2**20
KEPT_COLUMNS = 512 * MIB
"""Columns of runs: a million samples are about 50 MB."""
KEPT_MATCHES = 64 * MIB
"""Matches of filters, orders and selections: 8 bytes per match."""
KEPT_ANNOTATIONS = 128 * MIB
"""Annotators' labels: a million samples with five annotators are 36 MB."""
KEPT_FIGURES = 64 * MIB
"""Figures as packed JSON, and the places of map points."""
KEPT_VERDICTS = 64 * MIB
"""Standing verdicts, and as much again for splits: a byte per sample."""
KEPT_FINGERPRINTS = 64 * MIB
"""Sizes and hashes of images: 40 bytes per sample."""
KEPT_SUMMARIES = 64
"""Small answers about whole runs: classes, thresholds, comparisons."""
KEPT_NAMES = 4
"""Datasets whose samples' names stay in memory: a million are about 80 MB."""
KEPT_HISTORIES = 32
"""Runs whose histories stay unpacked on disk; only the columns of the samples looked at are ever read."""
HEADER_BYTES = 4096
"""More than any header that numpy writes for these arrays."""


class History(NamedTuple):
    """What the network said of every sample after each tracked epoch; memory-mapped."""

    loss_EN: NDArray[np.float16]
    margin_EN: NDArray[np.float16]
    prediction_EN: NDArray[np.int16]


class Published:
    """Finished datasets and succeeded runs, read once."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._columns, self._names = Recent(KEPT_COLUMNS, _bytes), Recent(KEPT_NAMES)
        self._ranked, self._matches = Recent(KEPT_MATCHES, _bytes), Recent(KEPT_MATCHES, _bytes)
        self._selections, self._verdicts = Recent(KEPT_MATCHES, _bytes), Recent(KEPT_VERDICTS, _bytes)
        self._fingerprints = Recent(KEPT_FINGERPRINTS, _bytes)
        self._splits = Recent(KEPT_VERDICTS, lambda kept: 0 if kept is None else kept.nbytes)
        self._annotations = Recent(KEPT_ANNOTATIONS, _bytes)
        self._documents, self._summaries = Recent(KEPT_FIGURES, len), Recent(KEPT_SUMMARIES)
        self._histories, self._headers = Recent(KEPT_HISTORIES), Recent(1000)
        # Removed with the process; each backend process has its own.
        self._scratch = tempfile.TemporaryDirectory(prefix="noise-audit-", ignore_cleanup_errors=True)

    def close(self) -> None:
        """Remove what lies on disk."""
        self._scratch.cleanup()

    def results(self, session: Session, run_id: str) -> results.ResultColumns:
        """Everything a succeeded run says."""
        return self._columns.get(run_id, lambda: results.columns(session, run_id))

    def matches(
        self, session: Session, run: Run, filters: SampleFilter, reviewer: str | None = None
    ) -> Matches:
        """The samples of a succeeded run that the filter finds now; by this reviewer's own decisions, or everybody's.

        Raises BadInput for a selection or another run that is not this run's or dataset's, each named by its field.
        """
        if filters.indices is None:
            found = self._matches.get(
                (run.id, filters.lasting), lambda: self._match(session, run, filters.lasting)
            )
        else:
            found = self._match(session, run, filters)
        if filters.verdict is None:
            return found
        return matching.with_verdict(found, filters.verdict, self.verdicts(session, run.dataset_id, reviewer))

    def selection(self, run_id: str, selection_id: str) -> Indices:
        """A selection's members in their order. Raises NotFound (SELECTION_UNKNOWN)."""
        return self._selections.get(
            (run_id, selection_id), lambda: selections.load(self._artifacts, run_id, selection_id)
        )

    def verdicts(self, session: Session, dataset_id: str, reviewer: str | None = None) -> Codes:
        """The code (N,) of the verdict that stands on each sample of a ready dataset now; `reviewer` as in `matches`.

        Not for a transaction that itself has recorded decisions.
        """

        def begin() -> Verdicts:
            samples = datasets.load(session, dataset_id).sample_count
            return Verdicts(dataset_id, samples, reviewer=reviewer)

        return self._verdicts.get((dataset_id, reviewer), begin).now(session)

    def document(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """A figure's or another answer's packed bytes; the key names everything that they depend on."""
        return self._documents.get(key, make)

    def summary(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """A small answer about whole runs; the key names everything that it depends on."""
        return self._summaries.get(key, make)

    def _match(self, session: Session, run: Run, filters: SampleFilter) -> Matches:
        columns = self.results(session, run.id)

        def chosen() -> Indices | None:
            if filters.selection is None:
                return None
            try:
                return self.selection(run.id, filters.selection)
            except NotFound as error:
                raise BadInput(error.code, str(error), item="selection", found=error.found) from error

        def flags_of(item: str, run_ids: tuple[str, ...]) -> list[NDArray[np.bool_]]:
            return [self._flags_of_other(session, run, item, other_id) for other_id in run_ids]

        ranked_N = self._ranked.get(run.id, lambda: matching.by_posterior(columns))
        return matching.match(
            columns,
            filters,
            ranked_N,
            chosen(),
            flags_of("flagged_by", filters.flagged_by),
            flags_of("not_flagged_by", filters.not_flagged_by),
            None if filters.split is None else self.splits(session, run.dataset_id),
        )

    def _flags_of_other(self, session: Session, run: Run, item: str, other_id: str) -> NDArray[np.bool_]:
        other = session.get(Run, other_id)
        if other is None or other.dataset_id != run.dataset_id or other.status != "succeeded":
            raise BadInput("RUN_UNKNOWN", "The dataset has no such succeeded run.", item=item, found=other_id)
        return self.results(session, other_id).flagged

    def annotations(self, dataset_id: str, version: str) -> AnnotatorLabels:
        """What annotators said of a dataset, in this version."""
        return self._annotations.get(
            (dataset_id, version), lambda: annotators.load(self._artifacts, dataset_id, version)
        )

    def names(self, session: Session, dataset_id: str) -> list[str]:
        """The samples' names of a ready dataset."""
        return self._names.get(dataset_id, lambda: datasets.names(session, dataset_id))

    def splits(self, session: Session, dataset_id: str) -> NDArray[np.uint8] | None:
        """The samples' splits of a ready dataset, as places in `datasets.SPLITS`; None where it came without any."""
        return self._splits.get(dataset_id, lambda: datasets.split_codes(session, dataset_id))

    def fingerprints(self, session: Session, dataset_id: str) -> datasets.Fingerprints:
        """Sizes and hashes of a ready dataset's images."""
        return self._fingerprints.get(dataset_id, lambda: datasets.fingerprints(session, dataset_id))

    def history(self, run: Run) -> History:
        """Loss, margin and prediction by epoch of a succeeded run."""
        return self._histories.get(run.id, lambda: self._unpack(run))

    def row(self, run: Run, name: str, index: int) -> NDArray[Any]:
        """One sample's row of the run's array `name` (features, probabilities, neighbours), read alone."""
        row: NDArray[Any] = self.rows(run, name, [index])[0]
        return row

    def rows(self, run: Run, name: str, indices: list[int]) -> NDArray[Any]:
        """Several samples' rows of the run's array `name`."""
        return self._rows(f"{runs.place(run)}/{name}.npy", indices)

    def width(self, run: Run, name: str) -> int:
        """How many numbers a row of the run's array `name` has."""
        key = f"{runs.place(run)}/{name}.npy"
        _, shape, _ = self._headers.get(key, lambda: self._header(key))
        return int(np.prod(shape[1:]))

    def pixels(self, content_id: str, indices: list[int]) -> NDArray[np.uint8]:
        """Training pixels (M, H, W, C) of several samples."""
        return self._rows(f"datasets/{content_id}/pixels.npy", indices)

    def _rows(self, key: str, indices: list[int]) -> NDArray[Any]:
        start, shape, dtype = self._headers.get(key, lambda: self._header(key))
        size = int(np.prod(shape[1:])) * dtype.itemsize
        ranges = [(start + index * size, start + (index + 1) * size) for index in indices]
        data = b"".join(self._artifacts.get_ranges(key, ranges))
        return np.frombuffer(data, dtype).reshape(len(indices), *shape[1:])

    def _header(self, key: str) -> tuple[int, tuple[int, ...], np.dtype[Any]]:
        size = self._artifacts.size(key)
        file = io.BytesIO(self._artifacts.get_range(key, 0, min(HEADER_BYTES, size)))
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if fortran or dtype.hasobject or len(shape) < 2:
            raise NotFound("ARTIFACT_UNREADABLE", "This file does not hold rows of numbers.", item=key)
        return file.tell(), shape, dtype

    def _unpack(self, run: Run) -> History:
        """Inflate history.npz once; the arrays are then mapped, and only touched pages are in memory."""
        with tempfile.TemporaryDirectory(dir=self._scratch.name) as folder:
            packed = Path(folder) / "history.npz"
            self._artifacts.download(f"{runs.place(run)}/history.npz", packed)
            arrays = []
            with zipfile.ZipFile(packed) as archive:
                for name in ("loss", "margin", "prediction"):
                    unpacked = Path(folder) / f"{name}.npy"
                    with archive.open(f"{name}.npy") as source, unpacked.open("wb") as target:
                        while block := source.read(2**20):
                            target.write(block)
                    arrays.append(np.load(unpacked, mmap_mode="r", allow_pickle=False))
                    # The mapping keeps the bytes; without a name they go when the mapping goes.
                    os.unlink(unpacked)  # noqa: PTH108
        return History(*arrays)


def _bytes(kept: Any) -> int:
    return int(kept.nbytes)
