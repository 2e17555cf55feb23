"""Sign-ins listed and ended, passwords set, and accounts as an admin keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.store import accounts, people
from backend.store.database import Database

PASSWORD = "a long password"
SignIn = Callable[[Any, str], httpx.Client]


def status(client: httpx.Client) -> int:
    return client.get("/api/session").status_code


def test_a_sign_in_is_listed_with_its_browser_and_can_be_ended_from_another(
    live: Any, sign_in: SignIn
) -> None:
    here, there, other = sign_in(live, "ann"), sign_in(live, "ann"), sign_in(live, "ann")
    items = here.get("/api/sessions").json()["items"]
    assert [item["current"] for item in items].count(True) == 1
    assert {item["browser"] for item in items} == {here.headers["User-Agent"]}
    assert len({item["id"] for item in items}) == 3
    assert all(here.cookies["noise_audit_session"] not in str(item) for item in items)
    (theirs,) = [item["id"] for item in there.get("/api/sessions").json()["items"] if item["current"]]
    assert sign_in(live, "ben").delete(f"/api/sessions/{theirs}").status_code == 404
    assert here.delete(f"/api/sessions/{theirs}").status_code == 204
    assert (status(here), status(there), status(other)) == (200, 401, 200)
    assert here.delete("/api/sessions").status_code == 204
    assert (status(here), status(other)) == (200, 401)


def test_a_code_lets_one_set_a_password_and_later_the_old_one_is_asked_for(
    fresh: Any, sign_in: SignIn, client: httpx.Client
) -> None:
    made = sign_in(fresh, "local").post("/api/accounts", json={"name": "cleo", "role": "reviewer"}).json()
    assert (made["role"], made["has_password"], made["disabled"]) == ("reviewer", False, False)
    code = client.post(f"/api/accounts/{made['id']}/code", json={}).json()
    assert code["hours"] == 24
    with fresh.browser() as first, fresh.browser() as second:
        assert first.post("/api/session", json={"code": code["code"]}).json()["name"] == "cleo"
        assert first.get("/api/sessions").json()["password_needed"] is False
        assert first.put("/api/session/password", json={"password": "short"}).status_code == 422
        assert first.put("/api/session/password", json={"password": PASSWORD}).status_code == 204
        assert second.post("/api/session", json={"name": "cleo", "password": PASSWORD}).status_code == 200
        assert second.get("/api/sessions").json()["password_needed"] is True
        change = {"password": "another long one"}
        for current in (None, "wrong"):
            refused = second.put("/api/session/password", json={**change, "current": current})
            assert (refused.status_code, refused.json()["code"]) == (422, "PASSWORD_WRONG")
        assert second.put("/api/session/password", json={**change, "current": PASSWORD}).status_code == 204
        assert (status(first), status(second)) == (401, 200)
        for _ in range(5):
            second.put("/api/session/password", json={**change, "current": "guess"})
        limited = second.put("/api/session/password", json={**change, "current": "another long one"})
        assert limited.json()["code"] == "SIGN_IN_LIMIT"


def test_a_shut_account_has_no_way_in_until_it_is_opened(
    live: Any, sign_in: SignIn, client: httpx.Client, anonymous: httpx.Client, database: Database
) -> None:
    dan = sign_in(live, "dan")
    token = dan.post("/api/tokens", json={"name": "script"}).json()["token"]
    who = dan.get("/api/session").json()["id"]
    with database.transaction() as session:
        accounts.set_password(session, who, PASSWORD)
        code = accounts.new_login_code(session, who)
    script = {"Authorization": f"Bearer {token}"}
    assert client.patch(f"/api/accounts/{who}", json={"disabled": True}).json()["disabled"] is True
    assert status(dan) == 401
    assert anonymous.get("/api/session", headers=script).status_code == 401
    for way in ({"code": code}, {"name": "dan", "password": PASSWORD}):
        assert anonymous.post("/api/session", json=way).json()["code"] == "SIGN_IN_FAILED"
    assert client.patch(f"/api/accounts/{who}", json={"disabled": False}).json()["disabled"] is False
    assert status(dan) == 401, "its sign-ins were ended, not paused"
    assert anonymous.get("/api/session", headers=script).status_code == 200


def test_the_last_admin_stays(client: httpx.Client, account_id: str) -> None:
    for change in ({"role": "viewer"}, {"disabled": True}):
        answer = client.patch(f"/api/accounts/{account_id}", json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "LAST_ADMIN")
    assert client.get("/api/session").json()["role"] == "admin"
    assert client.patch(f"/api/accounts/{'0' * 32}", json={"role": "admin"}).status_code == 404


@pytest.mark.parametrize("name", ["", " ", " eve", "eve ", "e" * 129])
def test_a_name_that_nobody_could_type_again_is_refused(client: httpx.Client, name: str) -> None:
    assert client.post("/api/accounts", json={"name": name}).status_code == 422


def test_a_name_is_taken_once(client: httpx.Client) -> None:
    assert client.post("/api/accounts", json={"name": "fay"}).status_code == 201
    assert client.post("/api/accounts", json={"name": "fay"}).json()["code"] == "NAME_TAKEN"


def test_the_log_says_who_did_what_to_a_dataset_and_pages_through_it(
    live: Any, client: httpx.Client, planted: Any, sign_in: SignIn
) -> None:
    sign_in(live, "gil")
    address = f"/api/datasets/{planted.dataset_id}"
    assert client.put(f"{address}/members", json={"name": "gil", "role": "reviewer"}).status_code == 200
    run = client.post(f"{address}/runs", json={}).json()["id"]
    client.post(f"/api/runs/{run}/stop", json={})
    client.get(f"/api/runs/{planted.run_id}/exports/samples")
    items = client.get(f"{address}/activity").json()["items"]
    assert [item["action"] for item in items] == ["export", "run.stop", "run.create", "member.set"]
    assert {item["account"] for item in items} == {"local"}
    assert items[-1]["detail"] == {"name": "gil", "role": "reviewer"}
    pages, before = [], None
    while True:
        page = client.get(
            f"{address}/activity", params={"limit": 3, **({"before": before} if before else {})}
        ).json()
        pages.append(page["items"])
        if (before := page["next"]) is None:
            break
    assert [len(page) for page in pages] == [3, 1]
    assert [item for page in pages for item in page] == items
    everything = [item["action"] for item in client.get("/api/activity?limit=200").json()["items"]]
    assert {"session.begin", "export", "member.set"} <= set(everything)


@pytest.mark.parametrize(
    "statement", ["UPDATE activity SET action = 'x'", "DELETE FROM activity", "TRUNCATE activity"]
)
def test_the_database_itself_refuses_to_change_the_log(
    client: httpx.Client, database: Database, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.execute(text(statement))


def test_who_made_a_dataset_stays_its_owner(client: httpx.Client, planted: Any, account_id: str) -> None:
    address = f"/api/datasets/{planted.dataset_id}/members"
    assert client.delete(f"{address}/{account_id}").json()["code"] == "OWNER_STAYS"
    assert client.put(address, json={"name": "local", "role": "viewer"}).json()["code"] == "OWNER_STAYS"
    unknown = client.put(address, json={"name": "nobody at all"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ACCOUNT_UNKNOWN")
    assert [each["role"] for each in client.get(address).json()["items"]] == ["owner"]


def test_a_use_is_noted_but_not_each_time(live: Any, sign_in: SignIn, database: Database) -> None:
    hal = sign_in(live, "hal")
    with database.transaction() as session:
        session.execute(text("UPDATE session SET seen_at = now() - interval '1 hour'"))
    first = hal.get("/api/sessions").json()["items"][0]["seen_at"]
    assert hal.get("/api/sessions").json()["items"][0]["seen_at"] == first
    with database.transaction() as session:
        age = session.execute(
            text("SELECT extract(epoch FROM now() - max(seen_at)) FROM session")
        ).scalar_one()
        assert age < 60
        assert [row.name for row in people.list_all(session)] == sorted(
            row.name for row in people.list_all(session)
        )
