"""What never changes once it is there, kept close: labels, names and results in memory, histories on disk.

Knows no rights: whoever asks has checked that the account may see the dataset or run.
Shape letters: N samples, E tracked epochs, C classes, F features, K neighbours.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.audit.errors import NotFound
from backend.store import datasets, results
from backend.store.artifacts import Artifacts

Kept = TypeVar("Kept")
KEPT_COLUMNS = 8
"""Runs and datasets whose columns stay in memory: a million rows of results are about 50 MB."""
KEPT_HISTORIES = 32
"""Runs whose histories stay unpacked on disk; only the columns of the samples looked at are ever read."""
HEADER_BYTES = 4096
"""More than any header that numpy writes for these arrays."""


class History(NamedTuple):
    """What the network said of every sample after each tracked epoch; memory-mapped."""

    loss_EN: NDArray[np.float16]
    margin_EN: NDArray[np.float16]
    prediction_EN: NDArray[np.int16]


class Recent:
    """The last few results of a slow question; asked for the same key at once by two, it is answered twice."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept under the key, or else what `make` gives."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(Kept, self._kept[key])
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made


class Published:
    """Finished datasets and succeeded runs, read once."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._columns, self._names = Recent(KEPT_COLUMNS), Recent(KEPT_COLUMNS)
        self._histories, self._headers = Recent(KEPT_HISTORIES), Recent(1000)
        # Removed with the process; each backend process has its own.
        self._scratch = tempfile.TemporaryDirectory(prefix="noise-audit-", ignore_cleanup_errors=True)

    def close(self) -> None:
        """Remove what lies on disk."""
        self._scratch.cleanup()

    def results(self, session: Session, run_id: str) -> results.ResultColumns:
        """Everything a succeeded run says."""
        return self._columns.get(run_id, lambda: results.columns(session, run_id))

    def names(self, session: Session, dataset_id: str) -> list[str]:
        """The samples' names of a ready dataset."""
        return self._names.get(dataset_id, lambda: datasets.names(session, dataset_id))

    def history(self, run_id: str) -> History:
        """Loss, margin and prediction by epoch of a succeeded run."""
        return self._histories.get(run_id, lambda: self._unpack(run_id))

    def row(self, run_id: str, name: str, index: int) -> NDArray[Any]:
        """One sample's row of the run's array `name` (features, probabilities, neighbours), read alone."""
        row: NDArray[Any] = self.rows(run_id, name, [index])[0]
        return row

    def rows(self, run_id: str, name: str, indices: list[int]) -> NDArray[Any]:
        """Several samples' rows of the run's array `name`."""
        key = f"runs/{run_id}/{name}.npy"
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

    def _unpack(self, run_id: str) -> History:
        """Inflate history.npz once; the arrays are then mapped, and only touched pages are in memory."""
        with tempfile.TemporaryDirectory(dir=self._scratch.name) as folder:
            packed = Path(folder) / "history.npz"
            self._artifacts.download(f"runs/{run_id}/history.npz", packed)
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
