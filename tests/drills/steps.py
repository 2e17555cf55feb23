"""Steps that several drills take: hand something in, see who holds it, wait; knows no promises."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sqlalchemy import text

from tests.drills.topology import Part, Topology, finished

JOB_SECONDS = 300
"""So long one job may take to its end on a busy machine once nothing hits it any more."""
DIGITS = 1797
FEW = 300
HANDFUL = 14
FOR_LONG = 10_000
"""Epochs of a run that is still at work when a drill has done with it."""

Kind = Literal["run", "dataset", "preflight"]


def handed_in(top: Topology, address: str, body: dict[str, Any]) -> str:
    """The id of what some backend accepted."""
    made = top.post(address, body)
    assert made is not None, "no backend accepts anything"
    return str(made["id"])


def new_import(top: Topology, seed: int) -> str:
    """An import of the digits that has just been accepted."""
    return handed_in(top, "/api/datasets/builtin/digits", {"noise_rate": 0.1, "seed": seed})


def folder_of(top: Topology, name: str, images: Iterable[tuple[str, NDArray[np.uint8]]]) -> str:
    """A folder of this server with these images by class, written once."""
    folder = top.folder / "opened" / name
    if not folder.exists():
        for number, (label, image) in enumerate(images):
            (folder / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / label / f"{number}.png")
    return str(folder)


def dataset_of(top: Topology, name: str, images: Iterable[tuple[str, NDArray[np.uint8]]]) -> str:
    """A dataset of such a folder, imported once for all drills of a topology."""
    with top.database.transaction() as session:
        query = text("SELECT id FROM dataset WHERE status = 'ready' AND name = :name")
        known = session.scalars(query, {"name": name}).first()
    if known is not None:
        return str(known)
    folder = folder_of(top, name, images)
    dataset = handed_in(top, "/api/datasets", {"server_folder": folder, "name": name})
    assert end_of(top, "dataset", dataset) == "ready"
    return dataset


def _digits(count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    found = load_digits()
    images = np.round(found.images[:count] * 15.9375).astype(np.uint8)
    yield from zip(map(str, found.target[:count]), images, strict=True)


def few_of(top: Topology) -> str:
    """Some of the digits: an epoch on them is over at once."""
    return dataset_of(top, "few digits", _digits(FEW))


def handful_of(top: Topology) -> str:
    """So few of the digits that they need no UMAP, whose import takes longer than all the rest of a run."""
    return dataset_of(top, "a handful of digits", _digits(HANDFUL))


def new_run(
    top: Topology, seed: int, *, dataset: str | None = None, recipe: str = "ce", **settings: Any
) -> str:
    """A run that has just been accepted, small unless its settings say otherwise; on a few digits."""
    small = {"width": 4, "batch_size": 128, **settings}
    body = {"recipe": recipe, "settings": small, "seed": seed}
    return handed_in(top, f"/api/datasets/{dataset or few_of(top)}/runs", body)


def end_of(top: Topology, kind: Kind, id_: str, seconds: float = JOB_SECONDS) -> str:
    """The final status, with the code of its error; or the status it had when time was over."""
    end = finished(lambda: top.state(kind, id_), seconds)
    error = column(top, kind, id_, "error")
    return f"{end} {error['code']}" if error else end


def column(top: Topology, kind: Kind, id_: str, name: str) -> Any:
    """One column of its row."""
    with top.database.transaction() as session:
        return session.execute(
            text(f'SELECT "{name}" FROM "{kind}" WHERE id = :id'), {"id": id_}
        ).scalar_one()


def rows_of(top: Topology, kind: Kind, id_: str) -> int:
    """How many samples a dataset has, or results a run."""
    table, key = {"run": ("result", "run_id"), "dataset": ("sample", "dataset_id")}[kind]
    with top.database.transaction() as session:
        found = session.execute(text(f"SELECT count(*) FROM {table} WHERE {key} = :id"), {"id": id_})
        return int(found.scalar_one())


def holder_of(top: Topology, kind: Kind, id_: str) -> Part | None:
    """The worker whose process has claimed it; None when it has ended."""
    found: list[Part] = []

    def look() -> bool:
        if claim := column(top, kind, id_, "claim_id"):
            # Not who only has it in hand: one that was replaced takes a moment to notice.
            found[:] = [part for part in top.workers if part.holds(claim)]
        return bool(found) or ended(top, kind, id_)

    wait_for(look, JOB_SECONDS)
    return None if ended(top, kind, id_) or not found else found[0]


def ended(top: Topology, kind: Kind, id_: str) -> bool:
    """Whether it has a final status."""
    return top.state(kind, id_) in ("ready", "succeeded", "failed", "cancelled")


def epochs_of(top: Topology, run: str) -> int:
    """How many epochs the run has told of."""
    with top.database.transaction() as session:
        return int(session.scalar(text("SELECT count(*) FROM epoch WHERE run_id = :run"), {"run": run}) or 0)


def moves_on(top: Topology, run: str, before: int, seconds: float = JOB_SECONDS) -> bool:
    """Whether it tells of further epochs in time."""
    return wait_for(lambda: epochs_of(top, run) > before, seconds)


def changes_hands(top: Topology, kind: Kind, id_: str, first: str | None, seconds: float) -> float:
    """After how many seconds it was no longer claimed by the first, or had ended."""
    began = time.monotonic()
    wait_for(lambda: column(top, kind, id_, "claim_id") != first or ended(top, kind, id_), seconds)
    return time.monotonic() - began


def stopped(top: Topology, run: str) -> list[str]:
    """Stop a run that a drill needs no more; what is wrong when it does not end as cancelled."""
    with top.client() as client:
        client.post(f"/api/runs/{run}/stop", json={})
    end = end_of(top, "run", run, 60)
    return [] if end == "cancelled" else [f"run {run}: {end}"]


def log_of(top: Topology, run: str) -> list[str]:
    """The last lines of the run's log."""
    return [line["text"] for line in column(top, "run", run, "progress").get("log", [])]


def hit_some(
    top: Topology, counts: dict[str, int], most: int, rng: random.Random, *, after: tuple[float, float]
) -> int:
    """kill -9 of one or more of the roles that are counted ("× backend") at the same moment; gives how many.

    Somewhen in so many seconds: as many short waits as long ones.
    """
    shortest, longest = after
    time.sleep(math.exp(rng.uniform(math.log(shortest), math.log(longest))))
    roles = rng.sample(list(counts), min(rng.randint(1, len(counts)), most))
    top.hit([role.removeprefix("× ") for role in roles], rng)
    for role in roles:
        counts[role] += 1
    return len(roles)


def process_of(part: Part, id_: str) -> int | None:
    """The process that this worker started for a job."""
    return next(iter(part.holding(id_)), None)


def kill(pid: int) -> None:
    """kill -9, unless it is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_ready(top: Topology, backend: int = 0) -> bool:
    """Whether this backend serves."""
    with contextlib.suppress(Exception), top.client(backend) as client:
        return client.get("/health/ready").is_success
    return False


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
