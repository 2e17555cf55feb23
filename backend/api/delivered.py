"""A cleaned dataset out of the store: which samples stay, and their images read in order, a few MB at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.api.context import Context
from backend.api.exported import State
from backend.audit.cleaning import REMOVED
from backend.audit.errors import Damaged
from backend.audit.exporting import Format
from backend.audit.forms import Content
from backend.audit.forms.content import MAGIC_BYTES, ending_by_magic, ending_of
from backend.store import datasets
from backend.store.packs import Pack

AHEAD_BYTES = 4 << 20
"""Images read in one go."""
AHEAD_IMAGES = 4096
TABLES: tuple[Format, ...] = ("csv", "jsonl", "parquet")
"""In which a table beside images can come."""


def content_of(context: Context, state: State) -> Content:
    """The samples that the policy and the decisions leave, with their cleaned labels. Raises NotFound."""
    index_M = np.flatnonzero(state.cleaned.label_N != REMOVED)
    pack = Pack(context.artifacts, f"datasets/{state.dataset.content_id}/images")
    bytes_M = pack.sizes()[index_M]
    names = [state.audit.names[index] for index in index_M.tolist()]
    with context.database.transaction() as session:
        split_N = datasets.splits(session, state.dataset.id)
    report = state.dataset.report
    columns = report.get("columns")
    height, width, channels = state.dataset.image_shape

    def read_many(indices: list[int]) -> list[bytes]:
        images = pack.read_many(indices)
        for index, image in zip(indices, images, strict=True):
            if hashlib.sha256(image).digest() != state.fingerprints.sha256_N32[index].tobytes():
                raise Damaged(
                    "ARTIFACT_CORRUPT",
                    "A stored image is not what was imported.",
                    hint="Restore the artifacts from a backup, or import the dataset again.",
                    item=state.audit.names[index],
                )
        return images

    def read_pixels(indices: list[int]) -> NDArray[np.uint8]:
        return context.published.pixels(state.dataset.content_id, indices)

    return Content(
        names=names,
        index_M=index_M,
        label_M=state.cleaned.label_N[index_M],
        given_M=np.asarray(state.audit.given_N)[index_M],
        ending_M=_endings(names, index_M, pack),
        bytes_M=bytes_M,
        width_M=state.fingerprints.width_N[index_M],
        height_M=state.fingerprints.height_N[index_M],
        split_M=None if split_N is None else [split_N[index] or "other" for index in index_M.tolist()],
        classes=state.audit.classes,
        read=_Ahead(index_M, bytes_M, read_many),
        pixels=_Ahead(index_M, np.full(len(index_M), height * width * channels), read_pixels),
        pixel_shape=(height, width, channels),
        columns=columns if isinstance(columns, dict) else {},
        table_format=next((one for one in TABLES if one == report.get("table_format")), "csv"),
    )


def _endings(names: list[str], index_M: NDArray[np.int64], pack: Pack) -> list[str]:
    """The images' endings (M): by their names, or by their first bytes where names say none."""
    ending_M = [ending_of(name) for name in names]
    nameless = [place for place, ending in enumerate(ending_M) if ending is None]
    for begin in range(0, len(nameless), AHEAD_IMAGES):
        some = nameless[begin : begin + AHEAD_IMAGES]
        firsts = pack.read_firsts([int(index_M[place]) for place in some], MAGIC_BYTES)
        for place, first in zip(some, firsts, strict=True):
            ending_M[place] = ending_by_magic(first)
    return [ending or ".bin" for ending in ending_M]


class _Ahead:
    """Reads by place, together with the places that will be asked for next."""

    def __init__(
        self, index_M: NDArray[np.int64], bytes_M: NDArray[Any], read_many: Callable[[list[int]], Any]
    ) -> None:
        self._index_M, self._end_M, self._read_many = index_M, np.cumsum(bytes_M), read_many
        self._begin = 0
        self._held: Any = []

    def __call__(self, place: int) -> Any:
        if not self._begin <= place < self._begin + len(self._held):
            before = int(self._end_M[place - 1]) if place else 0
            stop = int(np.searchsorted(self._end_M, before + AHEAD_BYTES, "right"))
            stop = min(max(place + 1, stop), place + AHEAD_IMAGES)
            self._held = self._read_many(self._index_M[place:stop].tolist())
            self._begin = place
        return self._held[place - self._begin]
