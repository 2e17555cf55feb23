"""Blind double review over HTTP: nothing of one reviewer reaches another, and what both said can be settled."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from backend.audit.blind import STATUSES
from backend.store import claims, datasets, deciding, duplicates, members
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Account, Dataset

TELLS_NO_VERDICT = {"list_dataset_activity", "preview_dataset_deletion"}
"""They say how many decisions there are, never on what or which; a reviewer may see that the other one works."""
FURTHER = (
    "/api/datasets",
    "/api/runs/{run_id}/samples?verdict=none",
    "/api/runs/{run_id}/samples/indices?verdict=keep",
    "/api/runs/{run_id}/figures/map?colour=decision",
    "/api/runs/{run_id}/map/points?colour=decision",
    "/api/datasets/{dataset_id}/review/samples?status=disagree",
)

Items = list[tuple[int, str] | tuple[int, str, int]]


@pytest.fixture
def address(planted: Any) -> str:
    return f"/api/datasets/{planted.dataset_id}"


@pytest.fixture
def reviewers(live: Any, planted: Any, sign_in: Any) -> tuple[httpx.Client, httpx.Client]:
    """The browsers of two reviewers of the dataset."""

    def enter(name: str) -> httpx.Client:
        client: httpx.Client = sign_in(live, name)
        with live.database.transaction() as session:
            session.get_one(Account, client.get("/api/session").json()["id"]).role = "reviewer"
            members.put(session, planted.dataset_id, name, "reviewer")
        return client

    return enter("ann"), enter("ben")


@pytest.fixture
def decide(address: str) -> Callable[..., httpx.Response]:
    """Sends decisions, or adjudications, under a fresh key."""
    sent = iter(range(1000))

    def send(who: httpx.Client, items: Items, path: str = "decisions") -> httpx.Response:
        body = {
            "items": [
                {"index": index, "verdict": verdict, "label": label[0] if label else None}
                for index, verdict, *label in items
            ],
            "idempotency_key": f"{address[-8:]}-{next(sent):04d}",
        }
        answer = who.post(f"{address}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer

    return send


def _blind(client: httpx.Client, address: str, blind: bool = True) -> None:
    assert client.put(f"{address}/review", json={"blind": blind}).json()["blind"] is blind


def test_nothing_that_a_reviewer_can_read_changes_when_the_other_decides(
    live: Any,
    planted: Any,
    address: str,
    client: httpx.Client,
    reviewers: tuple[httpx.Client, httpx.Client],
    decide: Any,
    database: Database,
    artifacts: Artifacts,
) -> None:
    ann, ben = reviewers
    with database.transaction() as session:
        session.execute(
            text("UPDATE sample SET split = 'train' WHERE dataset_id = :id"), {"id": planted.dataset_id}
        )
        duplicates.keep(
            session, artifacts, planted.dataset_id, np.array([0, 1, 2], np.int32), np.array([0, 3])
        )
    _blind(client, address)
    decide(ben, [(0, "keep"), (1, "remove"), (5, "unsure")])
    values = {"dataset_id": planted.dataset_id, "run_id": planted.run_id, "index": "0", "what": "samples"}
    values |= {"selection_id": "0" * 32}
    queries = {"get_atlas": "?indices=0,1", "compare_runs": "?run={run_id}&run={run_id}"}
    addresses = [
        (path + queries.get(methods["get"]["operationId"], "")).format_map(values)
        for path, methods in live.app.openapi()["paths"].items()
        if "get" in methods
        and ("{dataset_id}" in path or "{run_id}" in path)
        and methods["get"]["operationId"] not in TELLS_NO_VERDICT
    ] + [path.format_map(values) for path in FURTHER]

    def everything() -> dict[str, tuple[int, bytes]]:
        answers = {path: ben.get(path) for path in addresses}
        # The request's own id is no news.
        return {
            path: (answer.status_code, answer.content.replace(answer.headers["x-request-id"].encode(), b""))
            for path, answer in answers.items()
        }

    # Once beforehand: the sign-off keeps its plan when it is first asked for.
    everything()
    before = everything()
    assert sum(status == 200 for status, _ in before.values()) > 25
    # On every sample, so that no count of whatever part of them could stay as it was.
    told = decide(
        ann, [(0, "remove"), (1, "remove"), (2, "relabel", 2), *((n, "keep") for n in range(3, 60))]
    )
    assert told.json()["counts"] == {"keep": 57, "relabel": 1, "remove": 2}
    assert everything() == before
    decide(client, [(0, "relabel", 1)], "review/adjudications")
    assert everything() == before
    assert decide(ben, [(7, "keep")]).json()["counts"] == {"keep": 2, "remove": 1, "unsure": 1}


def test_an_undo_brings_back_what_the_reviewer_said_and_not_what_another_did(
    client: httpx.Client, address: str, reviewers: tuple[httpx.Client, httpx.Client], decide: Any
) -> None:
    ann, ben = reviewers
    _blind(client, address)
    decide(ann, [(3, "keep")])
    decide(ben, [(3, "remove")])
    decide(ann, [(3, "unsure")])
    batches = ann.get(f"{address}/decisions/recent").json()["items"]
    assert [batch["changes"][0]["before"] for batch in batches] == [None, {"verdict": "keep", "label": None}]
    (standing,) = ann.get(f"{address}/decisions/standing").json()["items"]
    assert (standing["verdict"], standing["account"]) == ("unsure", "ann")


def test_what_both_said_is_listed_settled_and_exported_and_what_waits_is_counted(
    client: httpx.Client,
    planted: Any,
    address: str,
    reviewers: tuple[httpx.Client, httpx.Client],
    decide: Any,
) -> None:
    ann, ben = reviewers
    exports = f"/api/runs/{planted.run_id}/exports"
    assert client.get(f"{exports}/preview").json()["review"] is None
    _blind(client, address)
    decide(ann, [(0, "remove"), (1, "keep"), (2, "relabel", 0), (3, "remove"), (4, "keep")])
    decide(ben, [(0, "remove"), (1, "remove"), (2, "relabel", 1), (3, "keep"), (8, "remove")])
    decide(ben, [(3, "cleared")])

    review = client.get(f"{address}/review").json()
    counts = {"once": 3, "agreed": 1, "disagree": 2, "adjudicated": 0}
    names = [{"name": "ann", "decided": 5}, {"name": "ben", "decided": 4}]
    assert review["progress"] == {**counts, "reviewers": names}
    assert (review["blind"], review["own"]) == (True, 0)
    assert ann.get(f"{address}/review").json()["progress"] is None
    assert ann.get(f"{address}/review").json()["own"] == 5

    listed = client.get(f"{address}/review/samples", params={"status": "disagree"}).json()
    assert listed["total"] == 2
    assert [item["index"] for item in listed["items"]] == [1, 2]
    assert [(a["account"], a["verdict"], a["label"]) for a in listed["items"][1]["answers"]] == [
        ("ann", "relabel", 0),
        ("ben", "relabel", 1),
    ]
    chosen = {"status": "once", "reviewer": "ann", "given_label": int(planted.given_N[4])}
    only = client.get(f"{address}/review/samples", params=chosen).json()["items"]
    assert 4 in {item["index"] for item in only} <= {3, 4}
    page = client.get(f"{address}/review/samples", params={"offset": 1, "limit": 2}).json()
    assert ([item["index"] for item in page["items"]], page["total"]) == ([1, 2], 6)

    settled = decide(client, [(1, "remove"), (2, "keep")], "review/adjudications").json()
    assert settled["recorded"] == 2
    decide(client, [(2, "cleared")], "review/adjudications")
    counts = {"once": 3, "agreed": 1, "disagree": 1, "adjudicated": 1}
    assert client.get(f"{exports}/preview").json()["review"] == counts
    answer = client.get(f"{exports}/samples", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {int(row["index"]): row["decision"] for row in rows if row["decision"]} == {
        0: "remove",
        1: "remove",
    }
    manifest = client.get(f"{exports}/samples/manifest", params={"format": "csv"}).json()
    assert manifest["review"] == counts
    assert "4 wait" in client.get(f"/api/runs/{planted.run_id}/report").text

    (pair,) = client.get(f"{address}/decisions/agreement").json()["items"]
    assert (pair["samples"], pair["same"]) == (3, 1)
    assert pair["kappa_low"] < pair["kappa"] < pair["kappa_high"]


def test_what_is_settled_together_is_for_those_who_settle_it(
    client: httpx.Client, planted: Any, address: str, reviewers: tuple[httpx.Client, httpx.Client]
) -> None:
    ann, _ = reviewers
    run = f"/api/runs/{planted.run_id}"
    whole = [f"{address}/decisions/agreement", f"{address}/review/samples", f"{run}/report"]
    whole += [f"{run}/exports", f"{run}/exports/preview", f"{run}/exports/samples", f"{run}/exports/model"]
    assert {ann.get(path).status_code for path in whole} == {200}
    _blind(client, address)
    for path in whole:
        answer = ann.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "BLIND"), path
        assert client.get(path).status_code == 200, path
    token = client.post("/api/tokens", json={"name": "ci", "scope": "read"}).json()["token"]
    reading = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{client.base_url}{run}/exports/samples", headers=reading).status_code == 200


def test_an_opened_review_goes_by_the_newest_decision_again(
    client: httpx.Client, address: str, reviewers: tuple[httpx.Client, httpx.Client], decide: Any
) -> None:
    ann, ben = reviewers
    _blind(client, address)
    decide(ann, [(0, "keep"), (1, "keep")])
    decide(ben, [(0, "remove")])
    decide(client, [(0, "unsure")], "review/adjudications")
    since = client.get(f"{address}/review").json()["since"]
    assert client.put(f"{address}/review", json={"blind": True}).json()["since"] == since
    _blind(client, address, blind=False)
    stands = ann.get(f"{address}/decisions/standing").json()["items"]
    assert [(each["index"], each["verdict"], each["account"]) for each in stands] == [
        (0, "unsure", "local"),
        (1, "keep", "ann"),
    ]
    refused = client.post(
        f"{address}/review/adjudications",
        json={"items": [{"index": 0, "verdict": "keep"}], "idempotency_key": "too-late-now"},
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_BLIND")
    assert ann.get(address).json()["blind"] is False
    actions = [deed["action"] for deed in client.get(f"{address}/activity").json()["items"]]
    assert actions.count("review.set") == 2
    assert "review.adjudicate" in actions


def test_a_version_takes_each_reviewers_decisions_along_and_is_blind_itself(
    client: httpx.Client,
    planted: Any,
    address: str,
    reviewers: tuple[httpx.Client, httpx.Client],
    decide: Any,
    uploaded: Any,
    database: Database,
) -> None:
    ann, ben = reviewers
    client.put(f"{address}/members", json={"name": "ann", "role": "editor"})
    with database.transaction() as session:
        session.get_one(Account, ann.get("/api/session").json()["id"]).role = "editor"
    _blind(client, address)
    decide(ann, [(0, "keep"), (1, "keep")])
    decide(ben, [(0, "remove"), (1, "keep")])
    decide(client, [(0, "unsure")], "review/adjudications")
    labels = {"upload_id": uploaded("labels.csv", b"index,label\n9,cat\n")}
    refused = ann.post(f"{address}/labels", json=labels)
    assert (refused.status_code, refused.json()["code"]) == (403, "BLIND")
    version = client.post(f"{address}/labels", json=labels).json()
    assert version["blind"] is True
    with database.transaction() as session:
        rows = datasets.samples(session, planted.dataset_id)
        assert claims.claim(session, Dataset, version["id"], "claim", 5) is not None
        datasets.publish_samples(
            session,
            version["id"],
            names=rows.names,
            given_label_N=rows.given_label_N,
            content_hash=rows.content_hash,
            width_N=rows.width_N,
            height_N=rows.height_N,
        )
        carried = deciding.carry(session, planted.dataset_id, version["id"])
        claims.finish(session, Dataset, version["id"], "claim", "ready", sample_count=len(rows.names))
    assert carried.decisions == 5
    progress = client.get(f"/api/datasets/{version['id']}/review").json()["progress"]
    assert {name: progress[name] for name in STATUSES} == {
        "once": 0,
        "agreed": 1,
        "disagree": 0,
        "adjudicated": 1,
    }
