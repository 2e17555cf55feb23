"""Duplicates over HTTP: searched for by a job, listed by what speaks against them, decided like everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from backend.store import duplicates
from backend.store.artifacts import Artifacts
from backend.store.database import Database


@pytest.fixture
def searched(ready_dataset: Callable[..., str], database: Database, artifacts: Artifacts) -> str:
    """A dataset with three groups found: the planted dataset's classes go around, all hashes differ."""
    dataset_id = ready_dataset()
    with database.transaction() as session:
        session.execute(
            text(
                "UPDATE sample SET content_hash = 'same' WHERE dataset_id = :id AND sample_index IN (30, 33)"
            ),
            {"id": dataset_id},
        )
        session.execute(
            text("UPDATE sample SET given_label = sample_index % 3 WHERE dataset_id = :id"),
            {"id": dataset_id},
        )
        for index, split in ((12, "train"), (15, "test")):
            session.execute(
                text("UPDATE sample SET split = :split WHERE dataset_id = :id AND sample_index = :index"),
                {"id": dataset_id, "split": split, "index": index},
            )
        member_M, begin_G1 = np.array([0, 1, 2, 12, 15, 30, 33], np.int32), np.array([0, 3, 5, 7])
        duplicates.keep(session, artifacts, dataset_id, member_M, begin_G1)
    return dataset_id


def test_a_search_is_queued_once(
    client: httpx.Client, ready_dataset: Callable[..., str], database: Database
) -> None:
    address = f"/api/datasets/{ready_dataset()}/duplicates"
    assert client.get(address).json()["status"] == "none"
    for _ in range(2):
        answer = client.post(f"{address}/search", json={})
        assert (answer.status_code, answer.json()["status"]) == (202, "searching")
    with database.transaction() as session:
        query = text("SELECT count(*) FROM chancy_jobs WHERE unique_key LIKE 'duplicates:%'")
        assert session.execute(query).scalar_one() == 1
    assert client.get(f"{address}/indices").json()["code"] == "NOT_SEARCHED"


def test_groups_are_listed_with_what_speaks_against_them(client: httpx.Client, searched: str) -> None:
    found = client.get(f"/api/datasets/{searched}/duplicates").json()
    assert (found["status"], found["groups"], found["samples"], found["total"]) == ("done", 3, 7, 3)
    assert (found["exact"], found["different_labels"], found["across_splits"]) == (1, 1, 1)
    first, second, third = found["items"]
    assert [member["index"] for member in first["members"]] == [0, 1, 2]
    assert first["different_labels"]
    assert [member["split"] for member in second["members"]] == ["train", "test"]
    assert (third["exact"], third["across_splits"], third["size"]) == (True, False, 2)


@pytest.mark.parametrize(
    ("query", "members", "beyond"),
    [
        ("", [0, 1, 2, 12, 15, 30, 33], [1, 2, 15, 33]),
        ("exact=true", [30, 33], [33]),
        ("exact=false&different_labels=false", [12, 15], [15]),
        ("across_splits=true&different_labels=true", [], []),
    ],
)
def test_a_filter_gives_the_same_groups_as_page_and_as_indices(
    client: httpx.Client, searched: str, query: str, members: list[int], beyond: list[int]
) -> None:
    address = f"/api/datasets/{searched}/duplicates"
    page = client.get(f"{address}?{query}").json()
    listed = sorted(member["index"] for group in page["items"] for member in group["members"])
    assert listed == members
    assert page["surplus"] == len(beyond)
    for further, expected in (("", members), ("&beyond_first=true", beyond)):
        data = client.get(f"{address}/indices?{query}{further}").content
        assert np.frombuffer(data, "<u4").tolist() == expected


def test_decisions_show_on_the_members(client: httpx.Client, searched: str) -> None:
    items = [{"index": 33, "verdict": "remove"}]
    body: dict[str, Any] = {"items": items, "idempotency_key": "duplicates-1"}
    client.post(f"/api/datasets/{searched}/decisions", json=body)
    group = client.get(f"/api/datasets/{searched}/duplicates?exact=true").json()["items"][0]
    assert [member["decision"] and member["decision"]["verdict"] for member in group["members"]] == [
        None,
        "remove",
    ]
