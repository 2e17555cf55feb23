"""How fast a server answers of a run on a million samples, beside the plain query, and whether 100 reviewers fit.

    python -m benchmarks.api [--samples 1000000] [--decided 20000] [--repeats 30] [--reviewers 100] [--seconds 60]
                             [--json FILE]

A PostgreSQL of its own, a dataset, two runs and decisions are written through the store; `noise-audit serve` answers in a
process of its own. What is timed is a whole request over HTTP, compression included; "first" is the first of its kind.
"naive" is the database's answer alone to the query that joins the newest decisions, sorts, skips and counts by reading.
A reviewer decides on one sample after another, first as a hurried person does, then as fast as the server lets them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from backend.cli.running import postgres
from backend.cli.supervisor import free_port
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from benchmarks.million import Written, write

PAGE_MS, FIGURE_MS = 20.0, 200.0
"""What a page of flags and a figure may cost at the median."""
HURRIED_SECONDS = 2.0
"""From one decision of a hurried reviewer to the next."""
FLAT_OUT_SECONDS = 15.0

NAIVE_FROM = """
FROM result r JOIN sample s ON s.sample_index = r.sample_index AND s.dataset_id = %(dataset)s
LEFT JOIN (SELECT DISTINCT ON (sample_index) sample_index, verdict FROM decision
           WHERE dataset_id = %(dataset)s ORDER BY sample_index, id DESC) d ON d.sample_index = r.sample_index
WHERE r.run_id = %(run)s AND r.flagged AND d.verdict IS NULL
"""
NAIVE_PAGE = f"SELECT r.*, s.* {NAIVE_FROM} ORDER BY r.noise_posterior DESC, r.sample_index DESC LIMIT 100 OFFSET %(skip)s"
NAIVE_TOTAL = f"SELECT count(*) {NAIVE_FROM}"


@contextmanager
def served(settings: Settings, token: str) -> Iterator[httpx.Client]:
    """A client of `noise-audit serve` on these settings."""
    port = free_port("127.0.0.1")
    command = [
        sys.executable,
        "-m",
        "backend.cli",
        "serve",
        "--data",
        str(settings.data),
        "--port",
        str(port),
    ]
    with (settings.data / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, headers=bearer(token), trust_env=False, timeout=120) as client:
            deadline = time.monotonic() + 120
            while not _answers(client):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit((settings.data / "serve.log").read_text()[-3000:])
                time.sleep(0.1)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def timed(client: httpx.Client, address: str, repeats: int, **query: Any) -> dict[str, Any]:
    """Milliseconds of the first request and, of the others, median and 95th percentile; the answer's bytes."""
    milliseconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        answer = client.get(address, params=query)
        milliseconds.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code} {answer.text[:500]}")
    first, *others = milliseconds
    return {
        "first_ms": round(first, 1),
        "median_ms": round(statistics.median(others), 1),
        "p95_ms": round(quantile(others, 0.95), 1),
        "bytes": len(answer.content),
    }


def naive(url: str, written: Written, repeats: int) -> dict[str, Any]:
    """The plain query for the first page, a deep one and the total, in the database alone."""
    values: dict[str, Any] = {"dataset": written.dataset_id, "run": written.run_id}
    queries: dict[str, tuple[str, int]] = {
        "page of flags without a decision, rows": (NAIVE_PAGE, 0),
        "the same, a page far down": (NAIVE_PAGE, len(written.undecided) // 2),
        "the same, its total": (NAIVE_TOTAL, 0),
    }
    measured = {}
    with psycopg.connect(url) as connection:
        for name, (query, skip) in queries.items():
            milliseconds = []
            for _ in range(repeats):
                began = time.perf_counter()
                connection.execute(query, {**values, "skip": skip}).fetchall()
                milliseconds.append((time.perf_counter() - began) * 1000)
            measured[name] = {"median_ms": round(statistics.median(milliseconds), 1)}
    return measured


def pages(client: httpx.Client, written: Written, repeats: int) -> dict[str, Any]:
    """Pages of flags under several filters, and what the gallery asks beside them."""
    address = f"/api/runs/{written.run_id}/samples"
    undecided = {"flagged": True, "verdict": "none"}
    cell = {"flagged": True, "given_label": 3, "suggested_label": 5}
    # Flags come first in this order, so that a place in it is about a number of flags.
    place = len(written.undecided) // 2
    far = client.get(address, params={**undecided, "limit": 1, "after": f"p{place}"}).json()["next"]
    others = {"flagged_by": written.other_id, "not_flagged_by": written.run_id}
    first96 = ",".join(map(str, written.undecided[:96]))
    whole, dataset = {"flagged": True, "verdict": "none"}, f"/api/datasets/{written.dataset_id}"
    return {
        "page of flags": timed(client, address, repeats, flagged=True),
        "page of flags without a decision": timed(client, address, repeats, **undecided),
        "the same, a page far down": timed(client, address, repeats, **undecided, after=far),
        "page of a class cell": timed(client, address, repeats, **cell),
        "page of posteriors from .3 to .7": timed(
            client, address, repeats, min_posterior=0.3, max_posterior=0.7, order="index"
        ),
        "page of what only another run flagged": timed(client, address, repeats, **others),
        "indices of all flags without a decision": timed(client, f"{address}/indices", repeats, **whole),
        "atlas of 96": timed(client, f"{dataset}/atlas", repeats, indices=first96),
        "counts of decisions": timed(client, f"{dataset}/decisions", repeats),
        "recent decisions": timed(client, f"{dataset}/decisions/recent", repeats),
    }


def figures(client: httpx.Client, written: Written, repeats: int) -> dict[str, Any]:
    """Every figure and every summary of the run."""
    run, dataset = f"/api/runs/{written.run_id}", f"/api/datasets/{written.dataset_id}"
    both = {"run": [written.run_id, written.other_id]}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "loss": (f"{run}/figures/loss", {}),
        "losses of all epochs": (f"{run}/figures/losses", {}),
        "curves": (f"{run}/figures/curves", {}),
        "posterior": (f"{run}/figures/posterior", {}),
        "classes": (f"{run}/figures/classes", {}),
        "matrix": (f"{run}/figures/matrix", {}),
        "compare": (f"{dataset}/figures/compare", both),
        **{
            f"map by {colour}": (f"{run}/figures/map", {"colour": colour})
            for colour in ("given", "suggested", "posterior", "decision")
        },
        "places of all points": (f"{run}/map/points", {"colour": "given"}),
        "thresholds, numbers": (f"{run}/thresholds", {}),
        "classes, numbers": (f"{run}/classes", {}),
        "compare, numbers": (f"{dataset}/compare", both),
    }
    return {name: timed(client, address, repeats, **query) for name, (address, query) in asked.items()}


def reviewed(client: httpx.Client, written: Written, seconds: float, pause: float) -> dict[str, Any]:
    """All reviewers at once for so long: decisions with their latencies, and what went wrong."""
    return asyncio.run(_review(str(client.base_url), written, seconds, pause))


async def _review(url: str, written: Written, seconds: float, pause: float) -> dict[str, Any]:
    milliseconds: list[float] = []
    wrong: list[str] = []
    until = time.monotonic() + seconds

    async def reviewer(client: httpx.AsyncClient, place: int, token: str) -> None:
        rng = random.Random(place)
        own = written.undecided[place :: len(written.reviewers)]
        address = f"/api/datasets/{written.dataset_id}/decisions"
        await asyncio.sleep(rng.random() * pause)
        while time.monotonic() < until:
            item = {"index": rng.choice(own), "verdict": rng.choice(["keep", "remove", "unsure"])}
            body = {"items": [item], "run_id": written.run_id, "idempotency_key": uuid.uuid4().hex}
            began = time.perf_counter()
            try:
                answer = await client.post(address, json=body, headers=bearer(token))
            except httpx.HTTPError as error:
                wrong.append(type(error).__name__)
                continue
            took = time.perf_counter() - began
            milliseconds.append(took * 1000)
            if answer.status_code != 200:
                wrong.append(f"{answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(max(0.0, pause * rng.uniform(0.5, 1.5) - took))

    # One client, since making one reads every certificate of the machine; a connection for each reviewer.
    limits = httpx.Limits(
        max_connections=len(written.reviewers), max_keepalive_connections=len(written.reviewers)
    )
    async with httpx.AsyncClient(base_url=url, limits=limits, trust_env=False, timeout=30) as client:
        people = enumerate(written.reviewers)
        await asyncio.gather(*(reviewer(client, place, token) for place, token in people))
    return {
        "reviewers": len(written.reviewers),
        "seconds": seconds,
        "decisions": len(milliseconds),
        "per_second": round(len(milliseconds) / seconds, 1),
        "errors": len(wrong),
        "first_errors": wrong[:3],
        "p50_ms": round(quantile(milliseconds, 0.5), 1),
        "p99_ms": round(quantile(milliseconds, 0.99), 1),
    }


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything, on an installation in this folder."""
    settings = Settings(data=folder, database_url="", artifacts="")
    repeats = options.repeats
    with postgres(settings) as url:
        database, artifacts = Database(url), Artifacts.open("", folder)
        began = time.perf_counter()
        written = write(database, artifacts, options.samples, options.decided, options.reviewers)
        database.dispose()
        print(f"written in {time.perf_counter() - began:.0f} s")
        with served(settings, written.owner) as client:
            parts: dict[str, Callable[[], dict[str, Any]]] = {
                "pages": lambda: pages(client, written, repeats),
                "naive": lambda: naive(url, written, max(3, repeats // 6)),
                "figures": lambda: figures(client, written, repeats),
                "hurried": lambda: reviewed(client, written, options.seconds, HURRIED_SECONDS),
                "flat_out": lambda: reviewed(client, written, min(FLAT_OUT_SECONDS, options.seconds), 0.0),
                "pages_after": lambda: pages(client, written, repeats),
            }
            found = {}
            for name, part in parts.items():
                found[name] = part()
                _print(name, found[name])
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "samples": options.samples,
        "decided": options.decided,
        **found,
    }


def misses(found: dict[str, Any]) -> list[str]:
    """What is over its budget, in words."""
    over = [
        f"{name}: {one['median_ms']} ms, allowed {PAGE_MS} ms"
        for part in ("pages", "pages_after")
        for name, one in found[part].items()
        if name.startswith(("page", "the same")) and one["median_ms"] > PAGE_MS
    ]
    over += [
        f"{name}: {one['median_ms']} ms, allowed {FIGURE_MS} ms"
        for name, one in found["figures"].items()
        if one["median_ms"] > FIGURE_MS
    ]
    return over + [
        f"{part}: {found[part]['errors']} errors" for part in ("hurried", "flat_out") if found[part]["errors"]
    ]


def _print(name: str, part: dict[str, Any]) -> None:
    print(f"\n{name}")
    for key, value in part.items():
        said = (
            ", ".join(f"{word} {number}" for word, number in value.items())
            if isinstance(value, dict)
            else value
        )
        print(f"  {key:<42}{said}", flush=True)


def quantile(values: list[float], share: float) -> float:
    """The value below which so large a share of the others lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def bearer(token: str) -> dict[str, str]:
    """The header that signs a request in."""
    return {"Authorization": f"Bearer {token}"}


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def main() -> int:
    """Measure, print, write JSON; 1 when something is over its budget."""
    parser = argparse.ArgumentParser(description="Time the server on a run with very many samples.")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--decided", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--reviewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Open to the user that PostgreSQL runs as when we are root.
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-bench-"))
    folder.chmod(0o755)
    try:
        found = measured(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    over = misses(found)
    print("\n" + ("\n".join(over) if over else "Everything is within its budget."))
    if options.json is not None:
        options.json.write_text(json.dumps({**found, "over_budget": over}, indent=1) + "\n")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
