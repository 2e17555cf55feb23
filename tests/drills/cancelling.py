"""The drill of stopping: an import, a run and a look beforehand, each in whatever state it is."""

from __future__ import annotations

import random
import time
from functools import partial

import numpy as np

from tests.drills.reached import Reached
from tests.drills.steps import Kind, column, ended, folder_of, handed_in, new_import, new_run, wait_for
from tests.drills.topology import Topology

CANCEL_SECONDS = 10.0
IMAGES = 1500


def cancel_is_quick(top: Topology, times: int, rng: random.Random) -> Reached:
    """Stop an import, a run or a preflight at any moment of its life: it has ended, and its process is gone, in 10 s."""
    folder = _many_images(top)
    wrong: list[str] = []
    states: dict[str, int] = {}
    slowest, hit = 0.0, 0
    while hit < times:
        seed = rng.randrange(2**31)
        begun: list[tuple[Kind, str]] = [
            ("run", new_run(top, seed, epochs=rng.choice([1, 3, 20]))),
            ("dataset", new_import(top, seed)),
            ("preflight", handed_in(top, "/api/preflights", {"server_folder": folder})),
        ]
        rng.shuffle(begun)
        for kind, id_ in begun[: times - hit]:
            if rng.random() < 0.6:
                # On a busy machine nearly all would still wait for their process to begin.
                wait_for(partial(_is_begun, top, kind, id_), 60)
            # Of three that share two workers, some wait, some have begun, some are at their end.
            time.sleep(rng.uniform(0, 5 if kind == "run" else 2))
            state = _state(top, kind, id_)
            began = time.monotonic()
            with top.client() as client:
                answer = client.post(f"/api/{kind}s/{id_}/stop", json={})
            if answer.status_code == 409:
                # It was over already, and does not count.
                continue
            wait_for(partial(ended, top, kind, id_), 60)
            took = time.monotonic() - began
            gone = wait_for(partial(_is_gone, top, id_), max(0.0, CANCEL_SECONDS - took))
            hit, slowest = hit + 1, max(slowest, took)
            states[state] = states.get(state, 0) + 1
            end = top.state(kind, id_)
            if end not in ("cancelled", "ready", "succeeded") or took > CANCEL_SECONDS or not gone:
                left = "" if gone else ", and its process is there"
                wrong.append(f"{kind} {id_} ({state}): {end} after {took:.1f} s{left}")
        for kind, id_ in begun:
            if not ended(top, kind, id_):
                with top.client() as client:
                    client.post(f"/api/{kind}s/{id_}/stop", json={})
    return Reached(hit, wrong, dict(sorted(states.items())), slowest)


def _state(top: Topology, kind: Kind, id_: str) -> str:
    """What it is, whether it waits, and what it is at."""
    if column(top, kind, id_, "claim_id") is None:
        return f"{kind} waiting"
    return f"{kind} {column(top, kind, id_, 'progress').get('stage') or 'beginning'}"


def _is_begun(top: Topology, kind: Kind, id_: str) -> bool:
    return column(top, kind, id_, "claim_id") is not None or ended(top, kind, id_)


def _many_images(top: Topology) -> str:
    """A folder of this server that takes some seconds to look through."""
    image_NHWC = np.random.default_rng(0).integers(0, 256, (IMAGES, 48, 48, 3), np.uint8)
    return folder_of(top, "many", (("ab"[number % 2], image) for number, image in enumerate(image_NHWC)))


def _is_gone(top: Topology, id_: str) -> bool:
    """Whether no worker has a process for it any more."""
    return not any(part.holds(id_) for part in top.workers)
