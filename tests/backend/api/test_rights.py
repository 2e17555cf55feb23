"""Every operation that the API has, asked for in every role and scope: allowed, refused, or not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.api.rights import NEEDS
from backend.store import accounts, members
from backend.store.tables import Account

SIGN_IN = "sign_in"
LADDER = ("viewer", "reviewer", "editor", "owner", "admin")
LOWEST: dict[str, str] = {
    "sign_out": "viewer",
    "list_sessions": "viewer",
    "end_other_sessions": "viewer",
    "end_session": "viewer",
    "set_password": "viewer",
    "list_tokens": "viewer",
    "create_token": "viewer",
    "revoke_token": "viewer",
    "create_selection": "viewer",
    "estimate_run": "viewer",
    "download_export": "viewer",
    "create_decisions": "reviewer",
    "clear_carried_decisions": "reviewer",
    "download_report": "viewer",
    "create_dataset": "editor",
    "create_preflight": "editor",
    "stop_preflight": "editor",
    "suggest_folders": "editor",
    "create_digits": "editor",
    "stop_dataset": "editor",
    "inject_noise": "editor",
    "create_self_test": "editor",
    "create_labels": "editor",
    "append_samples": "editor",
    "create_annotations": "editor",
    "preview_import": "editor",
    "apply_import": "editor",
    "search_duplicates": "editor",
    "create_predictions": "editor",
    "create_run": "editor",
    "stop_run": "editor",
    "set_member": "owner",
    "set_review": "owner",
    "create_adjudications": "owner",
    "delete_dataset": "owner",
    "delete_run": "owner",
    "remove_member": "owner",
    "list_accounts": "admin",
    "create_account": "admin",
    "change_account": "admin",
    "create_sign_in_code": "admin",
    "list_activity": "admin",
    "get_installation": "admin",
    "prune_installation": "admin",
}
"""Who may do what is not merely read, written here once more by hand."""
OF_SCOPE = {
    "read": ("download_export", "download_report", "create_selection", "estimate_run"),
    "decide": ("create_decisions", "clear_carried_decisions"),
}
LEFT_OUT = {SIGN_IN, "sign_out", "end_other_sessions"}
"""They would end the sign-ins that this test works with; they have tests of their own."""
DESTROYS = {"delete_dataset", "delete_run"}
"""They would delete what this test works with; where they are allowed they have tests of their own."""
ENDLESS = {"run_events"}
QUERIES = {"get_atlas": "?indices=0,1", "compare_runs": "?run={run_id}&run={run_id}"}

Operations = list[tuple[str, str, str]]


def operations(app: FastAPI) -> Operations:
    """(method, path, operation id) of all."""
    return [
        (method.upper(), path, operation["operationId"])
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture
def addresses(planted: Any) -> Callable[[str, str], str]:
    """Fills a path in: the dataset and run are there, an account, session or token of that id is not."""
    values = {
        "dataset_id": planted.dataset_id,
        "run_id": planted.run_id,
        "index": "0",
        "what": "samples",
        **dict.fromkeys(("account_id", "session_id", "token_id", "selection_id", "preflight_id"), "0" * 32),
    }
    return lambda path, name: (path + QUERIES.get(name, "")).format_map(values)


@pytest.fixture
def in_role(live: Any, planted: Any, sign_in: Any) -> Callable[[str], httpx.Client]:
    """The browser of an account with this role in the installation and in the dataset."""

    def enter(role: Any) -> httpx.Client:
        client: httpx.Client = sign_in(live, "local" if role == "admin" else f"the {role}")
        if role != "admin":
            with live.database.transaction() as session:
                account = session.get_one(Account, client.get("/api/session").json()["id"])
                account.role = "editor" if role == "owner" else role
                members.put(session, planted.dataset_id, account.name, role)
        return client

    return enter


def ask(client: httpx.Client, method: str, address: str) -> tuple[int, str]:
    """Status and error code. A change is sent with an empty body: past the rights it is refused as incomplete."""
    with client.stream(method, address, json=None if method in ("GET", "DELETE") else {}) as answer:
        if answer.status_code < 400:
            return answer.status_code, ""
        answer.read()
        return answer.status_code, str(answer.json()["code"])


def test_every_operation_that_does_something_says_which_right_it_needs(live: Any) -> None:
    every = operations(live.app)
    names = [name for _, _, name in every]
    assert len(set(names)) == len(names)
    assert set(NEEDS) <= set(names), "a right is stated for an operation that is gone"
    doing = {name for method, _, name in every if method != "GET"} - {SIGN_IN}
    assert doing <= set(NEEDS), "state its right in backend/api/rights.py, and in LOWEST here"
    assert set(LOWEST) == set(NEEDS)


@pytest.mark.parametrize("role", LADDER)
def test_a_role_can_do_what_is_its_own_and_is_told_so_of_the_rest(
    live: Any, role: str, in_role: Any, addresses: Any
) -> None:
    client, seen = in_role(role), 0
    for method, path, name in operations(live.app):
        if name in LEFT_OUT:
            continue
        allowed = LADDER.index(role) >= LADDER.index(LOWEST.get(name, "viewer"))
        if allowed and name in DESTROYS:
            continue
        status, code = ask(client, method, addresses(path, name))
        if allowed:
            assert status < 500, (name, status, code)
            assert status != 401, name
            assert code != "RIGHTS", (name, status, code)
            seen += 1
        else:
            assert (status, code) == (403, "RIGHTS"), (name, status, code)
    assert seen > 30


def test_a_stranger_is_told_that_nothing_is_there_whatever_the_body(
    live: Any, stranger: httpx.Client, addresses: Any
) -> None:
    for method, path, name in operations(live.app):
        if "{dataset_id}" in path or "{run_id}" in path:
            assert ask(stranger, method, addresses(path, name)) == (404, "NOT_FOUND"), name


@pytest.mark.parametrize("scope", ["read", "decide", "full"])
def test_a_token_does_no_more_than_its_scope_although_its_owner_may(
    live: Any, client: httpx.Client, anonymous: httpx.Client, scope: str, addresses: Any
) -> None:
    made = client.post("/api/tokens", json={"name": scope, "scope": scope, "days": 1}).json()
    assert made["scope"] == scope
    anonymous.headers["Authorization"] = f"Bearer {made['token']}"
    within = set(OF_SCOPE["read"]) | (set(OF_SCOPE["decide"]) if scope == "decide" else set())
    for method, path, name in operations(live.app):
        if name in LEFT_OUT:
            continue
        allowed = scope == "full" or name not in LOWEST or name in within
        if allowed and name in DESTROYS:
            continue
        status, code = ask(anonymous, method, addresses(path, name))
        if allowed:
            assert status < 500, (name, status, code)
            assert code != "RIGHTS", (name, status, code)
        else:
            assert (status, code) == (403, "RIGHTS"), (name, status, code)


def test_uploads_are_for_those_who_may_bring_data_in(live: Any, in_role: Any) -> None:
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "3",
        "Upload-Metadata": "filename YQ==,filetype YQ==",
    }
    for role, status in (("viewer", 403), ("reviewer", 403), ("editor", 201)):
        assert in_role(role).post("/api/uploads", headers=headers).status_code == status, role


def test_a_right_that_is_taken_is_gone_at_once(
    live: Any, planted: Any, in_role: Any, client: httpx.Client
) -> None:
    reviewer = in_role("reviewer")
    address = f"/api/datasets/{planted.dataset_id}"
    body = {"items": [{"index": 0, "verdict": "keep"}], "idempotency_key": "the-reviewer-1"}
    assert reviewer.post(f"{address}/decisions", json=body).status_code == 200
    assert reviewer.get(f"{address}/members").json()["may"] == ["see", "export", "decide"]
    who = reviewer.get("/api/session").json()["id"]
    assert (
        client.put(f"{address}/members", json={"name": "the reviewer", "role": "viewer"}).status_code == 200
    )
    assert reviewer.post(f"{address}/decisions", json=body).json()["code"] == "RIGHTS"
    assert reviewer.get(address).status_code == 200
    assert client.delete(f"{address}/members/{who}").status_code == 204
    assert reviewer.get(address).status_code == 404
    assert planted.dataset_id not in {item["id"] for item in reviewer.get("/api/datasets").json()["items"]}


def test_two_reviewers_of_the_same_samples_are_compared_by_what_each_said_last(
    planted: Any, in_role: Any, client: httpx.Client
) -> None:
    def decide(who: httpx.Client, key: str, *verdicts: str) -> None:
        items = [{"index": index, "verdict": verdict} for index, verdict in enumerate(verdicts)]
        body = {"items": items, "idempotency_key": f"agreement-{key}"}
        assert who.post(f"{address}/decisions", json=body).status_code == 200

    address = f"/api/datasets/{planted.dataset_id}"
    reviewer = in_role("reviewer")
    decide(client, "one", "keep", "remove", "keep", "remove", "keep")
    assert client.get(f"{address}/decisions/agreement").json() == {"items": []}
    decide(reviewer, "two", "remove", "remove", "keep", "keep", "cleared")
    decide(reviewer, "three", "keep")
    (pair,) = client.get(f"{address}/decisions/agreement").json()["items"]
    assert (pair["a"], pair["b"], pair["samples"], pair["same"]) == ("local", "the reviewer", 4, 3)
    assert pair["kappa"] == pytest.approx(0.5)


def test_an_operation_that_states_no_right_is_the_admins_alone(fresh: Any, sign_in: Any) -> None:
    def forgotten() -> None:
        raise AssertionError("nobody but an admin comes here")

    from fastapi import APIRouter, Depends

    from backend.api.rights import authorized

    router = APIRouter(dependencies=[Depends(authorized)])
    router.add_api_route("/api/forgotten", forgotten, methods=["POST"])
    fresh.app.include_router(router)
    fresh.app.router.routes.insert(0, fresh.app.router.routes.pop())
    answer = sign_in(fresh, "stranger").post("/api/forgotten", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "RIGHTS")


def test_an_admin_sees_every_dataset(live: Any, sign_in: Any, client: httpx.Client) -> None:
    ann = sign_in(live, "ann")
    made = ann.post("/api/datasets/builtin/digits", json={}).json()["id"]
    assert client.get(f"/api/datasets/{made}").status_code == 200
    assert made in {item["id"] for item in client.get("/api/datasets").json()["items"]}
    with live.database.transaction() as session:
        assert accounts.named(session, "ann").role == "editor"
