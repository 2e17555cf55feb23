"""What can go wrong between the client and the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServerUnreachable(Exception):
    """No server answers at the address."""


class ServerError(Exception):
    """The server refused; `code`, `message` and `hint` are its own words."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", f"HTTP_{status}"))
        self.message = str(body.get("message", "The server gave no reason."))
        self.hint = str(body.get("hint", ""))
        self.details = _details(body)
        super().__init__(f"{self.code}: {self.message} {self.hint}".strip())


class BrokenOff(Exception):
    """A file ended before it was whole; nothing of it was kept."""


class JobFailed(Exception):
    """An import or a run that was waited for did not succeed; `job` is its last state, `details` say what was found where."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        error = job.get("error") or {}
        self.job = job
        self.code = str(error.get("code") or str(job["status"]).upper())
        self.message = str(error.get("message") or f"It was {job['status']}.")
        self.hint = str(error.get("hint") or "")
        self.details = _details(error)
        super().__init__(f"{self.code}: {self.message} {self.hint}".strip())


def _details(error: Mapping[str, Any]) -> dict[str, Any]:
    return {key: error[key] for key in ("item", "limit", "found", "request_id") if error.get(key)}
