"""Versions over HTTP: an upload of labels is queued, and what a version changed is said."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from sqlalchemy import text

from backend.store import claims, datasets
from backend.store.database import Database
from backend.store.tables import Dataset


def test_a_version_says_which_labels_changed_from_what_to_what(
    client: httpx.Client, ready_dataset: Callable[..., str], database: Database, uploaded: Callable[..., str]
) -> None:
    parent_id = ready_dataset()
    body = {"upload_id": uploaded("labels.csv", b"index,label\n0,dog\n"), "name": "second"}
    version = client.post(f"/api/datasets/{parent_id}/labels", json=body).json()
    assert (version["name"], version["parent_id"], version["status"]) == ("second", parent_id, "importing")
    address = f"/api/datasets/{version['id']}/difference"
    assert client.get(address).json()["changed"] == 0
    assert client.get(f"/api/datasets/{parent_id}/difference").json()["parent_id"] is None
    with database.transaction() as session:
        rows = datasets.samples(session, parent_id)
        given_N = rows.given_label_N.copy()
        zeros = (given_N == 0).nonzero()[0][:3]
        given_N[zeros] = [1, 1, 2]
        assert claims.claim(session, Dataset, version["id"], "claim", 5) is not None
        columns = {"names": rows.names, "given_label_N": given_N, "content_hash": rows.content_hash}
        datasets.publish_samples(
            session, version["id"], **columns, width_N=rows.width_N, height_N=rows.height_N
        )
        claims.finish(
            session, Dataset, version["id"], "claim", "ready", classes=["cat", "dog", "=fox"], sample_count=60
        )
    found = client.get(address).json()
    assert (found["changed"], found["indices"]) == (3, zeros.tolist())
    assert found["transitions"] == [
        {"before": 0, "after": 1, "samples": 2},
        {"before": 0, "after": 2, "samples": 1},
    ]
    with database.transaction() as session:
        queued = text("SELECT count(*) FROM chancy_jobs WHERE unique_key = 'dataset:' || :id")
        assert session.execute(queued, {"id": version["id"]}).scalar_one() == 1
