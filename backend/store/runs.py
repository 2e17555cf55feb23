"""Runs and their epochs: who may see them, and what a running one reports."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.audit.errors import NotFound
from backend.store import claims, datasets, events
from backend.store.tables import Dataset, Epoch, Run

OF_UPLOAD = ("upload_id", "filename")
"""What the config of a run says of the file that people sent with it; other keys are settings."""
PUBLISHED_BY = "published_by"
"""The key in a run's outcome that says under which claim its artifacts were stored."""
PREDICTIONS = "predictions"
"""The recipe of a run that judges by predictions people bring, without training. Its config is {upload_id, filename,
in_sample, logits}; the losses that it judged are its epoch 0."""


def create(
    session: Session, account_id: str, dataset_id: str, recipe: str, config: dict[str, Any], seed: int
) -> Run:
    """A new queued run; the caller enqueues its job in the same transaction.

    Raises NotFound when the account may not see the dataset, Conflict (DATASET_NOT_READY) when it is not ready.
    """
    datasets.require_ready(datasets.get(session, account_id, dataset_id))
    run = Run(
        id=uuid.uuid4().hex,
        dataset_id=dataset_id,
        account_id=account_id,
        recipe=recipe,
        config=config,
        seed=seed,
    )
    session.add(run)
    session.flush()
    session.refresh(run)
    return run


def get(session: Session, account_id: str, run_id: str) -> Run:
    """The run, if this account may see its dataset. Raises NotFound otherwise, as if it did not exist."""
    query = select(Run).join(Dataset, Dataset.id == Run.dataset_id)
    found = session.scalar(query.where(Run.id == run_id, datasets.visible_to(account_id)))
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such run.")
    return found


def load(session: Session, run_id: str) -> Run:
    """The run, whoever's it is: for jobs, which act for nobody. Raises NotFound."""
    found = session.get(Run, run_id)
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such run.")
    return found


def place(run: Run) -> str:
    """The prefix of the artifacts that a succeeded run left.

    Each claim stores below its own: a worker that lost its claim, and wakes up while it stores, writes beside what
    counts and never over it.
    """
    return place_of(run.id, run.outcome)


def place_of(run_id: str, outcome: dict[str, Any]) -> str:
    """As `place`, of a run that has, or will have, this outcome."""
    claim = outcome.get(PUBLISHED_BY)
    # Earlier versions kept the files of all claims in one place.
    return f"runs/{run_id}/{claim}" if claim else f"runs/{run_id}"


def list_for(session: Session, account_id: str, dataset_id: str | None = None) -> list[Run]:
    """Every run that the account may see, of one dataset or of all, newest first."""
    query = select(Run).join(Dataset, Dataset.id == Run.dataset_id).where(datasets.visible_to(account_id))
    if dataset_id is not None:
        query = query.where(Run.dataset_id == dataset_id)
    return list(session.scalars(query.order_by(Run.created_at.desc(), Run.id)))


def queued(session: Session, account_id: str) -> int:
    """How many of the account's runs wait for a worker."""
    query = select(func.count()).select_from(Run).where(Run.account_id == account_id, Run.status == "queued")
    return session.scalar(query) or 0


def by_status(session: Session) -> dict[str, int]:
    """How many runs there are of each status, of all accounts."""
    rows = session.execute(select(Run.status, func.count()).group_by(Run.status))
    return {row[0]: row[1] for row in rows}


def request_stop(session: Session, account_id: str, run_id: str) -> Run:
    """Stop a run: a queued one is cancelled at once, a running one told to (see `claims.request_stop`)."""
    get(session, account_id, run_id)
    return claims.request_stop(session, Run, run_id)


def write_epoch(
    session: Session,
    run_id: str,
    claim_id: str,
    epoch: int,
    metrics: dict[str, Any],
    histogram: dict[str, Any],
    mixtures: dict[str, Any],
    trust: dict[str, Any],
) -> None:
    """What one epoch said; an epoch repeated after a resume replaces what it said before.

    Raises ClaimLost when another worker has the run, or it was stopped.
    """
    claims.check(session, Run, run_id, claim_id)
    said = {"metrics": metrics, "histogram": histogram, "mixtures": mixtures, "trust": trust}
    statement = insert(Epoch).values(run_id=run_id, epoch=epoch, **said)
    session.execute(statement.on_conflict_do_update(index_elements=["run_id", "epoch"], set_=said))
    events.notify(session, "run", run_id)


def epoch(session: Session, run_id: str, number: int | None = None) -> Epoch | None:
    """One tracked epoch, the last when none is named; None when it has not been tracked."""
    query = select(Epoch).where(Epoch.run_id == run_id)
    query = query.order_by(Epoch.epoch.desc()) if number is None else query.where(Epoch.epoch == number)
    return session.scalar(query.limit(1).execution_options(populate_existing=True))


def epoch_metrics(session: Session, run_id: str) -> list[tuple[int, dict[str, Any]]]:
    """(number, metrics) of every tracked epoch, in order; histograms and mixtures stay where they are."""
    query = select(Epoch.epoch, Epoch.metrics).where(Epoch.run_id == run_id).order_by(Epoch.epoch)
    return [(number, metrics) for number, metrics in session.execute(query)]


def epochs(session: Session, run_id: str, after: int = -1) -> list[Epoch]:
    """The epochs with a number greater than `after`, in order."""
    query = select(Epoch).where(Epoch.run_id == run_id, Epoch.epoch > after).order_by(Epoch.epoch)
    return list(session.scalars(query.execution_options(populate_existing=True)))
