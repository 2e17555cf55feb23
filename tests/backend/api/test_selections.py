"""Selections over HTTP, and every filter that speaks of many samples at once."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from backend.store import claims, results, runs
from backend.store.database import Database
from backend.store.tables import Run

Second = Callable[[], str]


@pytest.fixture
def second(database: Database, account_id: str, planted: Any) -> Second:
    """Makes another succeeded run on the planted dataset, which flags every third sample."""

    def make() -> str:
        result_N = planted.result_N.copy()
        result_N["flagged"] = np.arange(60) % 3 == 0
        result_N["noise_posterior"] = 1 - result_N["noise_posterior"]
        with database.transaction() as session:
            run_id = runs.create(session, account_id, planted.dataset_id, "thorough", {}, 9).id
            assert claims.claim(session, Run, run_id, "second", 5) is not None
            results.publish_results(session, run_id, "second", result_N, {"flagged": 20})
        return run_id

    return make


def select(client: httpx.Client, run_id: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/runs/{run_id}/selections", json=body)


def indices(client: httpx.Client, run_id: str, **filters: Any) -> list[int]:
    answer = client.get(f"/api/runs/{run_id}/samples/indices", params=filters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/octet-stream"
    return np.frombuffer(answer.content, "<u4").tolist()


def page(client: httpx.Client, run_id: str, **filters: Any) -> dict[str, Any]:
    answer = client.get(f"/api/runs/{run_id}/samples", params={"limit": 500, **filters})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_selection_comes_back_in_its_order_and_the_same_list_is_the_same(
    client: httpx.Client, planted: Any
) -> None:
    made = select(client, planted.run_id, indices=[30, 2, 59])
    assert (made.status_code, made.json()["samples"]) == (201, 3)
    assert select(client, planted.run_id, indices=[30, 2, 59]).json() == made.json()
    address = f"/api/runs/{planted.run_id}/selections/{made.json()['id']}"
    assert client.get(address).json() == {**made.json(), "indices": [30, 2, 59]}


def test_a_bitmap_is_the_selection_of_its_bits(client: httpx.Client, planted: Any) -> None:
    members = [0, 7, 8, 30, 59]
    bits_N = np.isin(np.arange(60), members)
    bitmap = base64.b64encode(np.packbits(bits_N, bitorder="little").tobytes()).decode()
    assert select(client, planted.run_id, bitmap=bitmap).json() == (
        select(client, planted.run_id, indices=members).json()
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "INVALID"),
        ({"indices": []}, "INVALID"),
        ({"indices": [1], "bitmap": "AQAA"}, "INVALID"),
        ({"bitmap": "not base64!"}, "INVALID"),
        ({"bitmap": "AAAA"}, "SELECTION_EMPTY"),
        ({"bitmap": base64.b64encode(bytes([0] * 8 + [1])).decode()}, "SAMPLE_UNKNOWN"),
        ({"indices": [60]}, "SAMPLE_UNKNOWN"),
        ({"indices": [-1]}, "SAMPLE_UNKNOWN"),
        ({"indices": [10**30]}, "SAMPLE_UNKNOWN"),
        ({"indices": [3, 4, 3]}, "DUPLICATE_SAMPLE"),
        ({"indices": ["x"]}, "INVALID"),
    ],
)
def test_what_is_no_selection_is_refused(
    client: httpx.Client, planted: Any, body: dict[str, Any], code: str
) -> None:
    answer = select(client, planted.run_id, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_selection_of_another_run_is_not_there(client: httpx.Client, planted: Any, second: Second) -> None:
    other, made = second(), select(client, planted.run_id, indices=[1]).json()["id"]
    assert client.get(f"/api/runs/{other}/selections/{made}").status_code == 404
    answer = client.get(f"/api/runs/{other}/samples", params={"selection": made})
    assert (answer.status_code, answer.json()["code"], answer.json()["item"]) == (
        422,
        "SELECTION_UNKNOWN",
        "selection",
    )


def test_total_is_what_the_indices_are_and_the_page_begins_them_under_every_filter(
    client: httpx.Client, planted: Any, second: Second
) -> None:
    other = second()
    picked = np.random.default_rng(5).permutation(60)[:25].tolist()
    selection = select(client, planted.run_id, indices=picked).json()["id"]
    items = [{"index": index, "verdict": "keep"} for index in range(10)]
    body = {"items": items, "idempotency_key": uuid.uuid4().hex}
    assert client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=body).status_code == 200
    by_other_N, index_N = np.arange(60) % 3 == 0, np.arange(60)
    own_N = planted.result_N["flagged"]
    expected: list[tuple[dict[str, Any], np.ndarray[Any, Any]]] = [
        ({}, index_N >= 0),
        ({"selection": selection}, np.isin(index_N, picked)),
        ({"flagged_by": other}, by_other_N),
        ({"not_flagged_by": [other]}, ~by_other_N),
        ({"flagged": True, "not_flagged_by": other}, own_N & ~by_other_N),
        ({"flagged_by": [other, planted.run_id]}, own_N & by_other_N),
        ({"min_agreement": 1}, index_N < 0),
        ({"min_agreement": 0}, index_N >= 0),
        ({"verdict": "keep", "selection": selection}, np.isin(index_N, picked) & (index_N < 10)),
        ({"verdict": "none", "flagged": True}, own_N & (index_N >= 10)),
        ({"verdict": "remove"}, index_N < 0),
        ({"split": "none"}, index_N >= 0),
        ({"split": "test"}, index_N < 0),
        (
            {"given_label": 1, "suggested_label": 2},
            (planted.given_N == 1) & (planted.result_N["suggested_label"] == 2),
        ),
    ]
    for filters, wanted_N in expected:
        for order in ("posterior", "index", *(["selection"] if "selection" in filters else [])):
            found = indices(client, planted.run_id, order=order, **filters)
            answer = page(client, planted.run_id, order=order, **filters)
            assert sorted(found) == np.flatnonzero(wanted_N).tolist(), filters
            assert answer["total"] == len(found)
            assert [item["index"] for item in answer["items"]] == found
            if order == "selection":
                assert found == [index for index in picked if wanted_N[index]]


def test_a_page_says_the_size_of_the_original_and_how_many_scores_agree(
    client: httpx.Client, planted: Any
) -> None:
    item = page(client, planted.run_id, limit=1)["items"][0]
    assert (item["width"], item["height"], item["agreement"]) == (20, 12, 0)


@pytest.mark.parametrize(
    ("query", "code", "item"),
    [
        ({"order": "selection"}, "SELECTION_MISSING", "selection"),
        ({"selection": "0" * 32}, "SELECTION_UNKNOWN", "selection"),
        ({"selection": "../x"}, "INVALID", "selection"),
        ({"flagged_by": "0" * 32}, "RUN_UNKNOWN", "flagged_by"),
        ({"not_flagged_by": "0" * 32}, "RUN_UNKNOWN", "not_flagged_by"),
        ({"min_agreement": -1}, "INVALID", "min_agreement"),
        ({"split": "dev"}, "INVALID", "split"),
    ],
)
@pytest.mark.parametrize("what", ["samples", "samples/indices"])
def test_a_filter_on_what_is_not_there_is_named(
    client: httpx.Client, planted: Any, what: str, query: dict[str, Any], code: str, item: str
) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/{what}", params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["item"]) == (422, code, item)


def test_another_datasets_run_is_no_filter(
    client: httpx.Client, planted: Any, ready_dataset: Callable[..., str]
) -> None:
    elsewhere = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()["id"]
    answer = client.get(f"/api/runs/{planted.run_id}/samples", params={"flagged_by": elsewhere})
    assert (answer.status_code, answer.json()["code"]) == (422, "RUN_UNKNOWN")


def test_runs_are_compared_by_what_exactly_they_flagged(
    client: httpx.Client, planted: Any, second: Second
) -> None:
    other = second()
    ids = [planted.run_id, other]
    answer = client.get(f"/api/datasets/{planted.dataset_id}/compare", params={"run": ids})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert [run["id"] for run in document["runs"]] == ids
    for one in document["overlap"]:
        rest = [run_id for run_id in ids if run_id not in one["runs"]]
        found = indices(client, planted.run_id, flagged_by=one["runs"], not_flagged_by=rest)
        assert one["samples"] == len(found)
    (pair,) = document["pairs"]
    shared = len(indices(client, planted.run_id, flagged_by=ids))
    assert (pair["a"], pair["b"], pair["shared"]) == (*ids, shared)
    # The second run's posteriors are the first one's turned around.
    assert pair["rank_correlation"] == pytest.approx(-1)


@pytest.mark.parametrize("what", ["compare", "figures/compare"])
def test_what_cannot_be_compared_is_refused(
    client: httpx.Client, planted: Any, ready_dataset: Callable[..., str], what: str
) -> None:
    address = f"/api/datasets/{planted.dataset_id}/{what}"
    elsewhere = client.post(f"/api/datasets/{ready_dataset()}/runs", json={}).json()["id"]
    queued = client.post(f"/api/datasets/{planted.dataset_id}/runs", json={}).json()["id"]
    for ids, status, code in (
        ([planted.run_id], 422, "INVALID"),
        ([planted.run_id] * 5, 422, "INVALID"),
        ([planted.run_id, planted.run_id], 422, "DUPLICATE_RUN"),
        ([planted.run_id, elsewhere], 422, "RUN_UNKNOWN"),
        ([planted.run_id, queued], 409, "WRONG_STATUS"),
    ):
        answer = client.get(address, params={"run": ids})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_curves_of_compared_runs_carry_their_names(
    client: httpx.Client, planted: Any, second: Second
) -> None:
    ids = [planted.run_id, second()]
    answer = client.get(f"/api/datasets/{planted.dataset_id}/figures/compare", params={"run": ids})
    lines = [(trace["name"].split(",")[0], trace["y"]) for trace in answer.json()["data"]]
    assert lines[0] == ("fast", [2.0, 1.0, 0.66667, 0.5, 0.4])
    assert lines[2][0] == "thorough"
