"""People's verdicts on samples are recorded: all of a request or none, each request once, in turn in each dataset.

The ids of a dataset's decisions grow in the order of their commits. So `verdicts` may read those after the last one
seen, and of one request sent twice at once the second finds the first one's rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.audit.errors import BadInput
from backend.audit.importing import Item
from backend.store import bulk, datasets, decisions
from backend.store.tables import Dataset, Decision, Run


class Verdict(Protocol):
    """One verdict to record; `label` is a class index and goes with the verdict relabel alone."""

    @property
    def index(self) -> int: ...
    @property
    def verdict(self) -> str: ...
    @property
    def label(self) -> int | None: ...


class Request(NamedTuple):
    """Verdicts that one account gives together; `action` is what the activity log calls it."""

    account_id: str
    items: Sequence[Verdict]
    run_id: str | None
    idempotency_key: str
    action: str = "decisions.create"
    adjudicates: bool = False


class Carried(NamedTuple):
    """How many decisions were carried over to a version, and how many stand on samples that it labels otherwise."""

    decisions: int
    left_out: int


_IN_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('decision:' || %(dataset_id)s::text, 0))"
_RECORD = (
    "WITH asked AS (SELECT * FROM unnest(%(keys)s::text[], %(accounts)s::text[], %(runs)s::text[], %(actions)s::text[],"
    " %(adjudicate)s::bool[]) WITH ORDINALITY AS asked (key, account_id, run_id, action, adjudicates, place)"
    " WHERE NOT EXISTS"
    " (SELECT FROM decision WHERE dataset_id = %(dataset_id)s AND idempotency_key = asked.key)),"
    " recorded AS (INSERT INTO decision"
    " (dataset_id, sample_index, verdict, label, account_id, run_id, idempotency_key, adjudicates)"
    " SELECT %(dataset_id)s, item.index, item.verdict, item.label, account_id, run_id, key, adjudicates"
    " FROM unnest(%(places)s::int[], %(indices)s::int[], %(verdicts)s::text[], %(labels)s::int[])"
    " WITH ORDINALITY AS item (place, index, verdict, label, nth)"
    " JOIN asked USING (place) ORDER BY nth RETURNING idempotency_key),"
    " counted AS (SELECT asked.*, count(*) AS items FROM recorded JOIN asked ON key = idempotency_key"
    " GROUP BY key, account_id, run_id, action, adjudicates, place),"
    " told AS (INSERT INTO activity (account_id, action, subject, detail)"
    " SELECT account_id, action, %(dataset_id)s, jsonb_build_object('recorded', items) FROM counted ORDER BY place)"
    " SELECT key, items FROM counted"
)
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


def check(session: Session, dataset: Dataset, request: Request) -> None:
    """Whether the request may be recorded, once its account may see the dataset.

    Raises BadInput (SAMPLE_UNKNOWN, LABEL_UNKNOWN, LABEL_MISSING, DUPLICATE_SAMPLE, RUN_UNKNOWN).
    """
    _check_items(request.items, dataset.sample_count, len(dataset.classes))
    if request.run_id is not None:
        of_dataset = session.scalar(select(Run.dataset_id).where(Run.id == request.run_id))
        if of_dataset != dataset.id and not _is_recorded(session, dataset.id, request.idempotency_key):
            raise BadInput("RUN_UNKNOWN", "The dataset has no such run.", item="run_id")


def record(session: Session, dataset_id: str, requests: Sequence[Request]) -> list[int]:
    """Record checked requests, in their order, and in the activity log that it was done.

    Gives how many verdicts of each were recorded: 0 when its key was recorded before. Whoever decides in this dataset
    waits from here to the end of the transaction: end it right afterwards.
    """
    # Of one key sent twice at once the first counts.
    first: dict[str, Request] = {}
    for request in requests:
        first.setdefault(request.idempotency_key, request)
    asked = list(first.values())
    items = [(place, item) for place, request in enumerate(asked, 1) for item in request.items]
    values: dict[str, Any] = {
        "dataset_id": dataset_id,
        "keys": [request.idempotency_key for request in asked],
        "accounts": [request.account_id for request in asked],
        "runs": [request.run_id for request in asked],
        "actions": [request.action for request in asked],
        "adjudicate": [request.adjudicates for request in asked],
        "places": [place for place, _ in items],
        "indices": [item.index for _, item in items],
        "verdicts": [item.verdict for _, item in items],
        "labels": [item.label for _, item in items],
    }
    session.flush()
    connection = bulk.connection_of(session)
    # Both are sent at once: whose turn it is does not keep the others waiting while this process waits for a processor.
    with connection.pipeline():
        connection.execute(_IN_TURN, values)
        recorded = dict(connection.execute(_RECORD, values).fetchall())
    return [
        recorded.get(request.idempotency_key, 0) if first[request.idempotency_key] is request else 0
        for request in requests
    ]


def append(session: Session, dataset_id: str, request: Request) -> int:
    """Check one request and record it, see `check` and `record`."""
    check(session, datasets.load(session, dataset_id), request)
    return record(session, dataset_id, [request])[0]


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
    bulk.connection_of(session).execute(_IN_TURN, {"dataset_id": dataset_id})
    carried = [
        Item(index, "cleared", None)
        for index, one in decisions.standing(session, dataset_id, reviewer=reviewer).items()
        if one.carried_from
    ]
    if not carried:
        return 0
    key = f"clear-carried-{uuid.uuid4().hex}"
    return append(session, dataset_id, Request(account_id, carried, None, key, "decisions.clear"))


def _is_recorded(session: Session, dataset_id: str, key: str) -> bool:
    """Whether the request came before; it may come again although its run was deleted since."""
    known = select(Decision.id).where(Decision.dataset_id == dataset_id, Decision.idempotency_key == key)
    return session.scalar(known.limit(1)) is not None


def _check_items(items: Sequence[Verdict], samples: int, classes: int) -> None:
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
