"""Drills of who works: kill, pause, duplicate deliveries, a database that is away, clocks that jump."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time

import numpy as np

from backend.audit.errors import ClaimLost
from backend.store import accounts, claims, datasets, results, runs
from backend.store.tables import Dataset, Run
from tests.drills.reached import Reached
from tests.drills.steps import (
    FOR_LONG,
    JOB_SECONDS,
    Kind,
    changes_hands,
    column,
    end_of,
    ended,
    epochs_of,
    few_of,
    handful_of,
    hit_some,
    holder_of,
    log_of,
    moves_on,
    new_import,
    new_run,
    rows_of,
    stopped,
    wait_for,
)
from tests.drills.topology import Clocks, Part, Topology, topology

RESUME_SECONDS = 60.0
AWAY_SECONDS = 60.0


def accepted_jobs_survive(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of one to three of worker, backend and database at random moments, while jobs are handed in."""
    accepted: list[tuple[Kind, str]] = []
    counts = {f"× {role}": 0 for role in ("worker", "backend", "database")}
    hits = 0
    while hits < times:
        under_way = [job for job in accepted if not ended(top, *job)]
        if len(under_way) < 6:
            with contextlib.suppress(AssertionError):
                # None accepted it: then nothing was promised.
                kind: Kind = "run" if len(accepted) % 5 == 4 else "dataset"
                few = handful_of(top) if len(accepted) % 2 else few_of(top)
                made = new_run(top, hits, dataset=few, epochs=2) if kind == "run" else new_import(top, hits)
                accepted.append((kind, made))
        # From hardly begun to nearly done.
        hits += hit_some(top, counts, times - hits, rng, after=(0.05, 8.0))
    ends = {job: end_of(top, *job) for job in accepted}
    wrong = [f"{kind} {id_}: {end}" for (kind, id_), end in ends.items() if end not in ("ready", "succeeded")]
    return Reached(hits, wrong, {**counts, "jobs accepted": len(accepted), "lost": len(wrong)})


def a_dead_workers_run_goes_on(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of the worker that holds a run, again and again; every fourth dies with a run that it has just taken."""
    wrong, slowest, repeated, newborn = [], 0.0, 0, 0
    run = new_run(top, rng.randrange(2**31), epochs=FOR_LONG)
    for number in range(times):
        if number % 4 == 3:
            newborn += 1
            took = _newborn_dies(top, rng, wrong)
        else:
            holder, before = holder_of(top, "run", run), epochs_of(top, run)
            if holder is None or not moves_on(top, run, before):
                wrong.append(f"run {run} stands still: {end_of(top, 'run', run, 1)}")
                break
            time.sleep(rng.uniform(0, 1))
            before, first = epochs_of(top, run), column(top, "run", run, "claim_id")
            holder.kill()
            took = changes_hands(top, "run", run, first, 2 * RESUME_SECONDS)
            holder.start()
            moves_on(top, run, before)
            went_on = re.findall(r"going on after epoch (\d+)", " ".join(log_of(top, run)))
            repeated = max(repeated, before - int(went_on[-1]) if went_on else before)
        slowest = max(slowest, took)
        if took > RESUME_SECONDS:
            wrong.append(f"hit {number}: resumed after {took:.0f} s")
    if repeated > 1:
        wrong.append(f"run {run}: {repeated} epochs were repeated")
    wrong += stopped(top, run)
    return Reached(times, wrong, {"epochs repeated": repeated, "of workers just started": newborn}, slowest)


def _newborn_dies(top: Topology, rng: random.Random, wrong: list[str]) -> float:
    """A worker's first job, and its last, about when its heart would have beaten first; seconds until others have it."""
    for part in top.workers:
        part.kill()
    run = new_run(top, rng.randrange(2**31), epochs=2)
    top.workers[0].start()
    wait_for(lambda: column(top, "run", run, "claim_id") is not None, JOB_SECONDS)
    first = column(top, "run", run, "claim_id")
    top.workers[0].kill()
    for part in top.workers:
        part.start()
    took = changes_hands(top, "run", run, first, 2 * RESUME_SECONDS)
    if (end := end_of(top, "run", run)) != "succeeded":
        wrong.append(f"run {run}: {end}")
    return took


def duplicates_publish_once(top: Topology, times: int, rng: random.Random) -> Reached:
    """The same finished job published by several at once, under the same and under an older claim."""
    wrong = []
    result_N = np.zeros(20, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(20)
    with top.database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        dataset = datasets.create(session, owner, "twenty", {"kind": "folder"}).id
        claims.claim(session, Dataset, dataset, "one", 5)
        claims.finish(session, Dataset, dataset, "one", "ready", sample_count=20)
    for number in range(times):
        with top.database.transaction() as session:
            run = runs.create(session, owner, dataset, "fast", {}, number).id
            claims.claim(session, Run, run, "old", 5)
            claims.claim(session, Run, run, "new", 5)
        published = {"old": 0, "new": 0}

        def publish(claim: str, run: str = run, published: dict[str, int] = published) -> None:
            with contextlib.suppress(ClaimLost), top.database.transaction() as session:
                done = results.publish_results(session, run, claim, result_N, {})
                published[claim] += done

        threads = [threading.Thread(target=publish, args=(claim,)) for claim in ("new", "old", "new")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = rows_of(top, "run", run)
        if published != {"old": 0, "new": 1} or rows != 20:
            wrong.append(f"run {run}: published {published}, {rows} rows")
    counts = {"results": times - len(wrong), "deliveries": 2 * times, "stale ones": times}
    return Reached(times, wrong, counts)


def the_database_may_go_away(top: Topology, times: int, rng: random.Random) -> Reached:
    """The database is killed again and again while a run trains, for a minute each; the run is never started again."""
    wrong: list[str] = []
    run = new_run(top, rng.randrange(2**31), epochs=FOR_LONG)
    for _ in range(times):
        moves_on(top, run, epochs_of(top, run))
        # A little less than the patience, which begins before the database is really gone.
        top.kill_database(AWAY_SECONDS - 5)
    if not moves_on(top, run, epochs_of(top, run)):
        wrong.append(f"run {run} stands still: {end_of(top, 'run', run, 1)}")
    if (starts := column(top, "run", run, "starts")) != 1:
        wrong.append(f"run {run}: {starts} starts")
    wrong += stopped(top, run)
    return Reached(times, wrong, {"seconds away": times * round(AWAY_SECONDS - 5)})


def clocks_may_jump(_: Topology, times: int, rng: random.Random) -> Reached:
    """The clocks of backends and workers jump by hours, each its own way, while a run trains and imports come in.

    No job is taken from a living worker, none waits, and a leader whose clock is ahead is missed as soon as any.
    """
    with topology(backends=2, workers=2, clocks=True) as top:
        if top.clocks is None:
            return Reached(0, [], remark="not tried: needs Debian's package faketime")
        return _jumps(top, top.clocks, times, rng)


def _jumps(top: Topology, clocks: Clocks, times: int, rng: random.Random) -> Reached:
    wrong, slowest, deaths = [], 0.0, 0
    parts: list[Part] = [*top.backends, *top.workers]
    run = new_run(top, rng.randrange(2**31), epochs=FOR_LONG)
    for number in range(times):
        holder, claim = holder_of(top, "run", run), column(top, "run", run, "claim_id")
        for part in parts:
            clocks.set(part, rng.choice([-1, 1]) * rng.randint(1800, 72_000))
        dataset = new_import(top, number)
        if (end := end_of(top, "dataset", dataset, RESUME_SECONDS)) != "ready":
            wrong.append(f"dataset {dataset}: {end}")
        # More than a heartbeat's time-out, and more than a lease.
        time.sleep(13)
        if column(top, "run", run, "claim_id") != claim:
            wrong.append(f"run {run}: taken from a living worker")
        elif holder is not None and number % 3 == 0:
            clocks.set(holder, 72_000)
            # Long enough for it to renew its lease, if it leads.
            time.sleep(5)
            deaths += 1
            holder.kill()
            took = changes_hands(top, "run", run, claim, 2 * RESUME_SECONDS)
            slowest = max(slowest, took)
            holder.start()
            if took > RESUME_SECONDS:
                wrong.append(f"run {run}: resumed after {took:.0f} s")
    for part in parts:
        clocks.set(part, 0)
    wrong += stopped(top, run)
    return Reached(times, wrong, {"deaths with the clock 20 h ahead": deaths}, slowest or None)
