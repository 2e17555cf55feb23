"""Figures over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest


def figure(client: httpx.Client, run_id: str, name: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/api/runs/{run_id}/figures/{name}", params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert set(document) == {"data", "layout"}
    return document


def indices(trace: dict[str, Any]) -> list[int]:
    typed = trace["customdata"]
    return [int(one) for one in np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_loss_figure_shows_the_epoch_asked_for_or_the_last(
    client: httpx.Client, planted: Any, theme: str
) -> None:
    last = figure(client, planted.run_id, "loss", theme=theme)
    assert "epoch 5" in last["layout"]["title"]["text"]
    second = figure(client, planted.run_id, "loss", theme=theme, epoch=2)
    assert "epoch 2" in second["layout"]["title"]["text"]
    assert len(second["data"]) == 7


@pytest.mark.parametrize("epoch", [6, 1000])
def test_an_epoch_that_was_not_tracked_is_404(client: httpx.Client, planted: Any, epoch: int) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/figures/loss", params={"epoch": epoch})
    assert (answer.status_code, answer.json()["code"]) == (404, "EPOCH_UNKNOWN")


def test_before_the_first_epoch_curves_are_empty_and_the_loss_is_not_there_yet(
    client: httpx.Client, ready_dataset: Callable[..., str]
) -> None:
    run_id = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()["id"]
    assert figure(client, run_id, "curves")["data"] == []
    assert client.get(f"/api/runs/{run_id}/figures/loss").status_code == 404
    assert client.get(f"/api/runs/{run_id}/figures/map").status_code == 409


def test_the_curves_grow_by_epoch(client: httpx.Client, planted: Any) -> None:
    curves = figure(client, planted.run_id, "curves")
    lines = {trace["name"]: trace["y"] for trace in curves["data"]}
    assert lines["training loss"] == [2.0, 1.0, 0.66667, 0.5, 0.4]


@pytest.mark.parametrize("colour", ["given", "suggested", "posterior", "decision"])
def test_every_sample_is_on_the_map_once_and_named_by_its_index(
    client: httpx.Client, planted: Any, colour: str
) -> None:
    traces = figure(client, planted.run_id, "map", colour=colour)["data"]
    points = [trace for trace in traces if not trace["name"].startswith("flagged")]
    assert sorted(index for trace in points for index in indices(trace)) == list(range(60))
    if colour in ("given", "suggested"):
        label_N = planted.given_N if colour == "given" else planted.result_N["suggested_label"]
        names = ["cat", "dog", "=fox"]
        for trace in points:
            label = names.index(trace["name"].split(" (")[0])
            assert indices(trace) == np.flatnonzero(label_N == label).tolist()


def test_a_decision_made_now_is_on_the_map_now(client: httpx.Client, planted: Any) -> None:
    figure(client, planted.run_id, "map", colour="decision")
    body = {"items": [{"index": 11, "verdict": "remove"}], "idempotency_key": "map-decision"}
    client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body)
    traces = figure(client, planted.run_id, "map", colour="decision")["data"]
    assert {trace["name"]: indices(trace) for trace in traces}["remove (1)"] == [11]


@pytest.mark.parametrize("query", [{"theme": "blue"}, {"colour": "size"}])
def test_a_wrong_wish_is_refused(client: httpx.Client, planted: Any, query: dict[str, str]) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/figures/map", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
