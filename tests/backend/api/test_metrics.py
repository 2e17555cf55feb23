"""Prometheus reads counts and times by route, and how the installation stands; strangers read nothing."""

from __future__ import annotations

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from backend.store import accounts


def scrape(client: httpx.Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_only_somebody_with_an_account_or_token_reads_them(
    live: Any, anonymous: httpx.Client, account_id: str
) -> None:
    assert anonymous.get("/metrics").status_code == 401
    with live.database.transaction() as session:
        _, token = accounts.new_api_token(session, account_id, "prometheus", None)
    assert (
        "noise_audit_workers_alive 0.0"
        in anonymous.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text
    )


def test_requests_are_counted_by_route_not_by_address(client: httpx.Client, planted: Any) -> None:
    route = ("GET", "/api/runs/{run_id}")
    before = scrape(client)
    for _ in range(3):
        client.get(f"/api/runs/{planted.run_id}").raise_for_status()
    client.get("/api/runs/0123").close()
    after = scrape(client)

    def grown(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert grown("noise_audit_requests_total", *route, "200") == 3
    assert grown("noise_audit_requests_total", *route, "404") == 1
    assert grown("noise_audit_request_seconds_count", *route) == 4
    assert not [key for key in after if planted.run_id in "".join(key[1])]


def test_queue_and_runs_are_those_of_the_installation(client: httpx.Client, planted: Any) -> None:
    waiting = client.post(f"/api/datasets/{planted.dataset_id}/runs", json={})
    assert waiting.status_code == 201
    told = scrape(client)
    assert told["noise_audit_jobs_waiting", ()] >= 1
    assert told["noise_audit_runs", ("queued",)] >= 1
    assert told["noise_audit_runs", ("succeeded",)] >= 1
    assert told["noise_audit_runs", ("cancelled",)] == 0
    assert told["noise_audit_artifacts_free_bytes", ()] > 0
