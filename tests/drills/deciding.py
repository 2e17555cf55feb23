"""The drill of decisions: backends and the database die while people decide, who send each again until it is answered."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from functools import partial
from typing import Any

import httpx
from sqlalchemy import text

from tests.drills.reached import Reached
from tests.drills.steps import FEW, few_of, hit_some, is_ready, wait_for
from tests.drills.topology import Topology

PEOPLE = 12
VERDICTS = ("keep", "remove", "unsure")
ANSWER_SECONDS = 60.0
ALL = "SELECT idempotency_key, sample_index, verdict FROM decision WHERE dataset_id = :dataset ORDER BY id"
TOLD = "SELECT count(*) FROM activity WHERE subject = :dataset AND action = 'decisions.create'"


class _Person:
    """Decides one sample after another; `sent` are the (sample, verdict) by key that were answered."""

    def __init__(self, top: Topology, dataset: str, seed: int) -> None:
        self._top, self._address = top, f"/api/datasets/{dataset}/decisions"
        self._rng = random.Random(seed)
        self.sent: dict[str, tuple[int, str]] = {}
        self.again, self.slowest, self.wrong = 0, 0.0, list[str]()

    def decide(self, stop: threading.Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            key = f"{self._rng.getrandbits(64):016x}"
            index, verdict = self._rng.randrange(FEW), self._rng.choice(VERDICTS)
            item = {"index": index, "verdict": verdict}
            began = time.monotonic()
            if not self._answered({"items": [item], "idempotency_key": key}, began + ANSWER_SECONDS):
                self.wrong.append(f"decision {key}: no answer for {ANSWER_SECONDS:.0f} s")
                return
            self.sent[key] = (index, verdict)
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _answered(self, body: dict[str, Any], until: float) -> bool:
        backend = self._rng.randrange(len(self._top.ports))
        while time.monotonic() < until:
            try:
                with self._top.client(backend) as client:
                    answer = client.post(self._address, json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return True
            if answer is not None and answer.status_code != 503:
                self.wrong.append(f"{answer.status_code}: {answer.text[:200]}")
            self.again += 1
            backend = (backend + 1) % len(self._top.ports)
            time.sleep(0.1)
        return False


def decisions_are_kept(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of a backend, the database or both: what was answered is recorded once, and every backend shows it."""
    dataset = few_of(top)
    with top.database.autocommit() as session:
        before = {row.idempotency_key for row in session.execute(text(ALL), {"dataset": dataset})}
    stop = threading.Event()
    people = [_Person(top, dataset, rng.randrange(2**31)) for _ in range(PEOPLE)]
    threads = [threading.Thread(target=person.decide, args=(stop,)) for person in people]
    for thread in threads:
        thread.start()
    counts = {"× backend": 0, "× database": 0}
    hits, wrong = 0, list[str]()
    while hits < times:
        if not _somebody_is_answered(people):
            wrong.append(f"hit {hits}: nobody is answered any more")
            break
        hits += hit_some(top, counts, times - hits, rng, after=(0.02, 3.0))
    stop.set()
    for thread in threads:
        thread.join()
    sent = {key: said for person in people for key, said in person.sent.items()}
    wrong += [each for person in people for each in person.wrong]
    wrong += _compared(top, dataset, before, sent)
    figures = {"decisions": len(sent), "sent again": sum(person.again for person in people)}
    return Reached(hits, wrong, {**counts, **figures}, max(person.slowest for person in people))


def _somebody_is_answered(people: list[_Person]) -> bool:
    """Wait for it after each hit, so that the next one hits people at work."""

    def answered() -> int:
        return sum(len(person.sent) for person in people)

    before = answered()
    return wait_for(lambda: answered() > before, ANSWER_SECONDS)


def _compared(top: Topology, dataset: str, before: set[str], sent: dict[str, tuple[int, str]]) -> list[str]:
    """What is not as it was answered: in the rows, in the activity log, or in what a backend shows."""
    with top.database.autocommit() as session:
        rows = session.execute(text(ALL), {"dataset": dataset}).all()
        told = session.scalar(text(TOLD), {"dataset": dataset})
    times = Counter(row.idempotency_key for row in rows)
    kept = {row.idempotency_key: (row.sample_index, row.verdict) for row in rows}
    wrong = [f"decision {key}: recorded {count} times" for key, count in times.items() if count > 1]
    wrong += [
        f"decision {key}: {kept.get(key)} instead of {said}"
        for key, said in sent.items()
        if kept.get(key) != said
    ]
    wrong += [f"decision {key}: nobody sent it" for key in kept.keys() - sent.keys() - before]
    if told != len(kept):
        wrong.append(f"{told} in the activity log of {len(kept)}")
    stands = {str(row.sample_index): row.verdict for row in rows}
    for backend in range(len(top.ports)):
        if not wait_for(partial(is_ready, top, backend), ANSWER_SECONDS):
            wrong.append(f"backend {backend} does not come back")
            continue
        with top.client(backend) as client:
            address = f"/api/datasets/{dataset}/decisions"
            counts = client.get(address).json()["counts"]
            items = client.get(f"{address}/standing").json()["items"]
        if counts != dict(Counter(stands.values())):
            wrong.append(f"backend {backend} counts {counts}")
        if {str(item["index"]): item["verdict"] for item in items} != stands:
            wrong.append(f"backend {backend} shows other decisions than stand")
    return wrong
