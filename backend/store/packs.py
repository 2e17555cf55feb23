"""Reads single items out of a packed artifact: one blob, and the offsets at which its items begin.

Shapes: N items, offset_M with M = N + 1 (item i is bytes offset_M[i] up to offset_M[i + 1]).
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from backend.audit.errors import Damaged, NotFound
from backend.store.artifacts import Artifacts
from backend.store.recent import Recent

CACHE_BYTES = 128 * 2**20
"""Offsets kept in memory per artifact store: those of sixteen datasets of a million images. Packs never change."""

Offsets = npt.NDArray[np.int64]


_caches: WeakKeyDictionary[Artifacts, Recent] = WeakKeyDictionary()
_caches_lock = threading.Lock()


class Pack:
    """The items packed at `key_stem`, i.e. `{key_stem}.pack` and `{key_stem}.offsets.npy`; thread-safe.

    Cheap to make: the offsets are read once per store and dataset. Raises NotFound (ARTIFACT_MISSING)
    when there is no such pack.
    """

    def __init__(self, artifacts: Artifacts, key_stem: str) -> None:
        self._artifacts = artifacts
        self._key = f"{key_stem}.pack"
        with _caches_lock:
            cache = _caches.setdefault(artifacts, Recent(CACHE_BYTES, _bytes))
        offsets = f"{key_stem}.offsets.npy"
        self._offset_M: Offsets = cache.get(offsets, lambda: _loaded(artifacts, offsets))

    def __len__(self) -> int:
        return len(self._offset_M) - 1

    def sizes(self) -> Offsets:
        """How many bytes each item has (N,)."""
        size_N: Offsets = np.diff(self._offset_M)
        return size_N

    def read(self, index: int) -> bytes:
        """The item's bytes. Raises NotFound (SAMPLE_UNKNOWN) for an index outside 0…N−1."""
        return self._artifacts.get_range(self._key, *self._range(index))

    def read_many(self, indices: Sequence[int]) -> list[bytes]:
        """The bytes of each item, in the order asked for; neighbours share a request."""
        return self._artifacts.get_ranges(self._key, [self._range(index) for index in indices])

    def read_each(self, indices: Sequence[int]) -> list[bytes | None]:
        """As `read_many`, with None in the place of what is damaged, for pages that show the others all the same."""
        try:
            return list(self.read_many(indices))
        except Damaged:
            return [self._read_whole(index) for index in indices]

    def read_firsts(self, indices: Sequence[int], size: int) -> list[bytes]:
        """The first `size` bytes of each item."""
        ranges = [self._range(index) for index in indices]
        return self._artifacts.get_ranges(self._key, [(a, min(b, a + size)) for a, b in ranges])

    def _read_whole(self, index: int) -> bytes | None:
        try:
            return self.read(index)
        except Damaged:
            return None

    def _range(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise NotFound(
                "SAMPLE_UNKNOWN",
                "There is no sample of this index.",
                limit=f"0 to {len(self) - 1}",
                found=index,
            )
        return int(self._offset_M[index]), int(self._offset_M[index + 1])


def _loaded(artifacts: Artifacts, key: str) -> Offsets:
    offset_M: Offsets = np.load(io.BytesIO(artifacts.get(key)), allow_pickle=False)
    return offset_M


def _bytes(offset_M: Offsets) -> int:
    return offset_M.nbytes
