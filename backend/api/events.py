"""Server-sent events: a run's or a dataset's changes as they are committed.

A wake-up only says "look again"; what is sent is read from the rows, so nothing is lost when one is missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from backend.api.answers import epoch_answer
from backend.api.context import Context, Id, In, Me
from backend.api.datasets import described_dataset
from backend.api.runs import answer
from backend.api.schemas.datasets import DatasetAnswer
from backend.api.schemas.runs import EpochAnswer, RunAnswer
from backend.audit.status import is_final
from backend.store import datasets, runs

router = APIRouter(prefix="/api", tags=["events"])

POLL_SECONDS = 3.0
"""Longest time between looks, should a wake-up get lost; also how long a stream may outlive a shutdown."""
RETRY_MILLISECONDS = 2000


def _visible_run(run_id: Id, context: In, caller: Me) -> None:
    """Refuse before the stream begins: afterwards the status is out."""
    with context.database.transaction() as session:
        runs.get(session, caller.id, run_id)


def _visible_dataset(dataset_id: Id, context: In, caller: Me) -> None:
    with context.database.transaction() as session:
        datasets.get(session, caller.id, dataset_id)


@router.get("/runs/{run_id}/events", response_class=EventSourceResponse, dependencies=[Depends(_visible_run)])
async def run_events(
    run_id: Id, context: In, caller: Me, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """`epoch` (its number is the event's id; those after Last-Event-ID) and `run` events until it has ended."""
    seen = (
        int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 9 else -1
    )
    said = None
    with context.listener.subscribe("run", run_id) as subscription:
        while not context.stopping.is_set():
            run, epochs = await run_in_threadpool(_look_at_run, context, caller, run_id, seen)
            for epoch in epochs:
                seen = epoch.epoch
                yield ServerSentEvent(event="epoch", id=str(seen), data=epoch, retry=RETRY_MILLISECONDS)
            # The clock goes on in every answer; it alone is no news.
            news = run.model_dump(exclude={"seconds"})
            if news != said:
                said = news
                yield ServerSentEvent(event="run", data=run)
            if is_final("run", run.status):
                return
            await subscription.wait_async(POLL_SECONDS)


@router.get(
    "/datasets/{dataset_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(_visible_dataset)],
)
async def dataset_events(dataset_id: Id, context: In, caller: Me) -> AsyncIterator[ServerSentEvent]:
    """`dataset` events until the import has ended."""
    said = None
    with context.listener.subscribe("dataset", dataset_id) as subscription:
        while not context.stopping.is_set():
            dataset = await run_in_threadpool(_look_at_dataset, context, caller, dataset_id)
            if dataset != said:
                said = dataset
                yield ServerSentEvent(event="dataset", data=dataset, retry=RETRY_MILLISECONDS)
            if is_final("dataset", dataset.status):
                return
            await subscription.wait_async(POLL_SECONDS)


def _look_at_run(
    context: Context, caller: Me, run_id: str, after: int
) -> tuple[RunAnswer, list[EpochAnswer]]:
    with context.database.transaction() as session:
        run = answer(session, runs.get(session, caller.id, run_id))
        return run, [epoch_answer(row) for row in runs.epochs(session, run_id, after)]


def _look_at_dataset(context: Context, caller: Me, dataset_id: str) -> DatasetAnswer:
    with context.database.transaction() as session:
        return described_dataset(session, caller, datasets.get(session, caller.id, dataset_id))
