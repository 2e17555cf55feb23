"""Sign-off over HTTP: the plan, its selection, and estimates that follow the decisions that stand."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest


def sign_off(client: httpx.Client, run_id: str, **query: int) -> Any:
    answer = client.get(f"/api/runs/{run_id}/sign-off", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def decide(client: httpx.Client, planted: Any, verdicts: dict[int, str]) -> None:
    items = [{"index": index, "verdict": verdict} for index, verdict in verdicts.items()]
    body = {"items": items, "run_id": planted.run_id, "idempotency_key": uuid.uuid4().hex}
    answer = client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body)
    assert answer.status_code == 200, answer.text


def test_the_plan_is_the_same_each_time_and_kept_as_a_selection(client: httpx.Client, planted: Any) -> None:
    found = sign_off(client, planted.run_id, size=30)
    assert found == sign_off(client, planted.run_id, size=30)
    kept = client.get(f"/api/runs/{planted.run_id}/selections/{found['selection']}").json()
    assert kept["indices"] == found["remaining"]
    assert sign_off(client, planted.run_id, size=40)["remaining"][:30] == found["remaining"]
    assert sign_off(client, planted.run_id, size=30, seed=1)["selection"] != found["selection"]
    flagged_N = planted.result_N["flagged"]
    flagged, unflagged = found["strata"]
    assert (flagged["name"], flagged["samples"]) == ("flagged", int(flagged_N.sum()))
    assert (unflagged["name"], unflagged["samples"]) == ("unflagged", int((~flagged_N).sum()))
    assert flagged["drawn"] == flagged_N[found["remaining"]].sum()
    assert flagged["drawn"] + unflagged["drawn"] == 30
    assert found["noise_rate"] is None
    assert not found["enough"]
    assert "at random" in found["advice"]


def test_a_review_of_everything_finds_the_truth_and_taking_back_one_answer_reopens_it(
    client: httpx.Client, planted: Any
) -> None:
    wrong_N = planted.given_N != planted.true_N
    decide(client, planted, {index: "remove" if wrong_N[index] else "keep" for index in range(60)})
    found = sign_off(client, planted.run_id)
    flagged_N = planted.result_N["flagged"]
    assert found["remaining"] == []
    for name, truth in {
        "noise_rate": wrong_N.mean(),
        "flag_precision": wrong_N[flagged_N].mean(),
        "missed": wrong_N[~flagged_N].mean(),
        "missed_count": wrong_N[~flagged_N].sum(),
    }.items():
        assert list(found[name].values()) == pytest.approx([truth] * 3), name
    assert found["enough"]
    assert "Every sample has been reviewed" in found["advice"]
    decide(client, planted, {17: "cleared"})
    again = sign_off(client, planted.run_id)
    assert again["remaining"] == [17]
    assert again["noise_rate"]["low"] < again["noise_rate"]["high"]


def test_unsure_widens_the_interval_and_is_counted_apart(client: httpx.Client, planted: Any) -> None:
    order = sign_off(client, planted.run_id, size=40)["remaining"]
    decide(client, planted, dict.fromkeys(order, "keep"))
    sure = sign_off(client, planted.run_id, size=40)
    decide(client, planted, dict.fromkeys(order[:6], "unsure"))
    unsure = sign_off(client, planted.run_id, size=40)
    assert sum(each["unsure"] for each in unsure["strata"]) == 6
    assert sum(each["reviewed"] for each in unsure["strata"]) == 40
    assert unsure["noise_rate"]["low"] == sure["noise_rate"]["low"] == 0
    assert unsure["noise_rate"]["high"] > sure["noise_rate"]["high"]


@pytest.mark.parametrize("query", [{"size": 0}, {"size": 100_000}, {"seed": -1}, {"size": "many"}])
def test_a_plan_that_cannot_be_is_refused(client: httpx.Client, planted: Any, query: Any) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/sign-off", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")


def test_a_run_that_has_not_succeeded_has_no_plan(client: httpx.Client, ready_dataset: Any) -> None:
    run = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()
    answer = client.get(f"/api/runs/{run['id']}/sign-off")
    assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATUS")
