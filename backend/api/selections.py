"""Selections: lists of a run's samples, kept so that an address can name them."""

from __future__ import annotations

import base64
import binascii

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray

from backend.api.context import Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas.summaries import SelectionAnswer, SelectionCreate, SelectionDetail
from backend.audit.errors import BadInput
from backend.store import datasets, selections

router = APIRouter(prefix="/api/runs/{run_id}/selections", tags=["selections"])


@router.post("", status_code=201)
def create_selection(run_id: Id, body: SelectionCreate, context: In, caller: Me) -> SelectionAnswer:
    """Keep a list of the run's samples; the same list again is the same selection."""
    member_M = _members(body)
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to select among its samples")
        samples = datasets.load(session, run.dataset_id).sample_count
    outside = member_M[(member_M < 0) | (member_M >= samples)]
    if len(outside):
        raise BadInput(
            "SAMPLE_UNKNOWN",
            "The dataset has no sample of this index.",
            item="indices",
            limit=f"0 to {samples - 1}",
            found=str(outside[0]),
        )
    return SelectionAnswer(id=selections.keep(context.artifacts, run_id, member_M), samples=len(member_M))


@router.get("/{selection_id}")
def get_selection(run_id: Id, selection_id: Id, context: In, caller: Me) -> SelectionDetail:
    """A selection with its members, in the order in which it was made."""
    with context.database.transaction() as session:
        succeeded(session, caller, run_id, "to select among its samples")
    member_M = context.published.selection(run_id, selection_id)
    return SelectionDetail(id=selection_id, samples=len(member_M), indices=member_M.tolist())


def _members(body: SelectionCreate) -> NDArray[np.int64]:
    if (body.indices is None) == (body.bitmap is None):
        raise BadInput("INVALID", "Send either indices or a bitmap.", item="indices")
    if body.bitmap is not None:
        try:
            packed = np.frombuffer(base64.b64decode(body.bitmap, validate=True), np.uint8)
        except (binascii.Error, ValueError) as error:
            raise BadInput("INVALID", "The bitmap is not base64.", item="bitmap") from error
        return np.flatnonzero(np.unpackbits(packed, bitorder="little"))
    try:
        return np.asarray(body.indices, dtype=np.int64)
    except OverflowError as error:
        raise BadInput("SAMPLE_UNKNOWN", "No dataset has a sample of this index.", item="indices") from error
