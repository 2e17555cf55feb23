"""A look at a delivery is asked for, seen, stopped, and only one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.store import claims
from backend.store.database import Database
from backend.store.tables import Preflight

REPORT: dict[str, Any] = {
    "recognised": "manifest",
    "reason": "a zip with images and a table (labels.csv)",
    "total": 4,
    "ignored": 0,
    "splits": {},
    "taken": "all",
    "classes": ["cat", "dog"],
    "counts": {"": {"cat": 2, "dog": 2}},
    "columns": {"chosen": {"image": "file", "label": "kind"}, "candidates": {"label": ["kind", "other"]}},
    "annotators": [],
    "readable": {"looked_at": 4, "unreadable": 0},
    "unreadable": [],
    "unreadable_count": 0,
    "duplicates": {
        "images": 0, "across_splits": 0, "different_labels": 0, "compared": 4, "complete": True, "examples": [],
    },
    "warnings": [],
    "seconds": 0.3,
}  # fmt: skip


@pytest.fixture
def opened(folder: Path) -> str:
    path = folder / "opened" / "pets"
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def test_a_look_is_queued_then_told(client: httpx.Client, opened: str, database: Database) -> None:
    made = client.post("/api/preflights", json={"server_folder": opened, "columns": {"label": "kind"}})
    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["report"]) == ("looking", None)
    address = f"/api/preflights/{made.json()['id']}"
    with database.transaction() as session:
        row = claims.claim(session, Preflight, made.json()["id"], "claim", 5)
        assert row is not None
        assert row.source["columns"] == {"label": "kind"}
        assert row.source["format"] == "auto"
        claims.finish(session, Preflight, row.id, "claim", "ready", report=REPORT)

    seen = client.get(address).json()

    assert seen["status"] == "ready"
    assert seen["report"] == {key: value for key, value in REPORT.items() if key != "taken"}


def test_a_look_nobody_began_is_stopped_at_once(client: httpx.Client, opened: str) -> None:
    made = client.post("/api/preflights", json={"server_folder": opened}).json()
    assert client.post(f"/api/preflights/{made['id']}/stop", json={}).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ({"server_folder": "/x", "columns": {"colour": "a"}}, "columns.colour.[key]"),
        ({"server_folder": "/x", "format": "pickle"}, "format"),
        ({"server_folder": "/x", "digest": "abc"}, "digest"),
        ({}, "upload_id"),
    ],
)
def test_a_wish_that_makes_no_sense_names_its_field(
    client: httpx.Client, body: dict[str, Any], item: str
) -> None:
    answer = client.post("/api/preflights", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["item"]) == (422, "INVALID", item)


def test_a_folder_that_is_not_opened_is_not_looked_at(client: httpx.Client) -> None:
    answer = client.post("/api/preflights", json={"server_folder": "/etc"})
    assert (answer.status_code, answer.json()["code"]) == (403, "FOLDER_NOT_ALLOWED")
