"""The whole API under requests that nobody meant: made from its own document, and by hand for every parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

pytestmark = pytest.mark.slow

EXAMPLES = 3
"""Per operation and mode: some hundred requests in all. Raise it to look for longer."""
PUBLIC = {("GET", "/health/live"), ("GET", "/health/ready"), ("POST", "/api/session")}
REFUSED = (401, 403, 404, 405)
"""403: something is wrong with the request before anybody asks who sent it."""
HOSTILE = (
    "\0",
    "../../etc/passwd",
    "' OR 1=1 --",
    "\r\nSet-Cookie: a=b",
    "<script>alert(1)</script>",
    "\u202e\u0000\uffff",
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "[]",
    "{}",
    "%s%n%x",
    "a" * 5000,
)


@pytest.fixture
def script(live: Any, client: httpx.Client) -> Iterator[httpx.Client]:
    """Signed in by a token: nothing that it is made to send signs it out."""
    token = client.post("/api/tokens", json={"name": "hostile"}).json()["token"]
    with live.browser({"Authorization": f"Bearer {token}"}) as signed_in:
        yield signed_in


def operations(live: Any) -> list[Any]:
    schema = schemathesis.openapi.from_dict(live.app.openapi())
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) > 40
    return found


def send_many(operation: Any, mode: GenerationMode, send: Callable[[Any], None]) -> None:
    """Call `send` with requests made for the operation; the same ones each time."""
    few = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try:
        strategy = operation.as_strategy(generation_mode=mode)
        seed(1)(few(given(case=strategy)(lambda case: send(case))))()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "a request as the document wants it can be made"


def ask(client: httpx.Client, case: Any, path: str) -> int:
    """Send what was generated to this address; gives the status."""
    request = case.as_transport_kwargs(base_url=str(client.base_url))
    sent = {key: request[key] for key in ("params", "json", "data", "files") if request.get(key) is not None}
    body = sent.pop("data", None)
    if isinstance(body, str | bytes):
        sent["content"] = body
    headers = {
        name: value
        for name, value in request["headers"].items()
        if name.lower() in ("content-type", "last-event-id") and value.isascii() and value.isprintable()
    }
    try:
        with client.stream(case.method, path, headers=headers, **sent) as answer:
            return answer.status_code
    except httpx.InvalidURL:
        # Longer than this client sends any: no request was made.
        reject()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_request_made_from_the_document_breaks_the_server_or_gets_past_the_door(
    live: Any,
    script: httpx.Client,
    anonymous: httpx.Client,
    planted: Any,
    mode: GenerationMode,
    signed_in: bool,
) -> None:
    real = {"dataset_id": planted.dataset_id, "run_id": planted.run_id}
    asked = 0

    def send(case: Any) -> None:
        nonlocal asked
        asked += 1
        # To things that are there: what is sent to others never comes past the first look.
        values = {**(case.path_parameters or {}), **real}
        path = case.path.format_map({key: quote(str(value), safe="") for key, value in values.items()})
        status = ask(script if signed_in else anonymous, case, path)
        assert status < 500, case.operation.label
        if not signed_in and (case.method.upper(), case.path) not in PUBLIC:
            assert status in REFUSED, (case.operation.label, status)

    for operation in operations(live):
        send_many(operation, mode, send)
    assert asked > 100


def test_no_parameter_of_any_operation_breaks_on_a_hostile_value(
    live: Any, script: httpx.Client, planted: Any
) -> None:
    values = {"dataset_id": planted.dataset_id, "run_id": planted.run_id, "index": "0", "what": "samples"}
    values |= dict.fromkeys(
        ("account_id", "session_id", "token_id", "selection_id", "preflight_id"), "0" * 32
    )
    asked = 0
    for path, methods in live.app.openapi()["paths"].items():
        for method, operation in methods.items():
            if method != "get":
                continue
            for parameter in operation.get("parameters", []):
                name, place = parameter["name"], parameter["in"]
                for hostile in HOSTILE:
                    filled = {key: quote(value, safe="") for key, value in values.items()}
                    if place == "path":
                        filled[name] = quote(hostile, safe="")
                    address = path.format_map(filled)
                    query = {name: hostile} if place == "query" else None
                    with script.stream("GET", address, params=query) as answer:
                        assert answer.status_code < 500, (operation["operationId"], name, hostile)
                    asked += 1
    assert asked > 500
