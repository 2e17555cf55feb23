"""Classes, thresholds and what was decided lately, over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import numpy as np
import pytest

from backend.api.schemas.summaries import RecentDecisions
from backend.store.tables import Membership


def decide(client: httpx.Client, dataset_id: str, *items: dict[str, Any], **body: Any) -> str:
    key = body.pop("idempotency_key", uuid.uuid4().hex)
    answer = client.post(
        f"/api/datasets/{dataset_id}/decisions", json={"items": list(items), "idempotency_key": key, **body}
    )
    assert answer.status_code == 200, answer.text
    return str(key)


def test_every_class_and_every_cell_of_flags_is_counted(client: httpx.Client, planted: Any) -> None:
    decide(client, planted.dataset_id, *({"index": index, "verdict": "keep"} for index in range(30)))
    decide(client, planted.dataset_id, {"index": 0, "verdict": "cleared"})
    decided_N = (np.arange(60) < 30) & (np.arange(60) > 0)
    document = client.get(f"/api/runs/{planted.run_id}/classes").json()
    flagged_N, suggested_N = planted.result_N["flagged"], planted.result_N["suggested_label"]
    for label, row in enumerate(document["items"]):
        given_N = planted.given_N == label
        posterior_M = planted.result_N["noise_posterior"][given_N]
        assert (row["label"], row["samples"], row["flagged"], row["decided"]) == (
            label,
            int(given_N.sum()),
            int((given_N & flagged_N).sum()),
            int((given_N & decided_N).sum()),
        )
        assert row["noise_rate"] == pytest.approx((posterior_M.mean() + (posterior_M >= 0.5).mean()) / 2)
        low, high = row["noise_rate_interval"]
        assert 0 <= low <= row["noise_rate"] <= high <= 1
    cells = {(cell["given"], cell["suggested"]): cell for cell in document["cells"]}
    for given in range(3):
        for suggested in range(3):
            inside_N = (planted.given_N == given) & (suggested_N == suggested) & flagged_N
            if inside_N.any():
                cell = cells.pop((given, suggested))
                assert cell["flagged"] == int(inside_N.sum())
                assert cell["undecided"] == int((inside_N & ~decided_N).sum())
    assert cells == {}


def test_a_cell_opens_as_many_samples_as_it_says(client: httpx.Client, planted: Any) -> None:
    decide(client, planted.dataset_id, *({"index": index, "verdict": "unsure"} for index in range(20)))
    for cell in client.get(f"/api/runs/{planted.run_id}/classes").json()["cells"]:
        query = {"given_label": cell["given"], "suggested_label": cell["suggested"], "flagged": True}
        address = f"/api/runs/{planted.run_id}/samples"
        assert client.get(address, params=query).json()["total"] == cell["flagged"]
        query["verdict"] = "none"
        assert client.get(address, params=query).json()["total"] == cell["undecided"]


def test_thresholds_say_what_each_would_flag(client: httpx.Client, planted: Any) -> None:
    document = client.get(f"/api/runs/{planted.run_id}/thresholds").json()
    posterior_N = planted.result_N["noise_posterior"]
    assert (document["threshold"], document["samples"]) == (0.7, 60)
    assert (len(document["edges"]), len(document["counts"]), len(document["items"])) == (101, 100, 99)
    assert sum(document["counts"]) == 60
    for row in document["items"]:
        above_N = posterior_N >= row["threshold"]
        assert row["flagged"] == int(above_N.sum())
        assert row["expected_precision"] == pytest.approx(posterior_N[above_N].mean() if above_N.any() else 1)
        assert row["expected_recall"] == pytest.approx(posterior_N[above_N].sum() / posterior_N.sum())


def recent(client: httpx.Client, dataset_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/api/datasets/{dataset_id}/decisions/recent", params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = RecentDecisions.model_validate(answer.json()).model_dump(mode="json")
    assert document == answer.json()
    items: list[dict[str, Any]] = document["items"]
    return items


def test_recent_batches_say_what_stood_before_and_after_oldest_first(
    client: httpx.Client, planted: Any
) -> None:
    one = decide(
        client, planted.dataset_id, {"index": 4, "verdict": "keep"}, {"index": 2, "verdict": "unsure"}
    )
    two = decide(
        client, planted.dataset_id, {"index": 4, "verdict": "relabel", "label": 1}, run_id=planted.run_id
    )
    three = decide(client, planted.dataset_id, {"index": 4, "verdict": "cleared"})
    four = decide(client, planted.dataset_id, {"index": 4, "verdict": "remove"})
    keep, relabel = {"verdict": "keep", "label": None}, {"verdict": "relabel", "label": 1}
    batches = recent(client, planted.dataset_id)
    assert [(batch["idempotency_key"], batch["changes"]) for batch in batches] == [
        (
            one,
            [
                {"index": 4, "before": None, "after": keep},
                {"index": 2, "before": None, "after": {"verdict": "unsure", "label": None}},
            ],
        ),
        (two, [{"index": 4, "before": keep, "after": relabel}]),
        (three, [{"index": 4, "before": relabel, "after": None}]),
        (four, [{"index": 4, "before": None, "after": {"verdict": "remove", "label": None}}]),
    ]
    assert [batch["run_id"] for batch in batches] == [None, planted.run_id, None, None]
    assert [batch["idempotency_key"] for batch in recent(client, planted.dataset_id, limit=2)] == [
        three,
        four,
    ]


def test_recent_batches_are_the_callers_own_on_what_others_left(
    client: httpx.Client, stranger: httpx.Client, planted: Any, database: Any
) -> None:

    who = stranger.get("/api/session").json()["id"]
    with database.transaction() as session:
        session.add(Membership(dataset_id=planted.dataset_id, account_id=who, role="reviewer"))
    theirs = decide(stranger, planted.dataset_id, {"index": 9, "verdict": "keep"})
    own = decide(client, planted.dataset_id, {"index": 9, "verdict": "remove"})
    assert [batch["idempotency_key"] for batch in recent(stranger, planted.dataset_id)] == [theirs]
    (batch,) = recent(client, planted.dataset_id)
    assert batch["idempotency_key"] == own
    assert batch["changes"][0]["before"] == {"verdict": "keep", "label": None}
