"""Splits over HTTP: counted, found and exported where a dataset came in several, and not spoken of elsewhere."""

from __future__ import annotations

import io
import uuid
from typing import Any

import httpx
import numpy as np
import pyarrow.csv
from sqlalchemy import text

from backend.store.database import Database


def columns(client: httpx.Client, run_id: str, what: str) -> Any:
    answer = client.get(f"/api/runs/{run_id}/exports/{what}", params={"format": "csv"})
    return pyarrow.csv.read_csv(io.BytesIO(answer.content))


def test_samples_and_flags_are_counted_by_split_and_exported_with_it(
    client: httpx.Client, planted: Any, database: Database
) -> None:
    address = f"/api/runs/{planted.run_id}"
    # Nothing was read of this dataset before, so nothing is remembered of it.
    with database.transaction() as session:
        session.execute(
            text(
                "UPDATE sample SET split = CASE sample_index % 3 WHEN 0 THEN 'train' WHEN 1 THEN 'test' END"
                " WHERE dataset_id = :id"
            ),
            {"id": planted.dataset_id},
        )
    flagged_N, third_N = planted.result_N["flagged"], np.arange(60) % 3
    first = int(np.flatnonzero(flagged_N & (third_N == 1))[0])
    body = {"items": [{"index": first, "verdict": "keep"}], "idempotency_key": uuid.uuid4().hex}
    client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body)

    items = client.get(f"{address}/splits").json()["items"]

    assert items == [
        {
            "split": split,
            "samples": 20,
            "flagged": int((flagged_N & (third_N == third)).sum()),
            "undecided": int((flagged_N & (third_N == third)).sum()) - (split == "test"),
        }
        for third, split in enumerate(["train", "test", "none"])
    ]
    found = client.get(f"{address}/samples", params={"split": "test", "flagged": True}).json()
    assert found["total"] == items[1]["flagged"]
    assert {item["split"] for item in found["items"]} == {"test"}
    for what in ("cleaned-labels", "samples", "scores"):
        split = columns(client, planted.run_id, what)["split"].to_pylist()
        assert split[:4] == ["train", "test", "", "train"]


def test_without_splits_there_is_nothing_to_choose(client: httpx.Client, planted: Any) -> None:
    assert client.get(f"/api/runs/{planted.run_id}/splits").json() == {"items": []}
    assert "split" not in columns(client, planted.run_id, "samples").column_names
