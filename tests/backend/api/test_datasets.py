"""Datasets over HTTP: where they come from, and what is refused before anything is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.store.database import Database

Make = Callable[..., str]


def queued_jobs(database: Database, dataset_id: str) -> int:
    with database.transaction() as session:
        query = text("SELECT count(*) FROM chancy_jobs WHERE unique_key = 'dataset:' || :id")
        return int(session.execute(query, {"id": dataset_id}).scalar_one())


def test_the_digits_are_one_request_away_and_their_job_is_queued(
    client: httpx.Client, database: Database
) -> None:
    answer = client.post("/api/datasets/builtin/digits", json={"noise_rate": 0.3, "seed": 7})
    assert answer.status_code == 201
    dataset = answer.json()
    assert dataset["name"] == "Handwritten digits, 30 % noise"
    assert dataset["source"] == {"kind": "builtin", "name": "digits", "noise_rate": 0.3, "seed": 7}
    assert queued_jobs(database, dataset["id"]) == 1
    assert client.get(f"/api/datasets/{dataset['id']}").json() == dataset
    assert dataset["id"] in [item["id"] for item in client.get("/api/datasets").json()["items"]]


def test_an_import_nobody_began_is_stopped_at_once(client: httpx.Client) -> None:
    dataset_id = client.post("/api/datasets/builtin/digits", json={}).json()["id"]
    stopped = client.post(f"/api/datasets/{dataset_id}/stop", json={})
    assert (stopped.status_code, stopped.json()["status"]) == (200, "cancelled")
    again = client.post(f"/api/datasets/{dataset_id}/stop", json={})
    assert again.json()["status"] == "cancelled"


def test_a_ready_dataset_cannot_be_stopped(client: httpx.Client, ready_dataset: Make) -> None:
    answer = client.post(f"/api/datasets/{ready_dataset()}/stop", json={})
    assert answer.status_code == 409


def test_planted_noise_makes_a_derived_dataset(
    client: httpx.Client, ready_dataset: Make, database: Database
) -> None:
    parent = ready_dataset()
    answer = client.post(f"/api/datasets/{parent}/inject", json={"rate": 0.4, "seed": 1})
    assert answer.status_code == 201
    derived = answer.json()
    assert derived["parent_id"] == parent
    assert derived["name"] == "Pets & co, symmetric 40 % noise"
    assert derived["source"] == {
        "kind": "injection",
        "noise": "symmetric",
        "rate": 0.4,
        "matrix": None,
        "seed": 1,
    }
    assert queued_jobs(database, derived["id"]) == 1
    matrix = [[0.8, 0.2, 0], [0, 1, 0], [0.1, 0, 0.9]]
    body = {"kind": "class-conditional", "matrix": matrix}
    assert client.post(f"/api/datasets/{parent}/inject", json=body).json()["source"]["matrix"] == matrix


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ({}, "rate"),
        ({"rate": 1.1}, "rate"),
        ({"rate": -0.1}, "rate"),
        ({"kind": "instance"}, "rate"),
        ({"rate": 0.1, "seed": -1}, "seed"),
        ({"kind": "class-conditional"}, "matrix"),
        ({"kind": "class-conditional", "matrix": [[1]]}, "matrix"),
        ({"kind": "class-conditional", "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 0.5]]}, "matrix.2"),
        ({"kind": "class-conditional", "matrix": [[2, -1, 0], [0, 1, 0], [0, 0, 1]]}, "matrix.0"),
        ({"rate": 0.1, "matrix": [[1]]}, "matrix"),
        ({"kind": "bit-rot", "rate": 0.1}, "kind"),
    ],
)
def test_noise_that_cannot_be_planted_names_its_field(
    client: httpx.Client, ready_dataset: Make, body: dict[str, Any], item: str
) -> None:
    answer = client.post(f"/api/datasets/{ready_dataset()}/inject", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["item"]) == (422, "INVALID", item)


def test_only_an_opened_folder_is_read_and_the_refusal_says_nothing_about_others(
    client: httpx.Client, folder: Path
) -> None:
    opened, closed = folder / "opened", folder / "closed"
    (opened / "pets").mkdir(parents=True, exist_ok=True)
    (closed / "pets").mkdir(parents=True, exist_ok=True)
    if not (opened / "way-out").exists():
        (opened / "way-out").symlink_to(closed)
    made = client.post("/api/datasets", json={"server_folder": str(opened / "pets"), "split": "all"})
    assert made.status_code == 201
    assert made.json()["source"]["path"] == "pets"
    assert str(folder) not in made.text
    refusals = set()
    for wanted in (
        closed / "pets",
        closed / "missing",
        opened / "missing",
        opened / ".." / "closed",
        opened / "way-out" / "pets",
        Path("/etc"),
        Path("opened/pets"),
    ):
        answer = client.post("/api/datasets", json={"server_folder": str(wanted)})
        assert answer.status_code == 403
        refusals.add((answer.json()["code"], answer.json()["message"]))
    assert len(refusals) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"upload_id": "a", "server_folder": "/x"},
        {"upload_id": "a", "limit": 1},
        {"upload_id": "a", "split": "some"},
        {"upload_id": "a", "format": "pickle"},
        {"upload_id": "a", "colour": "red"},
    ],
)
def test_a_wish_that_makes_no_sense_is_invalid(client: httpx.Client, body: dict[str, Any]) -> None:
    answer = client.post("/api/datasets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
