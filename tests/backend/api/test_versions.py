"""Versions over HTTP: an upload of labels is queued, and what a version changed is said."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np
from sqlalchemy import text

from backend.audit.importing import Item
from backend.store import claims, datasets, deciding
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
    assert (found["added"], found["new_classes"], found["carried"]) == (0, [], 0)
    assert (found["changed"], found["indices"]) == (3, zeros.tolist())
    assert found["transitions"] == [
        {"before": 0, "after": 1, "samples": 2},
        {"before": 0, "after": 2, "samples": 1},
    ]
    with database.transaction() as session:
        queued = text("SELECT count(*) FROM chancy_jobs WHERE unique_key = 'dataset:' || :id")
        assert session.execute(queued, {"id": version["id"]}).scalar_one() == 1


def test_what_is_appended_is_an_import_of_its_own_and_said_apart_from_what_changed(
    client: httpx.Client,
    ready_dataset: Callable[..., str],
    database: Database,
    uploaded: Callable[..., str],
    account_id: str,
) -> None:
    parent_id = ready_dataset()
    body = {"upload_id": uploaded("more.zip", b"anything"), "split": "all", "duplicates": "keep"}
    answer = client.post(f"/api/datasets/{parent_id}/append", json=body)
    assert answer.status_code == 201, answer.text
    version = answer.json()
    assert (version["name"], version["parent_id"]) == ("Pets & co and more", parent_id)
    assert version["source"].items() >= {"kind": "append", "split": "all", "duplicates": "keep"}.items()
    with database.transaction() as session:
        made = datasets.load(session, version["id"])
        assert made.content_id == made.id
        rows = datasets.samples(session, parent_id)
        given_N = np.append(rows.given_label_N, [3, 0])
        given_N[5] = (given_N[5] + 1) % 3
        deciding.append(
            session,
            parent_id,
            deciding.Request(account_id, [Item(4, "keep", None)], None, "a key of some length"),
        )
    with database.transaction() as session:
        assert claims.claim(session, Dataset, version["id"], "claim", 5) is not None
        datasets.publish_samples(
            session,
            version["id"],
            names=[*rows.names, "a", "b"],
            given_label_N=given_N,
            content_hash=[*rows.content_hash, "0" * 64, "1" * 64],
            width_N=np.append(rows.width_N, [1, 1]),
            height_N=np.append(rows.height_N, [1, 1]),
        )
        carried = deciding.carry(session, parent_id, version["id"])
        claims.finish(
            session,
            Dataset,
            version["id"],
            "claim",
            "ready",
            classes=["cat", "dog", "=fox", "owl"],
            sample_count=62,
            report={"carried": carried._asdict()},
        )
    found = client.get(f"/api/datasets/{version['id']}/difference").json()
    assert (found["added"], found["new_classes"], found["carried"], found["left_out"]) == (2, ["owl"], 1, 0)
    assert (found["changed"], found["indices"]) == (1, [5])
    address = f"/api/datasets/{version['id']}/decisions"
    (stands,) = client.get(f"{address}/standing").json()["items"]
    assert (stands["index"], stands["account"], stands["carried_from"]) == (4, "local", parent_id)
    assert client.get(f"{address}/recent").json()["items"] == []
    assert client.delete(f"{address}/carried").json() == {"recorded": 1, "counts": {}}
    assert client.delete(f"{address}/carried").json()["recorded"] == 0
    (batch,) = client.get(f"{address}/recent").json()["items"]
    assert batch["changes"] == [{"index": 4, "before": {"verdict": "keep", "label": None}, "after": None}]
