"""Drills of what trains: memory that runs out, numbers that stop being finite, losses that tell nothing."""

from __future__ import annotations

import random
import resource
import time
from functools import partial
from pathlib import Path

import numpy as np

from backend.store import results
from tests.drills.reached import Reached
from tests.drills.steps import (
    JOB_SECONDS,
    column,
    dataset_of,
    end_of,
    ended,
    epochs_of,
    holder_of,
    is_ready,
    kill,
    moves_on,
    new_run,
    process_of,
    stopped,
    wait_for,
)
from tests.drills.topology import Part, Topology

LIMITED = {
    "refused memory": ("VmData", resource.RLIMIT_DATA),
    "refused address space": ("VmSize", resource.RLIMIT_AS),
}
"""How a process may be refused memory: what /proc calls that which it has of it, and the limit on it."""
HALVED = "Memory ran out with batches of 128 images; went on with 64."


def memory_may_run_out(top: Topology, times: int, rng: random.Random) -> Reached:
    """A run's process is killed as systems do, once or twice, or may allocate nothing more from some moment on.

    Once: it goes on with half the batch and succeeds. Twice: it fails as OUT_OF_MEMORY. Refused: either of both. Worker
    and backend stay up.
    """
    wrong: list[str] = []
    hits = ("killed once", "killed twice", "refused memory", "refused address space")
    counts = dict.fromkeys((*hits, "of these failed in words"), 0)
    pids = [part.pid for part in top.workers]
    for number in range(times):
        # What goes to its end is drawn on a map besides, which takes longer than all the rest.
        run = new_run(top, number, epochs=6 if number == 0 else 2000)
        holder = holder_of(top, "run", run)
        assert holder is not None, end_of(top, "run", run)
        how = hits[number % 4]
        counts[how] += 1
        if how in LIMITED:
            time.sleep(rng.uniform(0, 8))
            _refuse(process_of(holder, run), how, rng.randint(0, 32))
            # Those with enough are as they should be too.
            if wait_for(partial(ended, top, "run", run), 30):
                if (end := end_of(top, "run", run)) != "failed OUT_OF_MEMORY":
                    wrong.append(f"run {run}, {how}: {end}")
                counts["of these failed in words"] += 1
            else:
                wrong += stopped(top, run)
        else:
            wrong += _killed(top, run, rng, twice=how == "killed twice", to_its_end=number == 0)
        if not all(part.is_alive() for part in top.workers) or pids != [part.pid for part in top.workers]:
            wrong.append(f"run {run}: a worker went with it")
        if not is_ready(top):
            wrong.append(f"run {run}: the backend went with it")
    return Reached(times, wrong, counts)


def _has_another(top: Topology, holder: Part, run: str, pid: int | None) -> bool:
    """Whether the run is over, or has another process than this one."""
    return ended(top, "run", run) or process_of(holder, run) not in (None, pid)


def _killed(top: Topology, run: str, rng: random.Random, *, twice: bool, to_its_end: bool) -> list[str]:
    holder = holder_of(top, "run", run)
    assert holder is not None
    moves_on(top, run, 0)
    time.sleep(rng.uniform(0, 2))
    for _ in range(2 if twice else 1):
        before, pid = epochs_of(top, run), process_of(holder, run)
        if pid is not None:
            kill(pid)
        if not wait_for(partial(_has_another, top, holder, run, pid), JOB_SECONDS):
            return [f"run {run}: no second attempt"]
        if not ended(top, "run", run):
            moves_on(top, run, before)
    said = column(top, "run", run, "progress").get("message", "")
    if not twice and not to_its_end:
        return [*([] if HALVED in f"{said}." else [f"run {run}: {said}"]), *stopped(top, run)]
    end = end_of(top, "run", run)
    if twice:
        return [] if end == "failed OUT_OF_MEMORY" else [f"run {run}, killed twice: {end}"]
    notes = column(top, "run", run, "outcome").get("notes", [])
    return [] if end == "succeeded" and HALVED in notes else [f"run {run}, killed once: {end}, {notes}"]


def _refuse(pid: int | None, how: str, mebibytes: int) -> None:
    """From now on the process gets so much more of it than it has, and no more."""
    if pid is None:
        return
    word, limited = LIMITED[how]
    status = Path(f"/proc/{pid}/status").read_text()
    has = next(int(line.split()[1]) for line in status.splitlines() if line.startswith(word))
    limit = has * 1024 + mebibytes * 2**20
    resource.prlimit(pid, limited, (limit, limit))


def numbers_may_go_wrong(top: Topology, times: int, rng: random.Random) -> Reached:
    """Steps so long that the losses leave the numbers, images that are all the same, labels that say nothing.

    It ends within an epoch of that in words, or with a verdict and finite results; flags are never made of NaN.
    """
    wrong: list[str] = []
    counts = {"diverged": 0, "with a verdict": 0}
    for number in range(times):
        if number % 2:
            run = new_run(top, number, dataset=_same_images(top), epochs=rng.randint(1, 3))
        else:
            settings = {"learning_rate": 100.0, "momentum": 0.9999, "weight_decay": rng.choice([0.0, 1.0])}
            recipe = rng.choice(["ce", "m-dyr-h"])
            run = new_run(top, number, recipe=recipe, epochs=rng.randint(2, 5), **settings)
        end = end_of(top, "run", run)
        if end == "failed DIVERGED":
            counts["diverged"] += 1
        elif end == "succeeded":
            counts["with a verdict"] += 1
            wrong += _not_finite(top, run)
        else:
            wrong.append(f"run {run}: {end}")
    return Reached(times, wrong, counts)


def _not_finite(top: Topology, run: str) -> list[str]:
    with top.database.transaction() as session:
        found = results.columns(session, run)
    outcome = column(top, "run", run, "outcome")
    names = ("noise_posterior", "loss", "margin", "label_quality", "x", "y")
    odd = [name for name in names if not np.isfinite(getattr(found, name)).all()]
    if outcome["trust"]["verdict"] not in ("good", "doubtful", "none"):
        odd.append("verdict")
    if outcome["flagged"] != int(found.flagged.sum()):
        odd.append("flagged")
    return [f"run {run}: {', '.join(odd)} not as it should be"] if odd else []


def _same_images(top: Topology) -> str:
    """A dataset of two classes whose images are all the same: all losses are equal."""
    image = np.full((12, 12, 3), 90, np.uint8)
    return dataset_of(top, "all the same", (("ab"[number % 2], image) for number in range(200)))
