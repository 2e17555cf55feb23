"""Errors → the one shape of error answer. Never a path, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from backend.audit.errors import NoiseAuditError

log = logging.getLogger(__name__)

_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "The request cannot be understood."),
    404: ("NOT_FOUND", "There is nothing at this address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not do that."),
    409: ("CONFLICT", "Something else happened first."),
    410: ("GONE", "This is no longer there."),
    412: ("TUS_VERSION", "Uploads need the header Tus-Resumable: 1.0.0."),
    413: ("LIMIT_EXCEEDED", "This is larger than the installation allows."),
    415: ("CONTENT_TYPE", "The content type is not the one needed here."),
    423: ("LOCKED", "Another request is writing this upload."),
    503: ("UNAVAILABLE", "A part of the installation is busy or away."),
}
FOUND_CHARACTERS = 100
"""As much of a wrong value as is said back."""


def error_response(error: NoiseAuditError, request_id: str) -> JSONResponse:
    """The answer for an error of ours."""
    return JSONResponse({**error.as_dict(), "request_id": request_id}, status_code=error.status)


def internal_error(request_id: str) -> JSONResponse:
    """The answer for what should not have happened: an id to find the log entry by, and nothing else."""
    body = {
        "code": "INTERNAL",
        "message": "Something went wrong on the server; it has been logged.",
        "hint": "Try again. If it stays, report the request id.",
        "request_id": request_id,
    }
    return JSONResponse(body, status_code=500)


def install(app: FastAPI) -> None:
    """Have the application answer every foreseen error in our shape (the gate answers the unforeseen)."""
    app.add_exception_handler(NoiseAuditError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoiseAuditError)
    return error_response(error, _request_id(request))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = _WORDS.get(error.status_code, (f"HTTP_{error.status_code}", "The request was refused."))
    if error.status_code >= 500:
        log.error("request %s: %s", _request_id(request), str(error.detail)[:500])
    body = {"code": code, "message": message, "hint": "", "request_id": _request_id(request)}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = {**invalid_fields(error.errors()), "request_id": _request_id(request)}
    return JSONResponse(body, status_code=422)


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of a 422: the first field at fault with its range, and how many more there are."""
    first = errors[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    body: dict[str, Any] = {
        "code": "INVALID",
        "message": f"{field}: {first['msg']}." if field else f"{first['msg']}.",
        "hint": "" if len(errors) == 1 else f"{len(errors) - 1} more of the fields are wrong.",
    }
    if field:
        body["item"] = field
    if limit := _limit(first.get("ctx", {})):
        body["limit"] = limit
    found = first.get("input")
    if isinstance(found, str | int | float) and not isinstance(found, bool):
        body["found"] = found[:FOUND_CHARACTERS] if isinstance(found, str) else _sendable(found)
    return body


def _limit(context: Mapping[str, Any]) -> float | str | None:
    for key in ("ge", "gt", "le", "lt", "min_length", "max_length", "expected"):
        if key in context:
            limit: float | str = context[key]
            return limit
    return None


def _sendable(number: float) -> float | str:
    """The number, or its text where JSON has no such number or no such size."""
    return number if abs(number) < 2**53 else str(number)[:FOUND_CHARACTERS]
