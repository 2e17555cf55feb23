"""Two accounts and every operation: what belongs to one is not there for the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

BODIES: dict[str, Any] = {
    "stop_dataset": {},
    "stop_preflight": {},
    "stop_run": {},
    "search_duplicates": {},
    "inject_noise": {"rate": 0.1},
    "create_decisions": {"items": [{"index": 0, "verdict": "keep"}], "idempotency_key": "stranger-1"},
    "create_run": {},
    "estimate_run": {},
    "create_self_test": {},
    "create_selection": {"indices": [0]},
    "set_member": {"name": "friend", "role": "viewer"},
    "set_review": {"blind": True},
    "create_adjudications": {
        "items": [{"index": 0, "verdict": "keep"}],
        "idempotency_key": "stranger-3",
    },
}
QUERIES: dict[str, str] = {
    "get_atlas": "?indices=0,1",
    "compare_runs": "?run={run_id}&run={other_run_id}",
    "compare_curves": "?run={run_id}&run={other_run_id}",
}


def operations(app: FastAPI) -> list[tuple[str, str, str]]:
    """(method, path, operation id) of all that names a dataset, a run or a preflight."""
    return [
        (method.upper(), path, operation["operationId"])
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if any(f"{{{noun}_id}}" in path for noun in ("dataset", "run", "preflight"))
    ]


def test_every_operation_on_somebody_elses_dataset_or_run_is_404_and_the_owners_is_not(
    live: Any, client: httpx.Client, stranger: httpx.Client, planted: Any, uploaded: Any, sign_in: Any
) -> None:
    bodies = {
        **BODIES,
        "create_predictions": {"upload_id": uploaded("p.npy", b"0")},
        "preview_import": {"upload_id": (table := uploaded("d.csv", b"index,decision\n0,keep\n"))},
        "apply_import": {"upload_id": table, "idempotency_key": "stranger-2"},
        "create_labels": {"upload_id": uploaded("l.csv", b"index,label\n0,cat\n")},
        "append_samples": {"upload_id": uploaded("more.zip", b"0")},
        "create_annotations": {"upload_id": uploaded("a.csv", b"index,ann\n0,cat\n")},
    }
    known = operations(live.app)
    assert len(known) >= 20
    selection = client.post(f"/api/runs/{planted.run_id}/selections", json={"indices": [3]}).json()
    waiting = client.post(f"/api/datasets/{planted.dataset_id}/runs", json={}).json()
    opened = Path(live.settings.server_folders)
    opened.mkdir(exist_ok=True)
    preflight = client.post("/api/preflights", json={"server_folder": str(opened)}).json()
    values = {
        "dataset_id": planted.dataset_id,
        "run_id": planted.run_id,
        "other_run_id": waiting["id"],
        "selection_id": selection["id"],
        "preflight_id": preflight["id"],
        "account_id": sign_in(live, "friend").get("/api/session").json()["id"],
        "index": "0",
        "what": "samples",
    }
    # What deletes comes last, when nothing is asked of it any more.
    for method, path, name in sorted(known, key=lambda each: each[0] == "DELETE"):
        address = (path + QUERIES.get(name, "")).format_map(values)
        body = bodies.get(name)
        refused = stranger.request(method, address, json=body)
        assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND"), (name, refused.text)
        own = client.request(method, address, json=body)
        assert own.status_code in (200, 201, 202, 204, 409), (name, own.text)


def test_lists_hold_only_ones_own(client: httpx.Client, stranger: httpx.Client, planted: Any) -> None:
    for address in ("/api/datasets", "/api/runs"):
        assert stranger.get(address).json() == {"items": []}
        assert client.get(address).json()["items"]
    assert stranger.get("/api/runs", params={"dataset_id": planted.dataset_id}).json() == {"items": []}
    answer = stranger.get("/api/recipes", params={"dataset_id": planted.dataset_id})
    assert answer.status_code == 404


def test_a_decision_cannot_name_somebody_elses_run(
    client: httpx.Client, stranger: httpx.Client, planted: Any, ready_dataset: Any
) -> None:
    body = {
        "items": [{"index": 0, "verdict": "keep"}],
        "idempotency_key": "other-run",
        "run_id": planted.run_id,
    }
    answer = client.post(f"/api/datasets/{ready_dataset()}/decisions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "RUN_UNKNOWN")


def test_nobody_revokes_or_sees_anothers_token(client: httpx.Client, stranger: httpx.Client) -> None:
    token = client.post("/api/tokens", json={"name": "mine"}).json()
    assert stranger.delete(f"/api/tokens/{token['id']}").status_code == 404
    assert stranger.get("/api/tokens").json() == []
    headers = {"Authorization": f"Bearer {token['token']}"}
    assert stranger.get("/api/session", headers=headers).json()["name"] == "local"


@pytest.mark.parametrize("name", ["..", "%00", "a" * 33, "' OR 1=1", "ABC", "%E2%80%AE"])
def test_an_id_that_is_none_is_refused_plainly(client: httpx.Client, name: str) -> None:
    for address in (f"/api/datasets/{name}", f"/api/runs/{name}/samples"):
        answer = client.get(address)
        assert answer.status_code in (404, 422)
        assert answer.json()["code"] in ("NOT_FOUND", "INVALID")
