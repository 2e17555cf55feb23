"""Decisions from a table over HTTP: previewed with an error for each wrong line, then recorded as one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Upload = Callable[[str, bytes], str]
TABLE = b"""name,decision,label
001.png,keep,
002.png,relabel,dog
003.png,remove,cat
004.png,perhaps,
nobody.png,keep,
005.png,,
'=007.png,relabel,'=fox
002.png,keep,
"""


@pytest.fixture
def dataset(ready_dataset: Callable[..., str]) -> str:
    return ready_dataset()


def test_a_table_is_previewed_then_recorded_and_undone_as_one(
    client: httpx.Client, dataset: str, uploaded: Upload
) -> None:
    address = f"/api/datasets/{dataset}/decisions"
    first = {"items": [{"index": 1, "verdict": "keep"}, {"index": 3, "verdict": "unsure"}]}
    client.post(address, json={**first, "idempotency_key": "before-1"})
    body = {"upload_id": uploaded("mine.csv", TABLE)}
    seen = client.post(f"{address}/import/preview", json=body).json()
    assert (seen["rows"], seen["new"], seen["same"], seen["empty"], seen["replaced"]) == (8, 3, 1, 1, 1)
    assert [(each["where"], each["code"]) for each in seen["errors"]] == [
        ("line 5", "VERDICT_UNKNOWN"),
        ("line 6", "SAMPLE_UNKNOWN"),
        ("line 9", "DUPLICATE_SAMPLE"),
    ]
    assert {(change["index"], change["before"]) for change in seen["changes"]} >= {(3, "unsure")}
    assert client.get(address).json()["counts"] == {"keep": 1, "unsure": 1}

    apply = {**body, "idempotency_key": "table-123"}
    done = client.post(f"{address}/import", json=apply)
    assert (done.status_code, done.json()) == (201, {"recorded": 3, "left_out": 3})
    assert client.post(f"{address}/import", json=apply).json()["recorded"] == 0
    newest = client.get(f"{address}/recent").json()["items"][-1]
    assert newest["idempotency_key"] == "table-123"
    assert sorted(change["index"] for change in newest["changes"]) == [2, 3, 7]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"decision\nkeep\n", "COLUMN_MISSING"),
        (b"index,note\n0,fine\n", "COLUMN_MISSING"),
        (b"index,decision\n0,keep,what\n", "CSV_PARSE"),
    ],
)
def test_a_table_without_decisions_is_refused(
    client: httpx.Client, dataset: str, uploaded: Upload, data: bytes, code: str
) -> None:
    body = {"upload_id": uploaded("mine.csv", data)}
    refused = client.post(f"/api/datasets/{dataset}/decisions/import/preview", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_our_own_export_comes_back_as_the_decisions_it_was_made_of(
    client: httpx.Client, planted: Any, uploaded: Upload, ready_dataset: Callable[..., str]
) -> None:
    run_id, dataset_id = planted.run_id, planted.dataset_id
    items = [{"index": 4, "verdict": "remove"}, {"index": 7, "verdict": "relabel", "label": 1}]
    key = {"idempotency_key": "export-back"}
    client.post(f"/api/datasets/{dataset_id}/decisions", json={"items": items, **key})
    table = client.get(f"/api/runs/{run_id}/exports/samples").content
    other = ready_dataset()
    body = {"upload_id": uploaded("samples.csv", table)}
    seen = client.post(f"/api/datasets/{other}/decisions/import/preview", json=body).json()
    assert seen["errors"] == []
    changed = {(change["index"], change["verdict"], change["label"]) for change in seen["changes"]}
    seventh = (7, "keep", None) if planted.given_N[7] == 1 else (7, "relabel", 1)
    assert changed == {(4, "remove", None), seventh}
