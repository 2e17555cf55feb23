"""The one family of errors; a class says the HTTP status, an instance says what was found and what is allowed.

Knows nothing of HTTP frameworks or storage; every floor above raises these.
"""

from __future__ import annotations

from typing import Any, ClassVar


class NoiseAuditError(Exception):
    """Something the user can understand and mend.

    `code` is a stable upper-case word, `message` says what happened, `hint` what to do about it.
    `item` names the offending file or field (never a path of this machine), `limit` and `found`
    the range allowed and the value met.
    """

    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        item: str | None = None,
        limit: float | str | None = None,
        found: float | str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint
        self.item, self.limit, self.found = item, limit, found

    def as_dict(self) -> dict[str, Any]:
        """The body of an error answer: code, message and hint always, the others where known."""
        optional = {"item": self.item, "limit": self.limit, "found": self.found}
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            **{key: value for key, value in optional.items() if value is not None},
        }

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> NoiseAuditError:
        """The error that `as_dict` wrote (the class, and so the status, is that of the caller)."""
        return cls(
            body["code"],
            body["message"],
            hint=body.get("hint", ""),
            item=body.get("item"),
            limit=body.get("limit"),
            found=body.get("found"),
        )


class BadInput(NoiseAuditError):
    """What the user sent cannot be used as it is."""

    status = 422


class NotSignedIn(NoiseAuditError):
    """No valid session or token came with the request."""

    status = 401


class Forbidden(NoiseAuditError):
    """The request came from where it must not, or the account's rights do not reach."""

    status = 403


class NotFound(NoiseAuditError):
    """No such thing, or it belongs to somebody else."""

    status = 404


class Conflict(NoiseAuditError):
    """The thing exists but is in a state that does not allow this."""

    status = 409


class TooLarge(NoiseAuditError):
    """Over a limit of this installation."""

    status = 413


class TooMany(NoiseAuditError):
    """Too many requests or queued runs."""

    status = 429


class Unavailable(NoiseAuditError):
    """A part of the installation is away; trying again later may work."""

    status = 503


class Damaged(Unavailable):
    """What was kept is no longer what was written; trying again does not help, a backup may."""


class ClaimLost(Exception):
    """This process no longer owns its job: it was cancelled, or another worker took it. Stop, publish nothing."""
