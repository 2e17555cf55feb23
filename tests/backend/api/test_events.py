"""Server-sent events: what is committed is delivered, streams resume, and end with their subject or the server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx

from backend.settings import Settings
from backend.store import claims, datasets, results, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset, Run

Make = Callable[..., str]


class Stream:
    """The events of a stream, collected while it runs."""

    def __init__(self, client: httpx.Client, address: str, headers: dict[str, Any] | None = None) -> None:
        self.events: list[tuple[str, str | None, dict[str, Any]]] = []
        self.ended = threading.Event()
        self.content_type = ""
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(client, address, headers or {}), daemon=True)
        self._thread.start()

    def _read(self, client: httpx.Client, address: str, headers: dict[str, Any]) -> None:
        try:
            with client.stream("GET", address, headers=headers, timeout=30) as answer:
                self.content_type = answer.headers["content-type"]
                for event in _parse(answer.iter_lines()):
                    with self._arrived:
                        self.events.append(event)
                        self._arrived.notify_all()
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    def wait_for(self, condition: Callable[[list[Any]], bool]) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: condition(self.events), 10), self.events


def _parse(lines: Iterator[str]) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])
            fields = {}


def running_run(client: httpx.Client, database: Database, dataset_id: str) -> str:
    run_id = str(client.post(f"/api/datasets/{dataset_id}/runs", json={}).json()["id"])
    with database.transaction() as session:
        # The store takes this for the job's own delivery.
        session.connection().exec_driver_sql("DELETE FROM chancy_jobs")
        assert claims.claim(session, Run, run_id, "claim", 5) is not None
    return run_id


def _has_told_of(epoch: int, events: list[Any]) -> bool:
    return ("epoch", str(epoch)) in [event[:2] for event in events]


def test_a_run_is_followed_from_epoch_to_epoch_until_it_has_ended(
    client: httpx.Client, database: Database, ready_dataset: Make, epoch_content: Any, planted: Any
) -> None:
    run_id = running_run(client, database, ready_dataset())
    stream = Stream(client, f"/api/runs/{run_id}/events")
    stream.wait_for(lambda events: len(events) == 1)
    assert stream.content_type.startswith("text/event-stream")
    for epoch in (1, 2, 3):
        written = time.monotonic()
        with database.transaction() as session:
            runs.write_epoch(session, run_id, "claim", epoch, **epoch_content(epoch))
        stream.wait_for(partial(_has_told_of, epoch))
        # Woken, not polled: the polling that stands behind it takes three seconds.
        assert time.monotonic() - written < 2
    with database.transaction() as session:
        claims.fenced_update(session, Run, run_id, "claim", progress={"fraction": 0.5, "stage": "train"})
    stream.wait_for(lambda events: events[-1][2].get("progress", {}).get("fraction") == 0.5)
    with database.transaction() as session:
        results.publish_results(session, run_id, "claim", planted.result_N, {"flagged": 3})
    assert stream.ended.wait(10)
    kinds = [event[0] for event in stream.events]
    assert [event[2]["epoch"] for event in stream.events if event[0] == "epoch"] == [1, 2, 3]
    assert kinds[-1] == "run"
    assert stream.events[-1][2]["status"] == "succeeded"
    assert stream.events[-1][2]["flagged"] == 3
    statuses = [json.dumps({**event[2], "seconds": None}) for event in stream.events if event[0] == "run"]
    assert len(statuses) == len(set(statuses)), "the same state was sent twice"


def test_a_stream_taken_up_again_sends_only_the_epochs_missed(client: httpx.Client, planted: Any) -> None:
    stream = Stream(client, f"/api/runs/{planted.run_id}/events", {"Last-Event-ID": "3"})
    assert stream.ended.wait(10)
    assert [event[2]["epoch"] for event in stream.events if event[0] == "epoch"] == [4, 5]
    for nonsense in ("x", "-1", "9" * 50, "²"):
        header = {"Last-Event-ID": nonsense.encode("latin-1")}
        again = Stream(client, f"/api/runs/{planted.run_id}/events", header)
        assert again.ended.wait(10)
        assert len([event for event in again.events if event[0] == "epoch"]) == 5


def test_an_import_is_followed_until_it_is_ready(client: httpx.Client, database: Database) -> None:
    dataset_id = client.post("/api/datasets/builtin/digits", json={}).json()["id"]
    stream = Stream(client, f"/api/datasets/{dataset_id}/events")
    stream.wait_for(lambda events: len(events) == 1)
    with database.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM chancy_jobs")
        assert claims.claim(session, Dataset, dataset_id, "claim", 5) is not None
        claims.fenced_update(session, Dataset, dataset_id, "claim", progress={"done": 10, "total": 20})
    stream.wait_for(lambda events: events[-1][2]["progress"]["done"] == 10)
    with database.transaction() as session:
        claims.finish(session, Dataset, dataset_id, "claim", "failed", error={"code": "X", "message": "no"})
    assert stream.ended.wait(10)
    assert [event[0] for event in stream.events] == ["dataset"] * len(stream.events)
    assert stream.events[-1][2]["error"]["code"] == "X"


def test_a_stranger_gets_404_and_no_stream(
    client: httpx.Client, stranger: httpx.Client, planted: Any
) -> None:
    for address in (f"/api/runs/{planted.run_id}/events", f"/api/datasets/{planted.dataset_id}/events"):
        answer = stranger.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_open_streams_do_not_hold_up_the_servers_end(
    start: Any,
    settings: Settings,
    database: Database,
    artifacts: Artifacts,
    sign_in: Callable[[Any, str], httpx.Client],
    account_id: str,
) -> None:
    with database.transaction() as session:
        dataset_id = datasets.create(session, account_id, "endless", {"kind": "builtin"}).id
    with start(settings, database, artifacts) as running:
        client = sign_in(running, "local")
        streams = [Stream(client, f"/api/datasets/{dataset_id}/events") for _ in range(20)]
        for stream in streams:
            stream.wait_for(lambda events: len(events) == 1)
        # Streams that wait hold no thread: other requests go through.
        assert client.get("/api/session").status_code == 200
        began = time.monotonic()
    assert time.monotonic() - began < 6
    assert all(stream.ended.wait(1) for stream in streams)
