"""What the installation measures of itself, in Prometheus's text format, at /metrics. Needs an account or a token."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from backend.api.context import In, Me
from backend.store import jobs, runs
from backend.store.tables import RUN_STATUSES

router = APIRouter(include_in_schema=False)

PATH = "/metrics"


@router.get(PATH)
def metrics(context: In, caller: Me) -> Response:
    """Requests of this process; queue, runs and workers of the whole installation."""
    with context.database.transaction() as session:
        queue, workers = jobs.queue_state(session), jobs.live_workers(session)
        by_status = runs.by_status(session)
    now = CollectorRegistry()
    _gauge(now, "workers_alive", "Workers that announced themselves lately.", workers)
    _gauge(now, "jobs_waiting", "Jobs that wait for a worker.", queue.waiting)
    _gauge(now, "jobs_running", "Jobs in a worker's hands.", queue.running)
    _gauge(now, "oldest_job_waiting_seconds", "How long the oldest job waits.", queue.oldest_waiting_seconds)
    counted = Gauge("noise_audit_runs", "Runs by status.", ["status"], registry=now)
    for status in RUN_STATUSES:
        counted.labels(status).set(by_status.get(status, 0))
    free = context.artifacts.free_bytes()
    if free is not None:
        _gauge(now, "artifacts_free_bytes", "Free space where artifacts lie.", free)
    body = generate_latest(context.requests.registry) + generate_latest(now)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


def _gauge(registry: CollectorRegistry, name: str, meaning: str, value: Any) -> None:
    Gauge(f"noise_audit_{name}", meaning, registry=registry).set(value)
