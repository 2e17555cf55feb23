"""Images of a dataset that are there twice, or nearly: searched for on request, listed with what speaks against them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from numpy.typing import NDArray
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.context import Context, Id, In, Me
from backend.api.schemas.base import Answer, ErrorAnswer
from backend.api.schemas.samples import DecisionAnswer
from backend.audit.duplicates import Facts, facts, surplus
from backend.audit.errors import Conflict
from backend.store import activity, datasets, decisions, duplicates, reviews
from backend.store.duplicates import Groups
from backend.store.tables import Dataset

router = APIRouter(prefix="/api/datasets/{dataset_id}/duplicates", tags=["datasets"])

_INDICES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "uint32, little-endian"}
}
MEMBERS_SHOWN = 200


class DuplicateMember(Answer):
    index: int
    name: str
    given_label: int
    split: str = Field(description="the split it was delivered in; empty: the delivery had none")
    decision: DecisionAnswer | None


class DuplicateGroup(Answer):
    """Nearly equal images, the first 200 of them."""

    exact: bool = Field(description="all files are equal to the byte")
    different_labels: bool
    across_splits: bool
    size: int
    members: list[DuplicateMember]


class DuplicatesAnswer(Answer):
    """How the search stands, and a page of the groups that match; counts are of all groups."""

    status: Literal["none", "searching", "done", "failed"]
    error: ErrorAnswer | None = None
    groups: int = 0
    samples: int = 0
    exact: int = 0
    different_labels: int = 0
    across_splits: int = 0
    total: int = Field(0, description="groups that match the filter")
    surplus: int = Field(0, description="samples beyond the first of each group that matches")
    items: list[DuplicateGroup] = []


class Wanted(NamedTuple):
    """Which groups; None means any."""

    exact: bool | None
    different_labels: bool | None
    across_splits: bool | None


def wanted(
    exact: bool | None = None, different_labels: bool | None = None, across_splits: bool | None = None
) -> Wanted:
    """The filter of groups; what is left out excludes nothing."""
    return Wanted(exact, different_labels, across_splits)


Filter = Annotated[Wanted, Depends(wanted)]


class Known(NamedTuple):
    """Everything about a dataset's groups that its images and labels say."""

    groups: Groups
    facts: Facts


@router.post("/search", status_code=202)
def search_duplicates(dataset_id: Id, context: In, caller: Me) -> DuplicatesAnswer:
    """Have a worker look for images that are nearly the same."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        report = duplicates.ask(session, dataset_id)
        activity.record(session, caller.id, "duplicates.search", dataset_id)
    return DuplicatesAnswer.model_validate(report)


@router.get("")
def list_duplicates(
    dataset_id: Id,
    context: In,
    caller: Me,
    filters: Filter,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DuplicatesAnswer:
    """Groups of nearly equal images, those with different labels first, then those across splits, then the largest."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        report = dataset.report.get(duplicates.KEY) or {"status": "none"}
        if report["status"] != "done":
            return DuplicatesAnswer.model_validate(report)
        known = _known(context, session, dataset)
        member_M, begin_G1 = known.groups
        matching_K = _matching(known, filters)
        size_G = np.diff(begin_G1)
        of = known.facts
        order = np.lexsort((begin_G1[:-1], -size_G, ~of.across_splits, ~of.different_labels))
        shown = order[np.isin(order, matching_K)][offset : offset + limit]
        parts = [member_M[begin_G1[g] : begin_G1[g + 1]][:MEMBERS_SHOWN].tolist() for g in shown]
        rows = _members(session, caller, dataset_id, [index for part in parts for index in part])
    items = [
        DuplicateGroup(
            exact=bool(of.exact[g]),
            different_labels=bool(of.different_labels[g]),
            across_splits=bool(of.across_splits[g]),
            size=int(size_G[g]),
            members=[rows[index] for index in part],
        )
        for g, part in zip(shown.tolist(), parts, strict=True)
    ]
    return DuplicatesAnswer(
        **report,
        exact=int(of.exact.sum()),
        different_labels=int(of.different_labels.sum()),
        across_splits=int(of.across_splits.sum()),
        total=len(matching_K),
        surplus=int((size_G[matching_K] - 1).sum()),
        items=items,
    )


@router.get("/indices", response_class=Response, responses=_INDICES)
def list_duplicate_indices(
    dataset_id: Id, context: In, caller: Me, filters: Filter, beyond_first: bool = False
) -> Response:
    """The members of all groups that match, or all but the first of each: little-endian uint32, ascending."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        if (dataset.report.get(duplicates.KEY) or {}).get("status") != "done":
            raise Conflict("NOT_SEARCHED", "Nobody has looked for duplicates yet.", hint="Search first.")
        known = _known(context, session, dataset)
    member_M, begin_G1 = known.groups
    matching_K = _matching(known, filters)
    if beyond_first:
        index_M = surplus(member_M, begin_G1, matching_K)
    else:
        chosen_M = np.isin(np.repeat(np.arange(len(begin_G1) - 1), np.diff(begin_G1)), matching_K)
        index_M = np.sort(member_M[chosen_M])
    return Response(index_M.astype("<u4").tobytes(), media_type="application/octet-stream")


def _known(context: Context, session: Session, dataset: Dataset) -> Known:
    def read() -> Known:
        found = duplicates.load(context.artifacts, dataset.id)
        columns = datasets.samples(session, dataset.id)
        said = facts(
            found.member_M, found.begin_G1, columns.content_hash, columns.given_label_N, columns.split
        )
        return Known(found, said)

    # Images and given labels of a dataset never change, and so neither do its groups.
    return context.published.summary((dataset.id, "duplicates"), read)


def _matching(known: Known, filters: Wanted) -> NDArray[np.int64]:
    fits_G = np.ones(len(known.facts.exact), np.bool_)
    for fact_G, wish in zip(known.facts, filters, strict=True):
        if wish is not None:
            fits_G &= fact_G == wish
    return np.flatnonzero(fits_G)


def _members(session: Session, caller: Me, dataset_id: str, indices: list[int]) -> dict[int, DuplicateMember]:
    reviewer = reviews.shown_to(session, dataset_id, caller.id)
    standing = decisions.standing(session, dataset_id, indices, reviewer=reviewer)
    return {
        row.sample_index: DuplicateMember(
            index=row.sample_index,
            name=row.name,
            given_label=row.given_label,
            split=row.split or "",
            decision=DecisionAnswer.model_validate(decided)
            if (decided := standing.get(row.sample_index))
            else None,
        )
        for row in datasets.some_samples(session, dataset_id, indices)
    }
