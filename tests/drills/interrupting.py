"""Drills of one writer: a worker is paused, or cut off from the database, another gets its job, and it comes back."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from sqlalchemy import text

from backend.store import datasets, jobs, runs
from tests.drills.reached import Reached
from tests.drills.steps import (
    DIGITS,
    HANDFUL,
    changes_hands,
    column,
    end_of,
    ended,
    handful_of,
    holder_of,
    new_import,
    new_run,
    rows_of,
    wait_for,
)
from tests.drills.topology import Part, Topology, topology

RESUME_SECONDS = 60.0
GONE_SECONDS = 30.0
"""So soon after it is back, who lost its job has noticed."""
HANDED_OVER = """
UPDATE chancy_jobs SET state = 'pending', taken_by = NULL, claim_id = NULL
WHERE state = 'running' AND unique_key = :key
"""
"""What the queue does with a job whose worker was not heard of for long enough."""
FILES = {"run": 6, "dataset": 5}
"""So many each of them stores; every one with its seal."""

Interrupt = Callable[[Part], AbstractContextManager[None]]
Subject = Literal["run", "dataset"]


def one_writer(top: Topology, times: int, rng: random.Random) -> Reached:
    """SIGSTOP of a worker and its job until another has the job, then SIGCONT: the first publishes nothing."""

    @contextmanager
    def paused(holder: Part) -> Iterator[None]:
        holder.signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            holder.signal_all(signal.SIGCONT)

    return _interrupted(top, times, rng, paused, waited_for=0.0)


def one_writer_over_partitions(_: Topology, times: int, rng: random.Random) -> Reached:
    """The line between a worker and the database is cut until another has the job, and mended: as after a pause.

    The cut-off one goes on computing and storing. One in four is missed by the queue itself, by its silent heart.
    """
    with topology(backends=2, workers=2, lines=True) as top:

        @contextmanager
        def cut(holder: Part) -> Iterator[None]:
            line = top.lines[holder.name]
            line.cut()
            try:
                yield
            finally:
                line.mend()

        return _interrupted(top, times, rng, cut, waited_for=0.25)


def _interrupted(
    top: Topology, times: int, rng: random.Random, interrupt: Interrupt, *, waited_for: float
) -> Reached:
    """Half of the interruptions come while artifacts are stored; `waited_for`: share that the queue has to notice.

    A job is interrupted some times in a row, each time in other hands.
    """
    wrong: list[str] = []
    counts = {
        "of imports": 0,
        "of runs": 0,
        "of these with half of its files stored": 0,
        "stale publishes": 0,
    }
    slowest = 0.0
    while (left := times - counts["of imports"] - counts["of runs"]) > 0:
        kind: Subject = "run" if rng.random() < 0.25 else "dataset"
        seed = rng.randrange(2**31)
        id_ = (
            new_run(top, seed, dataset=handful_of(top), epochs=2) if kind == "run" else new_import(top, seed)
        )
        claims: list[str] = []
        for _ in range(min(left, rng.randint(1, 6))):
            holder = holder_of(top, kind, id_)
            if holder is None:
                break
            _some_moment(top, kind, id_, rng)
            with interrupt(holder):
                if ended(top, kind, id_):
                    break
                counts["of runs" if kind == "run" else "of imports"] += 1
                claims.append(column(top, kind, id_, "claim_id"))
                counts["of these with half of its files stored"] += _is_half_stored(top, kind, id_)
                if rng.random() >= waited_for:
                    with top.database.transaction() as session:
                        session.execute(text(HANDED_OVER), {"key": jobs.key(kind, id_)})
                slowest = max(slowest, changes_hands(top, kind, id_, claims[-1], 2 * RESUME_SECONDS))
                # It comes back at whatever stage the other is in, or after its end.
                time.sleep(rng.uniform(0, 3))
        end = end_of(top, kind, id_)
        if not wait_for(lambda id_=id_: not any(part.holds(id_) for part in top.workers), GONE_SECONDS):
            wrong.append(f"{kind} {id_}: a process that was interrupted goes on")
        if column(top, kind, id_, "claim_id") in claims:
            wrong.append(f"{kind} {id_}: nobody else got it")
        rows, samples = rows_of(top, kind, id_), HANDFUL if kind == "run" else DIGITS
        damaged = _damaged(top, kind, id_)
        if end not in ("succeeded", "ready") or rows != samples or damaged:
            wrong.append(f"{kind} {id_}: {end} with {rows} rows, {damaged}")
            counts["stale publishes"] += rows != samples or bool(damaged)
    if slowest > RESUME_SECONDS:
        wrong.append(f"a job went on after {slowest:.0f} s")
    return Reached(times, wrong, counts, slowest)


def _some_moment(top: Topology, kind: Subject, id_: str, rng: random.Random) -> None:
    """Of its life, or, as often, of those in which it stores something."""
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0, 3))
    else:
        _begins_to_store(top, kind, id_, rng)


def _begins_to_store(top: Topology, kind: Subject, id_: str, rng: random.Random) -> None:
    """Until some of what its claim stores is there, and a moment longer."""
    objects = top.opened().objects
    # Of a run its checkpoints, or its results.
    checkpoints = kind == "run" and rng.random() < 0.3
    while not ended(top, kind, id_) and not objects.stored(_place(top, kind, id_, checkpoints=checkpoints)):
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.005))


def _place(top: Topology, kind: Subject, id_: str, *, checkpoints: bool = False) -> str:
    """Where who has claimed it stores what it publishes, or its checkpoints."""
    if kind == "dataset":
        return f"datasets/{column(top, kind, id_, 'content_id')}"
    return f"runs/{id_}/{'checkpoint/' if checkpoints else ''}{column(top, kind, id_, 'claim_id')}"


def _is_half_stored(top: Topology, kind: Subject, id_: str) -> bool:
    """Whether something of what it publishes is stored, but not all."""
    return 0 < len(top.opened().objects.stored(_place(top, kind, id_))) < 2 * FILES[kind]


def _damaged(top: Topology, kind: Subject, id_: str) -> list[str]:
    """Keys of what it published that are not what was stored; and words when it is not all of it."""
    with top.database.transaction() as session:
        if kind == "run":
            run = runs.load(session, id_)
            place = runs.place(run)
            wrong = [] if place.endswith(str(run.claim_id)) else [f"{place} is not of claim {run.claim_id}"]
        else:
            place, wrong = f"datasets/{datasets.load(session, id_).content_id}", []
    store = top.opened()
    keys = store.list(place)
    if len(keys) != FILES[kind]:
        wrong.append(f"{len(keys)} files")
    return [*wrong, *(key for key in keys if store.state(key) != "whole")]
