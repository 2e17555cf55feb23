"""A working day at once: 100 reviewers decide and 10 pages watch, while a run trains and an import goes on.

    python -m benchmarks.load [--minutes 10] [--reviewers 100] [--streams 10] [--pace 4] [--json FILE]

PostgreSQL, one backend and one worker run as `noise-audit up` runs them, each a process of its own, all on this machine with
what makes the load. A reviewer looks at a sample (its evidence and its image), decides after `pace` seconds on average, and
takes a new page of the list every two dozen. Audits of the digits follow one another, and so do uploads with their imports.
Promised: no error, each route's 99th percentile under 500 ms on two cores, the backend's memory flat, and as many decisions kept
as were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from sqlalchemy import text

from backend.cli.supervisor import Supervisor, free_port
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from benchmarks.api import bearer, quantile
from benchmarks.million import Written, write
from noise_audit import Client, JobFailed, ServerError, ServerUnreachable

P99_MS = 500.0
GROWTH = 0.1
"""The last quarter's memory may exceed the second one's by so much: by then everything has been asked for once."""
PAGE = 24
SAMPLE_SECONDS = 5.0
IMPORTED = 1500
"""Images of each import, 64 pixels to a side."""
BETWEEN_IMPORTS = 5.0


@dataclass
class Seen:
    """What the load met, by route."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    decided: int = 0
    events: int = 0
    streams_opened: int = 0
    runs: int = 0
    imports: int = 0
    memory_mb: list[float] = field(default_factory=list)
    worker_mb: list[float] = field(default_factory=list)
    current_run: str | None = None


class Load:
    """Everybody at work on one installation until a moment."""

    def __init__(self, url: str, written: Written, until: float, pace: float) -> None:
        self.url, self.written, self.until, self.pace = url, written, until, pace
        self.seen = Seen()

    def goes_on(self) -> bool:
        """Whether the moment has not come."""
        return time.monotonic() < self.until

    async def people(self, streams: int) -> None:
        """Reviewers and watchers, until the moment."""
        # A client for each: a shared one looks through every connection, and each against every other, at each request.
        async with AsyncExitStack() as open_clients:

            async def client() -> httpx.AsyncClient:
                alone = httpx.AsyncClient(base_url=self.url, verify=False, trust_env=False, timeout=60)
                return await open_clients.enter_async_context(alone)

            work = [
                self._reviewer(await client(), place, token)
                for place, token in enumerate(self.written.reviewers)
            ]
            work += [self._watcher(await client()) for _ in range(streams)]
            await asyncio.gather(*work)

    async def _reviewer(self, client: httpx.AsyncClient, place: int, token: str) -> None:
        rng = random.Random(place)
        own = self.written.undecided[place :: len(self.written.reviewers)]
        run, dataset = f"/api/runs/{self.written.run_id}", f"/api/datasets/{self.written.dataset_id}"
        # They come one after another, so that no two dozen of them turn the page together for ever after.
        await asyncio.sleep(rng.random() * min(PAGE * self.pace, self.until - time.monotonic()))
        for turn, index in enumerate(own * 100):
            if not self.goes_on():
                return
            began = time.monotonic()
            if turn % PAGE == 0:
                await self._timed(client, "page", token, f"{run}/samples?flagged=true&verdict=none&limit=96")
                await self._timed(client, "counts", token, f"{dataset}/decisions")
            await self._timed(client, "sample", token, f"{run}/samples/{index}")
            await self._timed(client, "thumbnail", token, f"{dataset}/samples/{index}/thumbnail")
            looking = self.pace * rng.uniform(0.5, 1.5) - (time.monotonic() - began)
            await asyncio.sleep(max(0.0, looking))
            item = {"index": index, "verdict": rng.choice(["keep", "remove", "unsure"])}
            body = {
                "items": [item],
                "run_id": self.written.run_id,
                "idempotency_key": uuid.uuid4().hex,
            }
            if await self._timed(client, "decide", token, f"{dataset}/decisions", body):
                self.seen.decided += 1

    async def _timed(
        self, client: httpx.AsyncClient, name: str, token: str, address: str, body: Any = None
    ) -> bool:
        began = time.perf_counter()
        try:
            answer = await client.request(
                "GET" if body is None else "POST", address, json=body, headers=bearer(token)
            )
        except httpx.HTTPError as error:
            self.seen.errors.append(f"{name}: {type(error).__name__}")
            return False
        self.seen.milliseconds[name].append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            self.seen.errors.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == 200

    async def _watcher(self, client: httpx.AsyncClient) -> None:
        """Follow whatever run is at work; a stream that ends before its run does is an error."""
        while self.goes_on():
            run_id, last = self.seen.current_run, ""
            if run_id is None:
                await asyncio.sleep(0.2)
                continue
            self.seen.streams_opened += 1
            began = time.perf_counter()
            address = f"/api/runs/{run_id}/events"
            try:
                async with client.stream("GET", address, headers=bearer(self.written.owner)) as stream:
                    self.seen.milliseconds["stream opens"].append((time.perf_counter() - began) * 1000)
                    if stream.status_code != 200:
                        self.seen.errors.append(f"stream: {stream.status_code}")
                        await asyncio.sleep(1)
                        continue
                    async for line in stream.aiter_lines():
                        self.seen.events += line.startswith("event:")
                        last = line if '"status"' in line else last
                        if not self.goes_on():
                            return
            except httpx.HTTPError as error:
                self.seen.errors.append(f"stream: {type(error).__name__}")
            if '"status":"succeeded"' not in last.replace(" ", ""):
                self.seen.errors.append(f"stream ended with {last[:200]!r}")
            while self.goes_on() and self.seen.current_run == run_id:
                await asyncio.sleep(0.2)

    def audits(self, client: Client) -> None:
        """One audit of the digits after another."""
        digits = client.import_digits(noise_rate=0.2)["id"]
        client.wait_for_dataset(digits)
        while self.goes_on():
            self.seen.current_run = client.audit(digits, seed=self.seen.runs)["id"]
            status = _ended(client, self.seen.current_run, self)
            if status not in ("succeeded", "running", "queued"):
                self.seen.errors.append(f"a run {status}")
            self.seen.runs += status == "succeeded"

    def imports(self, client: Client, file: Path) -> None:
        """One upload with its import after another."""
        while self.goes_on():
            dataset = client.wait_for_dataset(client.import_path(file)["id"])
            if (dataset["status"], dataset["sample_count"]) != ("ready", IMPORTED):
                self.seen.errors.append(f"an import {dataset['status']}: {dataset['error']}")
            self.seen.imports += 1
            time.sleep(BETWEEN_IMPORTS)

    def memory(self, backend: int, worker: int) -> None:
        """What backend and worker have resident, every few seconds."""
        while self.goes_on():
            self.seen.memory_mb.append(_resident_mb(backend))
            self.seen.worker_mb.append(sum(_resident_mb(pid) for pid in _tree(worker)))
            time.sleep(SAMPLE_SECONDS)

    def guarded(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        """Do this beside the rest; what it raises is an error met."""

        def run() -> None:
            try:
                work(*arguments)
            except (ServerError, ServerUnreachable, JobFailed, httpx.HTTPError, OSError) as error:
                self.seen.errors.append(f"{work.__name__}: {type(error).__name__}: {error}")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


def _ended(client: Client, run_id: str, load: Load) -> str:
    while True:
        status = str(client.run(run_id)["status"])
        if status not in ("queued", "running") or not load.goes_on():
            return status
        time.sleep(1)


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        found = [int(child) for child in children.read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(each for child in found for each in _tree(child))]


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def pictures(path: Path) -> Path:
    """A zip of images in three class folders."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(IMPORTED):
            coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            file = io.BytesIO()
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
            archive.writestr(f"{'abc'[number % 3]}/{number:05d}.jpg", file.getvalue())
    return path


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole load on an installation in this folder."""
    settings = Settings(data=folder, database_url="", artifacts="", port=free_port("127.0.0.1"))
    with Supervisor(settings, workers=1, remembered=False) as installation:
        database = Database(installation.settings.database_url)
        written = write(database, Artifacts.open("", folder), options.samples, 0, options.reviewers)
        load = Load(installation.url, written, time.monotonic() + options.minutes * 60, options.pace)
        backend, worker = installation.processes()
        with (
            Client(installation.url, installation.token) as auditing,
            Client(installation.url, installation.token) as importing,
        ):
            beside = [
                load.guarded(load.audits, auditing),
                load.guarded(load.imports, importing, pictures(folder / "pictures.zip")),
                load.guarded(load.memory, backend, worker),
            ]
            asyncio.run(load.people(options.streams))
            for thread in beside:
                thread.join(60)
        with database.transaction() as session:
            count = text("SELECT count(*) FROM decision WHERE dataset_id = :id")
            kept = session.execute(count, {"id": written.dataset_id}).scalar_one()
        database.dispose()
    return summary(options, load.seen, int(kept))


def summary(options: argparse.Namespace, seen: Seen, kept: int) -> dict[str, Any]:
    """What was met, in numbers."""
    quarter = max(1, len(seen.memory_mb) // 4)
    second, last = seen.memory_mb[quarter : 2 * quarter], seen.memory_mb[-quarter:]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "note": options.note,
        **{name: getattr(options, name) for name in ("minutes", "reviewers", "streams", "pace", "samples")},
        "errors": len(seen.errors),
        "first_errors": seen.errors[:10],
        "decisions_sent": seen.decided,
        "decisions_kept": kept,
        "all_p99_ms": round(quantile([one for each in seen.milliseconds.values() for one in each], 0.99), 1),
        "routes": {
            name: {
                "requests": len(values),
                "p50_ms": round(quantile(values, 0.5), 1),
                "p99_ms": round(quantile(values, 0.99), 1),
                "most_ms": round(max(values), 1),
            }
            for name, values in sorted(seen.milliseconds.items())
        },
        "requests_per_second": round(sum(map(len, seen.milliseconds.values())) / (options.minutes * 60), 1),
        "runs_succeeded": seen.runs,
        "imports": seen.imports,
        "events": seen.events,
        "streams_opened": seen.streams_opened,
        "backend_mb": [round(value) for value in seen.memory_mb],
        "backend_mb_second_quarter": round(statistics.median(second or [0.0]), 1),
        "backend_mb_last_quarter": round(statistics.median(last or [0.0]), 1),
        "worker_mb_most": round(max(seen.worker_mb, default=0.0)),
    }


def misses(found: dict[str, Any]) -> list[str]:
    """What falls short of the promise, in words."""
    over = [
        f"{name}: 99th percentile {route['p99_ms']} ms, promised {P99_MS:.0f} ms"
        for name, route in found["routes"].items()
        if route["p99_ms"] > P99_MS
    ]
    if found["errors"]:
        over.append(f"{found['errors']} errors, the first {found['first_errors'][0]}")
    if found["decisions_sent"] != found["decisions_kept"]:
        over.append(f"{found['decisions_sent']} decisions sent, {found['decisions_kept']} kept")
    before, after = found["backend_mb_second_quarter"], found["backend_mb_last_quarter"]
    if after > before * (1 + GROWTH):
        over.append(f"the backend's memory grew from {before} to {after} MB")
    if not (found["runs_succeeded"] and found["imports"] and found["events"]):
        over.append("no run, no import or no event came to pass: the load was not what it should be")
    return over


def main() -> int:
    """Load, print, write JSON; 1 when the promise is not kept."""
    parser = argparse.ArgumentParser(description="Everybody at work at once, for minutes.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--reviewers", type=int, default=100)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--pace", type=float, default=4.0, help="seconds that a reviewer looks at a sample")
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--note", default="", help="what else the machine did, to stand beside the figures")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Open to the user that PostgreSQL runs as when we are root.
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-load-"))
    folder.chmod(0o755)
    try:
        found = measured(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in found.items():
        print(f"{name:<28}{json.dumps(value)}")
    over = misses(found)
    print("\n" + ("\n".join(over) if over else "The promise is kept."))
    if options.json is not None:
        options.json.write_text(json.dumps({**found, "falls_short": over}, indent=1) + "\n")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
