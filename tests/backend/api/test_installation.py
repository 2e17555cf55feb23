"""What the installation uses, and pruning it: for admins, with numbers that add up."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.store import usage
from backend.store.artifacts import Artifacts
from backend.store.database import Database

GONE = "0123456789abcdef0123456789abcdef"
TWO_DAYS = 2 * 86_400


@pytest.fixture
def orphan(artifacts: Artifacts) -> Path:
    """A file that no row speaks of, two days old."""
    artifacts.put(f"runs/{GONE}/model.safetensors", b"x" * 1000)
    path = artifacts.local_path(f"runs/{GONE}/model.safetensors")
    assert path is not None
    os.utime(path, (time.time() - TWO_DAYS,) * 2)
    return path


def test_what_is_used_adds_up_to_what_lies_there(
    client: httpx.Client, planted: Any, artifacts: Artifacts, uploaded: Any
) -> None:
    uploaded("left.zip", b"y" * 300)
    said = client.get("/api/installation").json()
    stored = artifacts.stored("")
    assert sum(kind["bytes"] for kind in said["artifacts"]) == sum(each.size for each in stored)
    assert sum(kind["files"] for kind in said["artifacts"]) == len(stored)
    (mine,) = (each for each in said["datasets"] if each["id"] == planted.dataset_id)
    prefixes = (f"datasets/{planted.dataset_id}/", f"runs/{planted.run_id}/")
    assert mine["artifact_bytes"] == sum(each.size for each in stored if each.key.startswith(prefixes))
    assert (mine["name"], mine["owner"], mine["runs"]) == ("Pets & co", "local", 1)
    assert mine["database_bytes"] > 0
    assert said["database_bytes"] > mine["database_bytes"]
    disk = said["disk"]
    assert 0 < disk["keep_free_bytes"] == int(0.1 * disk["total_bytes"])
    assert disk["free_bytes"] <= disk["total_bytes"]
    assert (said["uploads"]["count"], said["uploads"]["bytes"]) == (1, 300)
    assert said["queue"]["running"] == 0


def test_a_derived_dataset_does_not_count_the_images_that_it_shares(
    client: httpx.Client, planted: Any, database: Database
) -> None:
    derived = client.post(f"/api/datasets/{planted.dataset_id}/inject", json={"rate": 0.1}).json()["id"]
    by_id = {each["id"]: each for each in client.get("/api/installation").json()["datasets"]}
    assert by_id[derived]["artifact_bytes"] == 0
    assert by_id[planted.dataset_id]["artifact_bytes"] > 0
    client.post(f"/api/datasets/{derived}/stop")


def test_workers_are_listed_with_what_they_run_on_and_whether_they_live(
    client: httpx.Client, database: Database
) -> None:
    facts = {"host": "tower", "device": "cpu", "cores": 2, "memory_bytes": 8, "memory_free_bytes": 5}
    with database.transaction() as session:
        session.execute(text("DELETE FROM chancy_workers"))
        for name in ("living", "dead", "forgotten"):
            usage.describe_worker(session, name, version="1", **facts)
        session.execute(
            text(
                "INSERT INTO chancy_workers (worker_id, tags, queues, last_seen, expires_at)"
                " VALUES ('living', '{training}', '{training,default}', now(), now() + interval '9 s')"
            )
        )
        session.execute(text("UPDATE worker SET seen_at = now() - interval '8 days' WHERE id = 'forgotten'"))
        usage.describe_worker(session, "dead", version="1", **{**facts, "memory_free_bytes": 4})
    living, dead = client.get("/api/installation").json()["workers"]
    assert (living["id"], living["alive"], living["queues"]) == ("living", True, ["training"])
    assert (dead["id"], dead["alive"], dead["queues"], dead["memory_free_bytes"]) == ("dead", False, [], 4)
    assert (dead["host"], dead["device"], dead["cores"], dead["memory_bytes"]) == ("tower", "cpu", 2, 8)


def test_what_pruning_frees_is_said_before_done_and_noted(
    client: httpx.Client, orphan: Path, planted: Any, artifacts: Artifacts
) -> None:
    before = client.get("/api/installation").json()["retention"]
    assert before["would_free"] == {"files": 1, "bytes": 1000}
    assert (before["days"], before["next_at"]) == (0, None)
    assert orphan.exists()
    kept = {each.key for each in artifacts.stored("")} - {f"runs/{GONE}/model.safetensors"}
    assert client.post("/api/installation/prune", json={}).json() == before["would_free"]
    assert not orphan.exists()
    assert {each.key for each in artifacts.stored("")} == kept
    after = client.get("/api/installation").json()["retention"]
    assert after["would_free"] == {"files": 0, "bytes": 0}
    said = {name: after["last"][name] for name in ("files", "bytes", "how", "account")}
    assert said == {"files": 1, "bytes": 1000, "how": "settings", "account": "local"}
    assert client.get("/api/activity").json()["items"][0]["action"] == "prune"
