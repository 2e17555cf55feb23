"""Deleting over HTTP: said beforehand, done once, by the owner alone."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import select

from backend.store.tables import Account, Membership


def test_a_run_and_then_its_dataset_are_deleted_with_what_was_said(
    client: httpx.Client, planted: Any, artifacts: Any
) -> None:
    run, dataset = f"/api/runs/{planted.run_id}", f"/api/datasets/{planted.dataset_id}"
    client.get(f"{run}/samples").raise_for_status()
    said = client.get(f"{run}/deletion").json()
    assert said["artifact_bytes"] > 0
    assert client.delete(run).json() == said
    assert client.get(run).status_code == client.get(f"{run}/samples").status_code == 404
    said = client.get(f"{dataset}/deletion").json()
    assert (said["runs"], said["rows"]) == (0, 60)
    assert client.delete(dataset).json() == said
    assert client.delete(dataset).status_code == client.get(dataset).status_code == 404
    assert not artifacts.list(f"datasets/{planted.dataset_id}")


def test_a_member_sees_what_deleting_would_free_but_may_not(
    client: httpx.Client, stranger: httpx.Client, planted: Any, database: Any
) -> None:
    with database.transaction() as session:
        account = session.scalar(select(Account.id).where(Account.name == "stranger"))
        session.add(Membership(dataset_id=planted.dataset_id, account_id=account, role="editor"))
    for address in (f"/api/runs/{planted.run_id}", f"/api/datasets/{planted.dataset_id}"):
        assert stranger.get(f"{address}/deletion").status_code == 200
        refused = stranger.delete(address)
        assert (refused.status_code, refused.json()["code"]) == (403, "RIGHTS")
        assert client.get(address).status_code == 200
