"""Who may come in, from which page, and what is on every answer."""

import http.client
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.api.gate import is_public
from backend.api.hosts import host_allowed, origin_allowed
from backend.settings import Settings
from backend.store import accounts
from backend.store.artifacts import Artifacts
from backend.store.database import Database

SignIn = Callable[[Any, str], httpx.Client]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
OPEN = {("GET", "/health/live"), ("GET", "/health/ready"), ("POST", "/api/session")}


def addresses(app: FastAPI) -> Iterator[str]:
    """Every path that any route of the application has, its placeholders filled in."""

    def walk(routes: list[Any]) -> Iterator[str]:
        for route in routes:
            yield from walk(getattr(route, "routes", []) or [])
            context = getattr(route, "effective_route_contexts", None)
            for inner in context() if callable(context) else []:
                yield str(getattr(inner, "path", "") or "")
            yield str(getattr(route, "path", "") or "")

    paths = {path for path in walk(list(app.routes)) if path.startswith("/")}
    for path in sorted(paths | set(app.openapi()["paths"])):
        filled = path
        for name, value in {
            "index": "0",
            "what": "samples",
            "path:path": "datasets",
            "uuid": "0" * 32,
        }.items():
            filled = filled.replace(f"{{{name}}}", value)
        while "{" in filled:
            start, end = filled.index("{"), filled.index("}")
            filled = filled[:start] + "0" * 32 + filled[end + 1 :]
        yield filled


def test_every_route_and_method_wants_an_account_except_the_exact_public_list(
    live: Any, anonymous: httpx.Client
) -> None:
    known = list(addresses(live.app))
    assert len(known) > 30
    assert {"/api/uploads", f"/api/uploads/{'0' * 32}", "/api/openapi.json", "/plotly.min.js"} <= set(known)
    for address in [*known, "/api", "/api/", "/api/no/such/thing", "/api/docs", "/docs", "/redoc"]:
        for method in METHODS:
            answer = anonymous.request(method, address, headers={"Content-Type": "application/json"})
            inside = address in ("/api", "/metrics") or address.startswith("/api/")
            public = (method, address) in OPEN or (method in ("GET", "HEAD") and not inside)
            if public:
                assert answer.status_code != 401 or address == "/api/session", (method, address)
            else:
                assert answer.status_code == 401, (method, address, answer.status_code)
                assert method == "HEAD" or answer.json()["code"] == "SIGN_IN"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/session", "/api/x", "/API/../api/session", "/api//session"]
)
def test_nothing_inside_the_api_is_public_to_readers(path: str) -> None:
    assert is_public("GET", path) == (not path.startswith("/api"))
    assert not is_public("DELETE", path)


@pytest.mark.parametrize("path", ["//api/datasets", "/Api/datasets", "/%61pi/datasets", "/x/../api/datasets"])
def test_no_spelling_of_an_address_gets_around_the_gate(live: Any, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 401 or b"items" not in body


def test_a_method_override_does_not_change_what_is_checked(anonymous: httpx.Client) -> None:
    answer = anonymous.get(
        "/api/uploads", headers={"X-HTTP-Method-Override": "POST", "Tus-Resumable": "1.0.0"}
    )
    assert answer.status_code == 401


def test_every_answer_carries_the_security_headers_and_a_request_id(
    anonymous: httpx.Client, client: httpx.Client
) -> None:
    seen = set()
    for answer in (
        anonymous.get("/"),
        anonymous.get("/health/live"),
        anonymous.get("/api/datasets"),
        anonymous.get("/", headers={"Host": "evil.example"}),
        client.get("/api/datasets"),
        client.get("/api/datasets/zzz"),
        client.get("/api/nothing"),
    ):
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers
        seen.add(answer.headers["X-Request-ID"])
        if answer.status_code >= 400:
            assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert len(seen) == 7


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("LOCALHOST:8765", True),
        ("[::1]:8765", True),
        ("audit.example", True),
        ("audit.example:443", True),
        ("127.0.0.1:8766", False),
        ("127.0.0.1", False),
        ("evil.example:8765", False),
        ("audit.example.evil.example", False),
        ("127.0.0.1:8765@evil.example", False),
        ("127.0.0.1:8765/evil", False),
        ("127.0.0.1:port", False),
        ("", False),
        ("localhost.:8765", False),
        ("0.0.0.0:8765", False),
    ],
)
def test_only_names_of_this_installation_are_hosts(host: str, allowed: bool) -> None:
    ports = frozenset({8765})
    assert host_allowed(host, scheme="http", ports=ports, public_host="audit.example") == allowed


def test_without_a_public_host_only_loopback_remains_and_a_stated_port_binds() -> None:
    ports = frozenset({8765})
    assert not host_allowed("audit.example", scheme="https", ports=ports, public_host="")
    assert host_allowed("audit.example:9000", scheme="http", ports=ports, public_host="audit.example:9000")
    assert not host_allowed(
        "audit.example:9001", scheme="http", ports=ports, public_host="audit.example:9000"
    )


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:8765", True),
        ("http://127.0.0.1:8766", False),
        ("http://localhost:8765", False),
        ("http://evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://127.0.0.1:8765/path", False),
        ("http://127.0.0.1:8765@evil.example", False),
    ],
)
def test_only_the_page_of_this_very_host_is_an_origin(origin: str, allowed: bool) -> None:
    assert origin_allowed(origin, "127.0.0.1:8765") == allowed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/health/live"),
        ("GET", "/api/datasets"),
        ("GET", f"/api/runs/{'0' * 32}/events"),
        ("POST", "/api/session"),
        ("POST", "/api/uploads"),
        ("DELETE", "/api/session"),
    ],
)
@pytest.mark.parametrize("header", [{"Host": "evil.example:8765"}, {"Origin": "http://evil.example"}])
def test_a_foreign_host_or_origin_is_refused_on_every_method_even_when_signed_in(
    client: httpx.Client, method: str, path: str, header: dict[str, str]
) -> None:
    answer = client.request(method, path, headers=header)
    assert answer.status_code == 403
    assert answer.json()["code"] in ("HOST_UNKNOWN", "ORIGIN_FOREIGN")


def test_a_change_with_the_cookie_must_be_json(client: httpx.Client) -> None:
    before = client.get("/api/tokens").json()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = client.post("/api/tokens", content=b'{"name": "x"}', headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (403, "CONTENT_TYPE")
    assert client.get("/api/tokens").json() == before


def test_the_body_limit_holds_with_and_without_a_stated_length(client: httpx.Client) -> None:
    large = b'{"name": "' + b"x" * 2**20 + b'"}'
    headers = {"Content-Type": "application/json"}

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    for body in (large, pieces()):
        answer = client.post("/api/tokens", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a", "name": "b"}',
        b'{"days": 1e999, "name": "a"}',
        b'{"days": NaN, "name": "a"}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"days": ' + b"9" * 5000 + b', "name": "a"}',
        b'{"name": ',
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_json_that_means_two_things_or_none_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/tokens", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "JSON_INVALID")


def test_an_unforeseen_error_tells_its_request_id_and_nothing_else(
    fresh: Any, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("secret path /var/lib/noise-audit")

    fresh.app.add_api_route("/api/broken", broken)
    # The dashboard's catch-all comes last; a route added now must come before it.
    fresh.app.router.routes.insert(0, fresh.app.router.routes.pop())
    answer = sign_in(fresh, "local").get("/api/broken")
    assert answer.status_code == 500
    body = answer.json()
    assert set(body) == {"code", "message", "hint", "request_id"}
    assert "secret" not in answer.text
    assert body["request_id"] in caplog.text


def test_a_change_and_a_refusal_are_logged_with_the_request_id_and_without_secrets(
    live: Any, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="backend")
    made = client.post("/api/tokens?note=query-secret", json={"name": "body-secret"})
    refused = client.get("/api/nothing%0Aforged%20line", headers={"Authorization": "Bearer header-secret"})
    client.get("/api/tokens")
    # The line is written after the answer has gone out.
    deadline = time.monotonic() + 5
    while len(lines := [r.getMessage() for r in caplog.records if r.name == "backend.api.gate"]) < 2:
        assert time.monotonic() < deadline
    assert len(lines) == 2
    assert f"request {made.headers['X-Request-ID']}: POST '/api/tokens' 201 in " in lines[0]
    assert f"request {refused.headers['X-Request-ID']}: GET '/api/nothing\\nforged line' 401 in " in lines[1]
    everything = "\n".join(lines)
    assert "secret" not in everything
    assert made.json()["token"] not in everything
    assert client.cookies["noise_audit_session"] not in everything


def test_a_database_that_is_away_is_503_and_not_a_sign_out(
    settings: Settings, artifacts: Artifacts, database: Database, sign_in: SignIn, start: Any
) -> None:
    own = Database(database.url)
    with start(settings, own, artifacts) as running:
        client = sign_in(running, "local")
        own.dispose()
        own.engine = Database("postgresql://localhost:1/none").engine
        answer = client.get("/api/datasets")
        assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_AWAY")
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
    own.dispose()


def test_the_health_pages_and_the_document_answer(anonymous: httpx.Client, client: httpx.Client) -> None:
    assert anonymous.get("/health/live").json() == {"status": "ok"}
    assert anonymous.get("/health/ready").json() == {"status": "ready"}
    assert "/api/datasets" in client.get("/api/openapi.json").json()["paths"]


def test_a_bearer_token_signs_a_script_in_until_it_is_revoked(
    anonymous: httpx.Client, client: httpx.Client, database: Database, account_id: str
) -> None:
    made = client.post("/api/tokens", json={"name": "script", "days": 1}).json()
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert anonymous.get("/api/session", headers=headers).json()["id"] == account_id
    listed = {token["id"]: token["token"] for token in client.get("/api/tokens").json()}
    assert made["id"] in listed
    assert set(listed.values()) == {None}
    assert client.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert anonymous.get("/api/session", headers=headers).status_code == 401
    assert anonymous.get("/api/session", headers={"Authorization": "Bearer"}).status_code == 401
    assert anonymous.get("/api/session", headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_a_wrong_token_is_not_rescued_by_a_good_cookie(client: httpx.Client) -> None:
    assert client.get("/api/session", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_code_signs_in_once_with_a_strict_cookie(
    anonymous: httpx.Client, database: Database, account_id: str
) -> None:
    with database.transaction() as session:
        code = accounts.new_login_code(session, account_id)
    answer = anonymous.post("/api/session", json={"code": code})
    cookie = answer.headers["Set-Cookie"]
    assert answer.json() == {"id": account_id, "name": "local", "role": "admin"}
    assert cookie.startswith("noise_audit_session=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert anonymous.get("/api/session").status_code == 200
    assert anonymous.post("/api/session", json={"code": code}).status_code == 401


def test_under_tls_the_cookie_is_bound_to_the_host(live: Any, database: Database, account_id: str) -> None:
    with database.transaction() as session:
        code = accounts.new_login_code(session, account_id)
    # What a proxy on this machine says of the connection that it ended.
    with live.browser({"X-Forwarded-Proto": "https"}) as secure:
        cookie = secure.post("/api/session", json={"code": code}).headers["Set-Cookie"]
        assert cookie.startswith("__Host-noise_audit_session=")
        assert "Secure" in cookie.split("; ")
        pair = cookie.split(";")[0]
        answer = secure.get("/api/session", headers={"Cookie": pair})
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"]


def test_signing_in_again_ends_the_former_sign_in_and_signing_out_ends_all(
    client: httpx.Client, anonymous: httpx.Client, database: Database, account_id: str
) -> None:
    former = client.cookies["noise_audit_session"]
    with database.transaction() as session:
        code = accounts.new_login_code(session, account_id)
    client.post("/api/session", json={"code": code})
    current = client.cookies["noise_audit_session"]
    assert current != former

    def status(token: str) -> int:
        return anonymous.get("/api/session", headers={"Cookie": f"noise_audit_session={token}"}).status_code

    assert (status(former), status(current)) == (401, 200)
    assert client.delete("/api/session").status_code == 204
    assert status(current) == 401


def test_a_password_signs_in_and_guessing_is_slowed_down(fresh: Any) -> None:
    with fresh.database.transaction() as session:
        accounts.add_user(session, "ann", "a long password")
    right = {"name": "ann", "password": "a long password"}
    with fresh.browser() as browser:
        assert browser.post("/api/session", json=right).json()["name"] == "ann"
        for guess in range(5):
            answer = browser.post("/api/session", json={"code": f"guess {guess}"})
            assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_IN_FAILED")
        assert browser.post("/api/session", json=right).json()["code"] == "SIGN_IN_LIMIT"


@pytest.mark.parametrize(
    "body", [{}, {"name": "ann"}, {"code": "x", "name": "ann"}, {"code": "x", "name": "a", "password": "b"}]
)
def test_a_sign_in_is_a_code_or_a_name_and_password(anonymous: httpx.Client, body: dict[str, str]) -> None:
    answer = anonymous.post("/api/session", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")


def test_a_misspelt_field_is_named(client: httpx.Client) -> None:
    answer = client.post("/api/tokens", json={"name": "x", "dyas": 3})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["item"]) == ("INVALID", "dyas")
    answer = client.post("/api/tokens", json={"name": "x", "days": -1})
    assert {key: answer.json()[key] for key in ("item", "limit", "found")} == {
        "item": "days",
        "limit": 1,
        "found": -1,
    }
