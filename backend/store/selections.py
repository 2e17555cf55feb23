"""Selections: lists of samples that a person or a plan picked, kept under the name of their content.

Knows no rights and no meanings. Shapes: M members, in the order in which they were picked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput, NotFound
from backend.store.artifacts import Artifacts

Members = NDArray[np.uint32]
FOLDER = "selections"
LARGEST = 1_000_000
"""Members of one selection: the largest map that can be drawn around."""


def keep(artifacts: Artifacts, run_id: str, indices: Sequence[int] | NDArray[Any]) -> str:
    """Keep the list of sample indices as an artifact of the run; give its id.

    The same list in the same order has the same id, so keeping it twice is keeping it once. The caller has made
    sure that the run has such samples. Raises BadInput (SELECTION_EMPTY, LIMIT_EXCEEDED, DUPLICATE_SAMPLE).
    """
    member_M = np.asarray(indices, dtype=np.int64)
    if not member_M.size:
        raise BadInput("SELECTION_EMPTY", "A selection has at least one sample.", item="indices")
    if member_M.size > LARGEST:
        raise BadInput(
            "LIMIT_EXCEEDED",
            f"A selection has at most {LARGEST} samples.",
            item="indices",
            limit=LARGEST,
            found=int(member_M.size),
        )
    if len(np.unique(member_M)) != member_M.size:
        raise BadInput("DUPLICATE_SAMPLE", "A sample is in the selection twice.", item="indices")
    data = member_M.astype("<u4").tobytes()
    # 128 bits of the hash: as long as every other id here.
    selection_id = hashlib.sha256(data).hexdigest()[:32]
    artifacts.put(_key(run_id, selection_id), data)
    return selection_id


def load(artifacts: Artifacts, run_id: str, selection_id: str) -> Members:
    """The members (M,) in the order in which they were kept. Raises NotFound (SELECTION_UNKNOWN)."""
    try:
        data = artifacts.get(_key(run_id, selection_id))
    except NotFound as error:
        raise NotFound(
            "SELECTION_UNKNOWN", "The run has no such selection.", item="selection", found=selection_id
        ) from error
    return np.frombuffer(data, "<u4").astype(np.uint32)


def _key(run_id: str, selection_id: str) -> str:
    return f"runs/{run_id}/{FOLDER}/{selection_id}.u4"
