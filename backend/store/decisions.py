"""People's verdicts on samples: appended, never changed; the newest of a sample is the one that stands.

Where a `reviewer` is named, only what that account decided itself counts, and what it adjudicated does not: so does
everybody see a dataset that is reviewed blind (`reviews`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from backend.audit.errors import BadInput
from backend.audit.importing import Item
from backend.store import datasets
from backend.store.tables import Account, Decision, Run


class Verdict(Protocol):
    """One verdict to record; `label` is a class index and goes with the verdict relabel alone."""

    @property
    def index(self) -> int: ...
    @property
    def verdict(self) -> str: ...
    @property
    def label(self) -> int | None: ...


class Standing(NamedTuple):
    """A decision as people see it; `account` is the reviewer's name, `carried_from` the dataset of one made elsewhere."""

    verdict: str
    label: int | None
    account: str
    decided_at: datetime
    carried_from: str | None = None


class Carried(NamedTuple):
    """How many decisions were carried over to a version, and how many stand on samples that it labels otherwise."""

    decisions: int
    left_out: int


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
_CARRY = text(
    # In a blind review each reviewer's newest goes along, and the newest adjudication: what they come to is the rule's.
    "WITH said AS (SELECT d.*, CASE WHEN NOT :blind THEN '' WHEN d.adjudicates THEN 'all' ELSE d.account_id END AS voice"
    " FROM decision d WHERE d.dataset_id = :parent),"
    " stands AS (SELECT DISTINCT ON (sample_index, voice) * FROM said ORDER BY sample_index, voice, id DESC),"
    " carried AS (INSERT INTO decision (dataset_id, sample_index, verdict, label, account_id, idempotency_key,"
    " decided_at, carried_from, adjudicates)"
    " SELECT :version, d.sample_index, d.verdict, d.label, d.account_id, left(:key || d.voice, 64), d.decided_at,"
    " coalesce(d.carried_from, :parent), d.adjudicates"
    " FROM stands d JOIN sample old ON old.dataset_id = :parent AND old.sample_index = d.sample_index"
    " JOIN sample new ON new.dataset_id = :version AND new.sample_index = d.sample_index"
    " WHERE d.verdict <> 'cleared' AND new.given_label = old.given_label AND new.content_hash = old.content_hash"
    " ORDER BY d.id RETURNING 1)"
    " SELECT (SELECT count(*) FROM carried) AS carried,"
    " (SELECT count(*) FROM stands WHERE verdict <> 'cleared') AS standing"
)


def append(
    session: Session,
    dataset_id: str,
    account_id: str,
    items: Sequence[Verdict],
    run_id: str | None,
    idempotency_key: str,
    *,
    adjudicates: bool = False,
) -> int:
    """Record the verdicts, all or none; give how many (0 when this key was recorded before).

    Raises BadInput (SAMPLE_UNKNOWN, LABEL_UNKNOWN, LABEL_MISSING, DUPLICATE_SAMPLE, RUN_UNKNOWN). The caller
    has made sure that the account may see the dataset.
    """
    dataset = datasets.load(session, dataset_id)
    _in_turn(session, dataset_id)
    known = select(Decision.id).where(
        Decision.dataset_id == dataset_id, Decision.idempotency_key == idempotency_key
    )
    if session.scalar(known.limit(1)) is not None:
        return 0
    _check(items, dataset.sample_count, len(dataset.classes))
    if run_id is not None and session.scalar(select(Run.dataset_id).where(Run.id == run_id)) != dataset_id:
        raise BadInput("RUN_UNKNOWN", "The dataset has no such run.", item="run_id")
    session.execute(
        text(
            "INSERT INTO decision"
            " (dataset_id, sample_index, verdict, label, account_id, run_id, idempotency_key, adjudicates)"
            " SELECT :dataset_id, item.index, item.verdict, item.label, :account_id, :run_id, :key, :adjudicates"
            " FROM unnest(CAST(:indices AS int[]), CAST(:verdicts AS text[]), CAST(:labels AS int[]))"
            " AS item (index, verdict, label)"
        ),
        {
            "dataset_id": dataset_id,
            "account_id": account_id,
            "run_id": run_id,
            "key": idempotency_key,
            "adjudicates": adjudicates,
            "indices": [item.index for item in items],
            "verdicts": [item.verdict for item in items],
            "labels": [item.label for item in items],
        },
    )
    return len(items)


def carry(session: Session, parent_id: str, version_id: str) -> Carried:
    """Record in a version what stands in its parent, where image and given label are the same; each under its own
    reviewer and time, and in a blind version each reviewer's own. The version's samples are there; the caller makes
    it ready in the same transaction."""
    blind = datasets.load(session, version_id).blind_since is not None
    values = {"parent": parent_id, "version": version_id, "key": f"carried-{parent_id}", "blind": blind}
    done = session.execute(_CARRY, values).one()
    return Carried(done.carried, done.standing - done.carried)


def clear_carried(session: Session, dataset_id: str, account_id: str, *, reviewer: str | None = None) -> int:
    """Take back every decision that was carried over and still stands, as one batch of this account; gives how many."""
    _in_turn(session, dataset_id)
    carried = [
        Item(index, "cleared", None)
        for index, one in standing(session, dataset_id, reviewer=reviewer).items()
        if one.carried_from
    ]
    if not carried:
        return 0
    return append(session, dataset_id, account_id, carried, None, f"clear-carried-{uuid.uuid4().hex}")


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


def _in_turn(session: Session, dataset_id: str) -> None:
    """Record one after another in each dataset, from here to the end of the transaction.

    Ids then grow in the order of the commits, on which `verdicts` relies; and of one request sent twice at once the
    second waits here and then finds the first one's rows.
    """
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"decision:{dataset_id}"}
    )


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


def _check(items: Sequence[Verdict], samples: int, classes: int) -> None:
    seen: set[int] = set()
    for item in items:
        where = f"sample {item.index}"
        if not 0 <= item.index < samples:
            raise BadInput(
                "SAMPLE_UNKNOWN",
                "The dataset has no sample of this index.",
                item="index",
                limit=f"0 to {samples - 1}",
                found=item.index,
            )
        if item.index in seen:
            raise BadInput("DUPLICATE_SAMPLE", "A sample is decided twice in one request.", item=where)
        seen.add(item.index)
        if (item.verdict == "relabel") != (item.label is not None):
            raise BadInput(
                "LABEL_MISSING", "A label goes with the verdict relabel, and with no other.", item=where
            )
        if item.label is not None and not 0 <= item.label < classes:
            raise BadInput(
                "LABEL_UNKNOWN",
                "The dataset has no class of this index.",
                item=where,
                limit=f"0 to {classes - 1}",
                found=item.label,
            )
