"""The fence: which worker owns a run, an import or a preflight, and that nobody else's writes count.

A claim is the id of one delivery of a job. Every write of a job names it, and holds only while the row
still carries it, is unfinished, and nobody asked for a stop. A paused or replaced worker that wakes up
finds no row, gets ClaimLost, and must publish nothing.
"""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg.errors import LockNotAvailable
from sqlalchemy import ColumnElement, Update, func, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from backend.audit.errors import ClaimLost, Conflict, NotFound
from backend.store import events, jobs
from backend.store.tables import Dataset, Preflight, Run

Claimable = TypeVar("Claimable", Run, Dataset, Preflight)
Table = type[Run] | type[Dataset] | type[Preflight]

PATIENCE = "3s"
"""So long a stop waits for a write under way: a person waits for it, and is promised that it takes under 10 s."""

_KIND: dict[Table, events.Kind] = {Run: "run", Dataset: "dataset", Preflight: "preflight"}
_ACTIVE: dict[Table, str] = {Run: "running", Dataset: "importing", Preflight: "looking"}
_WAITING: dict[Table, tuple[str, ...]] = {
    Run: ("queued", "running"),
    Dataset: ("importing",),
    Preflight: ("looking",),
}


def claim(
    session: Session, table: type[Claimable], subject: str, claim_id: str, max_starts: int
) -> Claimable | None:
    """Take the run or import for this delivery of its job; None when there is nothing to do.

    Nothing to do: it is gone or finished; a stop was asked for (then it is cancelled now); it was started
    `max_starts` times already (then it fails now, TOO_MANY_STARTS); or the queue has since handed the job
    to somebody else. A second call with the same claim gives the row without counting another start.
    """
    _end_forerunner(session, table, subject, claim_id)
    row = session.get(table, subject, with_for_update=True, populate_existing=True)
    if row is None or row.status not in _WAITING[table]:
        return None
    if row.cancel_requested:
        acknowledge_cancel(session, table, subject)
        return None
    if row.claim_id == claim_id:
        return row
    newest = jobs.claim_of(session, jobs.key(_KIND[table], subject))
    if newest is not None and newest != claim_id:
        return None
    if row.starts >= max_starts:
        # Kept apart from ordinary failures: it may be the input that kills its worker every time.
        error = {
            "code": "TOO_MANY_STARTS",
            "message": f"It was started {row.starts} times and never came to an end.",
            "hint": "Look into the worker's log for why it dies (often memory), then start a new one.",
            "limit": max_starts,
            "found": row.starts,
        }
        _move(session, table, subject, "failed", {"error": error})
        return None
    row.claim_id = claim_id
    row.starts += 1
    if isinstance(row, Run):
        row.status = "running"
        row.started_at = row.started_at or session.execute(select(func.now())).scalar_one()
    session.flush()
    events.notify(session, _KIND[table], subject)
    return row


def session_name(claim_id: str) -> str:
    """What the server is to call the connections of whoever works under this claim."""
    return f"noise-audit/{claim_id}"


def _end_forerunner(session: Session, table: Table, subject: str, claim_id: str) -> None:
    """End the connections of whoever held it before this claim, which the queue has put in its place.

    Stopped or cut off in the middle of a transaction it would lock the row for as long as that lasts, against everybody.
    """
    former = _holder(session, table, subject)
    newest = jobs.claim_of(session, jobs.key(_KIND[table], subject))
    if former != claim_id and newest in (None, claim_id):
        _end_connections(session, former)


def _holder(session: Session, table: Table, subject: str) -> str | None:
    """The claim on what is unfinished, without waiting for anybody."""
    query = select(table.claim_id).where(table.id == subject, table.status.in_(_WAITING[table]))
    return session.scalar(query)


def _end_connections(session: Session, claim_id: str | None) -> None:
    if claim_id is not None:
        session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": session_name(claim_id)},
        )


def _locked(session: Session, table: type[Claimable], subject: str) -> Claimable | None:
    """The row, locked; who holds it for longer than `PATIENCE` has halted in the middle of a write, which is undone."""
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
            row = session.get(table, subject, with_for_update=True, populate_existing=True)
            session.execute(text("SET LOCAL lock_timeout = 0"))
            return row
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
    _end_connections(session, _holder(session, table, subject))
    return session.get(table, subject, with_for_update=True, populate_existing=True)


def check(session: Session, table: Table, subject: str, claim_id: str) -> None:
    """Raise ClaimLost unless the claim holds; it then holds until the caller's transaction ends."""
    query = select(table.id).where(*_fence(table, subject, claim_id)).with_for_update(key_share=True)
    if session.execute(query).one_or_none() is None:
        raise ClaimLost(f"{_KIND[table]} {subject}")


def is_held(session: Session, table: Table, subject: str, claim_id: str) -> bool:
    """Whether the claim holds right now (for polling; takes no lock)."""
    return (
        session.execute(select(table.id).where(*_fence(table, subject, claim_id))).one_or_none() is not None
    )


def stop_requested(session: Session, table: Table, subject: str) -> bool:
    """Whether a stop was asked for, acknowledged or not."""
    return bool(session.scalar(select(table.cancel_requested).where(table.id == subject)))


def fenced_update(session: Session, table: Table, subject: str, claim_id: str, **columns: Any) -> None:
    """Write the columns while the claim holds, and wake the watchers. Raises ClaimLost otherwise."""
    statement = update(table).where(*_fence(table, subject, claim_id)).values(**columns)
    if not _update(session, table, subject, statement):
        raise ClaimLost(f"{_KIND[table]} {subject}")
    events.notify(session, _KIND[table], subject)


def finish(session: Session, table: Table, subject: str, claim_id: str, status: str, **columns: Any) -> None:
    """Move to a final status (run: succeeded, failed; dataset: ready, failed) with what goes with it.

    Raises ClaimLost when the claim no longer holds; then nothing of the caller's transaction may be kept.
    """
    fenced_update(session, table, subject, claim_id, status=status, **_ended(table, status), **columns)


def fail(session: Session, table: Table, subject: str, claim_id: str, error: dict[str, Any]) -> None:
    """Record why the job failed while the claim holds; a stop asked for meanwhile counts as the cause."""
    statement = update(table).where(*_fence(table, subject, claim_id))
    statement = statement.values(status="failed", error=error, **_ended(table, "failed"))
    if _update(session, table, subject, statement):
        events.notify(session, _KIND[table], subject)
    else:
        acknowledge_cancel(session, table, subject)


def give_back(session: Session, table: Table, subject: str, claim_id: str) -> None:
    """A worker that leaves in good order takes its start off the count; nothing happens without the claim."""
    statement = update(table).where(*_fence(table, subject, claim_id))
    _update(session, table, subject, statement.values(starts=table.starts - 1, claim_id=None))


def acknowledge_cancel(session: Session, table: Table, subject: str) -> bool:
    """Turn a requested stop into the status cancelled; False when there was none to acknowledge."""
    statement = (
        update(table)
        .where(table.id == subject, table.cancel_requested, table.status.in_(_WAITING[table]))
        .values(status="cancelled", **_ended(table, "cancelled"))
    )
    done = _update(session, table, subject, statement)
    if done:
        events.notify(session, _KIND[table], subject)
    return done


def request_stop(session: Session, table: type[Claimable], subject: str) -> Claimable:
    """Ask for a stop: what nobody has begun is cancelled at once, what runs is told to (it polls its row).

    Asking twice is asking once. Raises NotFound, and Conflict (ALREADY_FINISHED) after any other end.
    """
    row = _locked(session, table, subject)
    if row is None:
        raise NotFound("NOT_FOUND", f"There is no such {_KIND[table]}.")
    if row.status == "cancelled":
        return row
    if row.status not in _WAITING[table]:
        raise Conflict(
            "ALREADY_FINISHED",
            f"This {_KIND[table]} has ended already.",
            found=row.status,
            hint="Nothing to do.",
        )
    row.cancel_requested = True
    session.flush()
    if row.claim_id is None:
        acknowledge_cancel(session, table, subject)
    else:
        events.notify(session, _KIND[table], subject)
    return row


def _fence(table: Table, subject: str, claim_id: str) -> list[ColumnElement[bool]]:
    return [
        table.id == subject,
        table.claim_id == claim_id,
        ~table.cancel_requested,
        table.status == _ACTIVE[table],
    ]


def _ended(table: Table, status: str) -> dict[str, Any]:
    if table is Run:
        return {"finished_at": func.now()}
    return {"ready_at": func.now()} if table is Dataset and status == "ready" else {}


def _move(session: Session, table: Table, subject: str, status: str, columns: dict[str, Any]) -> None:
    statement = update(table).where(table.id == subject, table.status.in_(_WAITING[table]))
    _update(session, table, subject, statement.values(status=status, **_ended(table, status), **columns))
    events.notify(session, _KIND[table], subject)


def _update(session: Session, table: Table, subject: str, statement: Update) -> bool:
    """Whether the statement met the row; a copy of it that the session holds is read again."""
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    known = session.identity_map.get(identity_key(table, subject))
    if known is not None:
        session.refresh(known)
    return done.rowcount > 0
