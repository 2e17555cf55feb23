"""Figures over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from backend.store import claims, runs
from backend.store.database import Database
from backend.store.tables import Run


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


def test_all_epochs_losses_come_at_once_as_each_comes_alone(client: httpx.Client, planted: Any) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/figures/losses", params={"theme": "dark"})
    items = answer.json()["items"]
    assert [item["epoch"] for item in items] == [1, 2, 3, 4, 5]
    for item in items:
        alone = figure(client, planted.run_id, "loss", theme="dark", epoch=item["epoch"])
        assert {"data": item["data"], "layout": item["layout"]} == alone


def test_a_running_runs_figures_grow_and_a_finished_ones_stay(
    client: httpx.Client,
    database: Database,
    account_id: str,
    ready_dataset: Callable[..., str],
    epoch_content: Callable[[int], dict[str, Any]],
) -> None:
    with database.transaction() as session:
        run_id = runs.create(session, account_id, ready_dataset(), "fast", {}, 0).id
        assert claims.claim(session, Run, run_id, "growing", 5) is not None
    for epoch in (1, 2):
        with database.transaction() as session:
            runs.write_epoch(session, run_id, "growing", epoch, **epoch_content(epoch))
        items = client.get(f"/api/runs/{run_id}/figures/losses").json()["items"]
        assert [item["epoch"] for item in items] == list(range(1, epoch + 1))
        assert len(figure(client, run_id, "curves")["data"][0]["x"]) == epoch
        assert f"epoch {epoch}" in figure(client, run_id, "loss")["layout"]["title"]["text"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_posterior_classes_and_matrix_are_drawn_in_both_themes(
    client: httpx.Client, planted: Any, theme: str
) -> None:
    flagged = int(planted.result_N["flagged"].sum())
    posterior = figure(client, planted.run_id, "posterior", theme=theme)
    assert [trace["name"] for trace in posterior["data"]] == [
        f"not flagged ({60 - flagged})",
        f"flagged ({flagged})",
    ]
    classes = figure(client, planted.run_id, "classes", theme=theme)
    assert sorted(row[0] for row in classes["data"][0]["customdata"]) == [0, 1, 2]
    assert sum(row[2] for row in classes["data"][0]["customdata"]) == flagged


@pytest.mark.parametrize("diagonal", [True, False])
def test_the_matrix_counts_flags_or_with_the_diagonal_everything(
    client: httpx.Client, planted: Any, diagonal: bool
) -> None:
    trace, written = figure(client, planted.run_id, "matrix", diagonal=diagonal)["data"]
    suggested_N, flagged_N = planted.result_N["suggested_label"], planted.result_N["flagged"]
    for given in range(3):
        for suggested in range(3):
            counted_N = (planted.given_N == given) & (suggested_N == suggested) & (flagged_N | diagonal)
            expected = 0 if given == suggested and not diagonal else int(counted_N.sum())
            assert (trace["z"][given][suggested] or 0) == expected
            assert trace["customdata"][given][suggested] == [given, suggested]
    assert sorted(map(int, written["text"])) == sorted(count for row in trace["z"] for count in row if count)


@pytest.mark.parametrize("colour", ["given", "suggested", "posterior", "decision"])
def test_every_samples_place_and_group_are_those_of_the_figure(
    client: httpx.Client, planted: Any, colour: str
) -> None:
    body = {"items": [{"index": 11, "verdict": "remove"}], "idempotency_key": f"points-{planted.run_id}"}
    client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body)
    answer = client.get(f"/api/runs/{planted.run_id}/map/points", params={"colour": colour})
    assert (answer.status_code, len(answer.content)) == (200, 5 * 60)
    x_N = np.frombuffer(answer.content, "<u2", 60)
    group_N = np.frombuffer(answer.content, np.uint8, 60, offset=240)
    traces = figure(client, planted.run_id, "map", colour=colour)["data"]
    traces = [trace for trace in traces if not trace["name"].startswith("flagged")]
    for place, trace in enumerate(traces):
        assert indices(trace) == np.flatnonzero(group_N == place).tolist()
        shown = np.frombuffer(base64.b64decode(trace["x"]["bdata"]), "<u2")
        assert shown.tolist() == x_N[indices(trace)].tolist()
