"""The one door: who may come in, from which page, with how much; and what goes on every answer.

Deny by default: only the exact public list needs no account. Knows no noun of the application.
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend import logs
from backend.api.context import Caller, Context
from backend.api.hosts import host_allowed, origin_allowed
from backend.api.problems import error_response, internal_error
from backend.audit.errors import BadInput, Forbidden, NoiseAuditError, NotFound, NotSignedIn, TooLarge
from backend.audit.strictjson import NotJson, parse
from backend.store import accounts

log = logging.getLogger(__name__)

READING = frozenset({"GET", "HEAD"})
PUBLIC = frozenset({("GET", "/health/live"), ("GET", "/health/ready"), ("POST", "/api/session")})
"""Besides the dashboard's files: whatever is read outside /api and /metrics."""
API = "/api"
METRICS = "/metrics"
UPLOADS = "/api/uploads"
COOKIE = "noise_audit_session"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def cookie_name(scheme: str) -> str:
    """The session cookie's name; under TLS the prefix binds it to this very host."""
    return f"__Host-{COOKIE}" if scheme == "https" else COOKIE


def is_public(method: str, path: str) -> bool:
    """Whether nobody needs an account for this."""
    inside = path in (API, METRICS) or path.startswith(f"{API}/")
    return (method, path) in PUBLIC or (method in READING and not inside)


class Gate:
    """Pure ASGI middleware around everything; answers refusals and unforeseen errors itself."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app, self._context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "not offered"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        with logs.about(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = time.monotonic(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._context.requests.note(scope, status, time.monotonic() - began)
                _add_headers(message, scope, request_id)
            await send(message)

        answer: Response
        try:
            receive = await self._admit(scope, receive)
            await self._app(scope, receive, send_with_headers)
            _note(scope, request_id, status, began)
            return
        except NoiseAuditError as error:
            answer = error_response(error, request_id)
        except Exception:
            # The outer door of HTTP: logged here, told to nobody.
            log.exception("request %s failed: %s", request_id, _named(scope))
            answer = internal_error(request_id)
        if status:
            # Half an answer is out; ending the connection is the only way left to say that it failed.
            raise ConnectionAbortedError(f"request {request_id} failed after its answer began")
        await answer(scope, receive, send_with_headers)
        _note(scope, request_id, status, began)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """Check everything about the request that needs no route; gives the body to read from."""
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        self._check_place(scope, headers)
        # No name, id or filter has a NUL, and PostgreSQL takes none.
        if "\0" in path:
            raise NotFound("NOT_FOUND", "There is nothing at this address.")
        if b"%00" in scope["query_string"]:
            raise BadInput("INVALID", "An address holds no NUL character.")
        # tuspyserver would dispatch by this header: then the method checked here is not the one done.
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"x-http-method-override"]
        by: Literal["cookie", "token", "nothing"] = "nothing"
        if not is_public(method, path):
            caller = await run_in_threadpool(self._who, headers, scope["scheme"])
            scope["state"]["caller"] = caller
            by = caller.by
        if method in READING or _is_upload(path):
            _check_upload(method, path, headers)
            return receive
        if by != "token" and method != "DELETE":
            _check_json_type(headers)
        return await self._read(headers, receive)

    def _check_place(self, scope: Scope, headers: Headers) -> None:
        settings, server = self._context.settings, scope.get("server")
        ports = frozenset({settings.port, server[1] if server and server[1] else settings.port})
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not host_allowed(
            host, scheme=scope["scheme"], ports=ports, public_host=settings.public_host
        ):
            raise Forbidden(
                "HOST_UNKNOWN",
                "This server does not answer under that host name.",
                hint="Use the address it printed, or set NOISE_AUDIT_PUBLIC_HOST.",
                found=host[:100],
            )
        origin = headers.get("origin")
        if origin is not None and not origin_allowed(origin, host):
            raise Forbidden(
                "ORIGIN_FOREIGN", "The request comes from another site's page.", found=origin[:100]
            )

    def _who(self, headers: Headers, scheme: str) -> Caller:
        authorization, cookie = headers.get("authorization"), _cookie(headers, cookie_name(scheme))
        with self._context.database.autocommit() as session:
            if authorization is not None:
                kind, _, token = authorization.partition(" ")
                if kind.lower() == "bearer" and (found := accounts.by_token(session, token.strip())):
                    account, row = found
                    return Caller(account.id, account.name, account.role, "token", row.scope, row.id)
            elif cookie and (entered := accounts.by_session(session, cookie)):
                account, sign_in = entered
                return Caller(account.id, account.name, account.role, "cookie", "full", sign_in.id)
        raise NotSignedIn(
            "SIGN_IN", "Sign in first.", hint="Open the address that the server printed, or send a token."
        )

    async def _read(self, headers: Headers, receive: Receive) -> Receive:
        """The whole body, refused as soon as it is over the limit or is not strict JSON."""
        limit, body = self._context.settings.limits.json_bytes, bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            if len(body) > limit:
                raise TooLarge(
                    "LIMIT_EXCEEDED", f"A request body may have {limit} bytes.", limit=limit, found=len(body)
                )
            if not message.get("more_body", False):
                break
        if body and headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            try:
                parse(bytes(body))
            except NotJson as error:
                raise BadInput(
                    "JSON_INVALID",
                    f"The body is not usable JSON: {error}.",
                    hint="Send one JSON object.",
                ) from error
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return replay


def _named(scope: Scope) -> str:
    """Method and path for the log: bounded, on one line, without the query (people paste secrets there)."""
    return f"{scope['method'][:16]} {ascii(scope['path'])[:200]}"


def _note(scope: Scope, request_id: str, status: int, began: float) -> None:
    """One line per change and per refusal; what is merely read is told to those who ask for it."""
    level = logging.DEBUG if scope["method"] in READING and status < 400 else logging.INFO
    milliseconds = (time.monotonic() - began) * 1000
    log.log(level, "request %s: %s %d in %.0f ms", request_id, _named(scope), status, milliseconds)


def _is_upload(path: str) -> bool:
    return path == UPLOADS or path.startswith(f"{UPLOADS}/")


def _check_upload(method: str, path: str, headers: Headers) -> None:
    """Bytes come by PATCH alone; a request that creates an upload carries none, and joins none."""
    if method in READING or not _is_upload(path):
        return
    if "tus-resumable" not in headers and method != "OPTIONS":
        # No page elsewhere can send this header unasked, as it cannot send JSON: the same wall.
        raise Forbidden("TUS_VERSION", "Uploads need the header Tus-Resumable: 1.0.0.")
    if method == "POST" and (
        headers.get("content-length", "0") != "0"
        or "transfer-encoding" in headers
        or "upload-concat" in headers
        or "upload-defer-length" in headers
    ):
        raise Forbidden(
            "TUS_EXTENSION",
            "An upload is created empty, with its length, and in one piece.",
            hint="Send the bytes by PATCH.",
        )


def _check_json_type(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Forbidden(
            "CONTENT_TYPE", "Changes are sent as application/json.", item="Content-Type", found=kind[:100]
        )


def _cookie(headers: Headers, name: str) -> str | None:
    # Other programs on 127.0.0.1 set cookies too, in forms that the strict standard parser stumbles over.
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(name)


def _add_headers(message: Message, scope: Scope, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers["X-Request-ID"] = request_id
    if "location" in headers:
        # Relative: behind a proxy this process knows neither scheme nor name that the browser uses.
        parts = urlsplit(headers["location"])
        headers["location"] = urlunsplit(("", "", parts.path, parts.query, ""))
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if scope["path"].startswith(API):
        headers.setdefault("Cache-Control", "no-store")
