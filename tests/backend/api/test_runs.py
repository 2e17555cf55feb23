"""Runs and recipes over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.api.recipes import DESCRIPTIONS
from backend.settings import Limits, Settings
from backend.store import claims
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Run
from worker.training.recipes import RECIPES, SETTABLE, recipe

Make = Callable[..., str]


def test_a_run_is_queued_with_what_the_person_set_and_nothing_more(
    client: httpx.Client, ready_dataset: Make
) -> None:
    dataset_id = ready_dataset()
    body = {"recipe": "fast", "settings": {"epochs": 3, "width": "8"}, "seed": 5}
    answer = client.post(f"/api/datasets/{dataset_id}/runs", json=body)
    assert answer.status_code == 201
    run = answer.json()
    assert run["status"] == "queued"
    assert run["settings"] == {"epochs": 3, "width": "8"}
    assert (run["dataset_name"], run["seed"], run["seconds"]) == ("Pets & co", 5, None)
    assert client.get(f"/api/runs/{run['id']}").json() == run
    assert [
        one["id"] for one in client.get("/api/runs", params={"dataset_id": dataset_id}).json()["items"]
    ] == [run["id"]]
    stopped = client.post(f"/api/runs/{run['id']}/stop", json={})
    assert stopped.json()["status"] == "cancelled"


def test_stopping_a_running_run_asks_its_worker(
    client: httpx.Client, ready_dataset: Make, database: Database
) -> None:
    run_id = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()["id"]
    with database.transaction() as session:
        session.execute(text("DELETE FROM chancy_jobs"))
        assert claims.claim(session, Run, run_id, "claim", 5) is not None
    assert client.post(f"/api/runs/{run_id}/stop", json={}).json()["status"] == "running"
    with database.transaction() as session:
        assert not claims.is_held(session, Run, run_id, "claim")


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ({"recipe": "magic"}, "recipe"),
        ({"settings": {"epochs": "²"}}, "settings.epochs"),
        ({"settings": {"epochs": -1}}, "settings.epochs"),
        ({"settings": {"epochs": 1e9}}, "settings.epochs"),
        ({"settings": {"epocs": 3}}, "settings.epocs"),
        ({"settings": {"flip": "sideways"}}, "settings.flip"),
        ({"seed": 2**40}, "seed"),
    ],
)
def test_a_setting_out_of_its_range_is_named_with_the_range(
    client: httpx.Client, ready_dataset: Make, body: dict[str, Any], item: str
) -> None:
    answer = client.post(f"/api/datasets/{ready_dataset()}/runs", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["item"]) == (422, "INVALID", item)


def test_a_range_is_told_in_the_message(client: httpx.Client, ready_dataset: Make) -> None:
    answer = client.post(f"/api/datasets/{ready_dataset()}/runs", json={"settings": {"epochs": 1e9}})
    assert "between 1 and 10000" in answer.json()["message"]


def test_a_dataset_that_is_not_ready_takes_no_run(client: httpx.Client) -> None:
    dataset_id = client.post("/api/datasets/builtin/digits", json={}).json()["id"]
    answer = client.post(f"/api/datasets/{dataset_id}/runs", json={})
    assert (answer.status_code, answer.json()["found"]) == (409, "importing")


def test_no_more_than_the_limit_wait(
    start: Any,
    settings: Settings,
    database: Database,
    artifacts: Artifacts,
    sign_in: Callable[[Any, str], httpx.Client],
    ready_dataset: Make,
) -> None:
    dataset_id = ready_dataset()
    with start(settings.model_copy(update={"limits": Limits(queued_runs=2)}), database, artifacts) as running:
        client = sign_in(running, "local")
        for run in client.get("/api/runs").json()["items"]:
            client.post(f"/api/runs/{run['id']}/stop", json={})
        made = [client.post(f"/api/datasets/{dataset_id}/runs", json={}) for _ in range(3)]
        assert [answer.status_code for answer in made] == [201, 201, 429]
        assert made[-1].json()["code"] == "QUEUE_FULL"
        client.post(f"/api/runs/{made[0].json()['id']}/stop", json={})
        assert client.post(f"/api/datasets/{dataset_id}/runs", json={}).status_code == 201


def test_a_finished_run_says_what_it_found(client: httpx.Client, planted: Any) -> None:
    run = client.get(f"/api/runs/{planted.run_id}").json()
    assert run["status"] == "succeeded"
    assert run["seconds"] >= 0
    assert run["flagged"] == int(planted.result_N["flagged"].sum())
    assert run["noise_rate_interval"] == [0.2, 0.4]
    assert (run["mixture"], run["trust"]["verdict"]) == ("beta", "good")
    assert run["metrics"]["auroc"] == 0.5
    epochs = client.get(f"/api/runs/{planted.run_id}/epochs").json()["items"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3, 4, 5]
    assert epochs[0]["histogram"]["counts"] == [40, 20]


def test_every_recipe_is_offered_with_every_setting_described(client: httpx.Client, planted: Any) -> None:
    offered = client.get("/api/recipes", params={"dataset_id": planted.dataset_id}).json()["items"]
    assert [each["name"] for each in offered] == list(RECIPES)
    for each in offered:
        assert {setting["name"] for setting in each["settings"]} == set(SETTABLE)
        assert all(setting["description"] for setting in each["settings"])
        assert each["estimate_seconds"] > 0
        # What the page sends back unchanged must be what the recipe has.
        shown = {setting["name"]: setting["default"] for setting in each["settings"]}
        assert recipe(each["name"], shown) == RECIPES[each["name"]]
    assert client.get("/api/recipes").json()["items"][0]["estimate_seconds"] is None
    types = {setting["name"]: setting["type"] for setting in offered[0]["settings"]}
    assert types["epochs"] == "integer"
    assert types["learning_rate"] == "number"
    assert types["nesterov"] == "boolean"
    assert types["flip"] == "off | on | colour"


def test_no_description_outlives_its_setting() -> None:
    assert set(DESCRIPTIONS) == set(SETTABLE)


def test_an_estimate_follows_the_settings_and_refuses_what_starting_refuses(
    client: httpx.Client, planted: Any
) -> None:
    def estimate(**settings: Any) -> httpx.Response:
        return client.post(f"/api/datasets/{planted.dataset_id}/runs/estimate", json={"settings": settings})

    before = len(client.get("/api/runs").json()["items"])
    base, longer = estimate().json(), estimate(epochs=100).json()
    assert longer["seconds"] > base["seconds"]
    assert longer["disk_bytes"] > base["disk_bytes"] > 0
    assert base["free_bytes"] > 0
    refused = estimate(epochs=-3)
    assert refused.status_code == 422
    assert refused.json()["item"] == "settings.epochs"
    assert len(client.get("/api/runs").json()["items"]) == before, "an estimate started something"


def test_the_installation_says_what_it_is(client: httpx.Client) -> None:
    system = client.get("/api/system").json()
    assert system["workers"] == 0
    assert system["limits"]["upload_bytes"] == 5 * 2**30
    assert system["data_free_bytes"] > 0
