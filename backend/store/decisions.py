"""People's verdicts on samples, read: never changed (`deciding` appends them), the newest of a sample stands.

Where a `reviewer` is named, only what that account decided itself counts, and what it adjudicated does not: so does
everybody see a dataset that is reviewed blind (`reviews`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from backend.store.tables import Account, Decision


class Standing(NamedTuple):
    """A decision as people see it; `account` is the reviewer's name, `carried_from` the dataset of one made elsewhere."""

    verdict: str
    label: int | None
    account: str
    decided_at: datetime
    carried_from: str | None = None


class Change(NamedTuple):
    """What one decision did to its sample: (verdict, label) before and after, None where no decision stood."""

    sample_index: int
    before: tuple[str, int | None] | None
    after: tuple[str, int | None] | None


class Batch(NamedTuple):
    """The decisions of one request."""

    idempotency_key: str
    run_id: str | None
    decided_at: datetime
    changes: list[Change]


_EVERY = (
    "SELECT DISTINCT ON (d.sample_index) d.sample_index, d.verdict, d.label, a.name, d.decided_at, d.carried_from"
    " FROM decision d JOIN account a ON a.id = d.account_id"
    " WHERE d.dataset_id = :dataset_id {own} ORDER BY d.sample_index, d.id DESC"
)
_OF_SOME = (
    # One step down the index for each: a join would be left to what the planner believes of a growing table.
    "SELECT d.sample_index, d.verdict, d.label, a.name, d.decided_at, d.carried_from"
    " FROM unnest(CAST(:indices AS int[])) AS wanted (sample_index)"
    " CROSS JOIN LATERAL (SELECT * FROM decision WHERE dataset_id = :dataset_id"
    " AND sample_index = wanted.sample_index {own} ORDER BY id DESC LIMIT 1) d"
    " JOIN account a ON a.id = d.account_id"
)
_OWN = "AND account_id = :reviewer AND NOT adjudicates"


def standing(
    session: Session, dataset_id: str, indices: Sequence[int] | None = None, *, reviewer: str | None = None
) -> dict[int, Standing]:
    """The newest decision of every sample that has one (of `indices`, or of all); taken back ones are left out."""
    values: dict[str, Any] = {"dataset_id": dataset_id}
    if indices is not None:
        values["indices"] = list(indices)
    if reviewer is not None:
        values["reviewer"] = reviewer
    query = (_EVERY if indices is None else _OF_SOME).format(own="" if reviewer is None else _OWN)
    return {
        row.sample_index: Standing(row.verdict, row.label, row.name, row.decided_at, row.carried_from)
        for row in session.execute(text(query), values)
        if row.verdict != "cleared"
    }


def by_reviewer(session: Session, dataset_id: str) -> dict[str, dict[int, tuple[str, int | None]]]:
    """Each reviewer's own newest (verdict, label) of every sample that more than one of them decided, by name."""
    shared = (
        select(Decision.sample_index)
        .where(Decision.dataset_id == dataset_id, ~Decision.adjudicates)
        .group_by(Decision.sample_index)
        .having(func.count(Decision.account_id.distinct()) > 1)
    )
    query = (
        select(Account.name, Decision.sample_index, Decision.verdict, Decision.label)
        .join(Account, Account.id == Decision.account_id)
        .where(Decision.dataset_id == dataset_id, ~Decision.adjudicates, Decision.sample_index.in_(shared))
        .ext(distinct_on(Decision.account_id, Decision.sample_index))
        .order_by(Decision.account_id, Decision.sample_index, Decision.id.desc())
    )
    found: dict[str, dict[int, tuple[str, int | None]]] = {}
    for name, index, verdict, label in session.execute(query):
        if (stood := _stood(verdict, label)) is not None:
            found.setdefault(name, {})[index] = stood
    return found


def counts(session: Session, dataset_id: str, *, reviewer: str | None = None) -> dict[str, int]:
    """How many samples stand at each verdict; verdicts that nobody gave are left out."""
    later = aliased(Decision)
    replaced = select(later.id).where(
        later.dataset_id == Decision.dataset_id,
        later.sample_index == Decision.sample_index,
        later.id > Decision.id,
        *_by(later, reviewer),
    )
    query = (
        select(Decision.verdict, func.count())
        .where(
            Decision.dataset_id == dataset_id,
            Decision.verdict != "cleared",
            ~replaced.exists(),
            *_by(Decision, reviewer),
        )
        .group_by(Decision.verdict)
    )
    return dict(session.execute(query).all())


def recent(
    session: Session,
    dataset_id: str,
    account_id: str,
    limit: int,
    changes: int,
    *,
    reviewer: str | None = None,
) -> list[Batch]:
    """The account's own batches, oldest first: the newest `limit`, and no more than `changes` changes in all.

    A batch that does not fit whole is left out, with all before it. `reviewer` says whose decisions stood before.
    """
    before = aliased(Decision)
    earlier = (
        select(before.verdict, before.label)
        .where(
            before.dataset_id == Decision.dataset_id,
            before.sample_index == Decision.sample_index,
            before.id < Decision.id,
            *_by(before, reviewer),
        )
        .order_by(before.id.desc())
        .limit(1)
        .lateral()
    )
    own = (
        select(
            Decision.idempotency_key,
            Decision.run_id,
            Decision.decided_at,
            Decision.sample_index,
            Decision.verdict,
            Decision.label,
            earlier.c.verdict.label("was"),
            earlier.c.label.label("was_label"),
        )
        .outerjoin(earlier, true())
        .where(
            Decision.dataset_id == dataset_id,
            *_by(Decision, account_id),
            # Made elsewhere: whoever undoes the last thing done here does not mean them.
            Decision.carried_from.is_(None),
        )
        .order_by(Decision.id.desc())
        .limit(changes + 1)
    )
    rows = session.execute(own).all()
    batches: dict[str, Batch] = {}
    for row in rows:
        batch = batches.setdefault(
            row.idempotency_key, Batch(row.idempotency_key, row.run_id, row.decided_at, [])
        )
        change = Change(row.sample_index, _stood(row.was, row.was_label), _stood(row.verdict, row.label))
        batch.changes.append(change)
    whole = list(batches.values())
    if len(rows) > changes:
        # The oldest one read goes on beyond what was read, or may.
        whole.pop()
    newest = whole[:limit]
    for batch in newest:
        batch.changes.reverse()
    return newest[::-1]


def _stood(verdict: str | None, label: int | None) -> tuple[str, int | None] | None:
    return None if verdict in (None, "cleared") else (str(verdict), label)


def _by(decision: type[Decision], reviewer: str | None) -> list[ColumnElement[bool]]:
    """The condition that this is a reviewer's own decision; none for everybody's."""
    return [] if reviewer is None else [decision.account_id == reviewer, ~decision.adjudicates]


def history(session: Session, dataset_id: str, index: int, *, reviewer: str | None = None) -> list[Standing]:
    """Every decision on one sample, oldest first, with what was taken back."""
    query = (
        select(Decision, Account.name)
        .join(Account, Account.id == Decision.account_id)
        .where(Decision.dataset_id == dataset_id, Decision.sample_index == index, *_by(Decision, reviewer))
        .order_by(Decision.id)
    )
    return [
        Standing(row.verdict, row.label, name, row.decided_at, row.carried_from)
        for row, name in session.execute(query)
    ]
