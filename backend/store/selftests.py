"""Self-tests: derived datasets with planted noise, and the run that each of them gets as soon as it is ready.

A self-test is its dataset: what to run stands in the dataset's source, so nothing else has to be kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store import activity, datasets, jobs, runs
from backend.store.tables import Dataset, Run

KEY = "self_test"
"""Where a dataset's source says what to run on it: {recipe, settings, seed}."""


class SelfTest(NamedTuple):
    """A derived dataset, and its run once there is one."""

    dataset: Dataset
    run: Run | None


def create(
    session: Session,
    account_id: str,
    parent: Dataset,
    *,
    kind: str,
    rate: float,
    recipe: str,
    settings: dict[str, Any],
    seed: int,
) -> Dataset:
    """A derived dataset that will be audited once it is ready; its import is queued in the caller's transaction.

    Raises Conflict (DATASET_NOT_READY) when the parent is not ready.
    """
    source = {
        "kind": "injection",
        "noise": kind,
        "rate": rate,
        "seed": seed,
        KEY: {"recipe": recipe, "settings": settings, "seed": seed},
    }
    name = f"{parent.name}: self-test, {kind} {rate:.0%}"
    dataset = datasets.create(session, account_id, name[-200:], source, parent)
    jobs.enqueue_import(session, dataset.id)
    activity.record(session, account_id, "self_test.create", dataset.id, parent=parent.id, recipe=recipe)
    return dataset


def queue_run(session: Session, dataset_id: str) -> Run | None:
    """Queue the self-test's run; None for a dataset that is no self-test.

    The caller makes the dataset ready in the same transaction: a dataset becomes ready once, so there is one
    run, and no moment in which the one is there without the other.
    """
    dataset = datasets.load(session, dataset_id)
    wish = dataset.source.get(KEY)
    if wish is None:
        return None
    run = runs.create(
        session, dataset.owner_id, dataset_id, wish["recipe"], dict(wish["settings"]), int(wish["seed"])
    )
    jobs.enqueue_run(session, run.id)
    return run


def list_for(session: Session, account_id: str, parent_id: str) -> list[SelfTest]:
    """The self-tests of a dataset that the account may see, newest first."""
    query = (
        select(Dataset)
        .where(Dataset.parent_id == parent_id, Dataset.source.has_key(KEY), datasets.visible_to(account_id))
        .order_by(Dataset.created_at.desc(), Dataset.id)
    )
    found = list(session.scalars(query))
    started = select(Run).where(Run.dataset_id.in_([dataset.id for dataset in found]))
    of: dict[str, Run] = {}
    for run in session.scalars(started.order_by(Run.created_at, Run.id)):
        # The self-test's own run is the oldest: it was there when the dataset became ready.
        of.setdefault(run.dataset_id, run)
    return [SelfTest(dataset, of.get(dataset.id)) for dataset in found]


def preparing(session: Session, account_id: str) -> int:
    """How many of the account's self-tests will queue a run when their dataset is ready."""
    query = (
        select(func.count())
        .select_from(Dataset)
        .where(Dataset.owner_id == account_id, Dataset.status == "importing", Dataset.source.has_key(KEY))
    )
    return session.scalar(query) or 0
