"""Who may do what: the one table of roles and operations. Pure; knows no route, no table, no account.

What an account may do to a dataset is what three answers allow together: its role in the installation, its role in
the dataset, and the scope of the token it came with. None of the three can widen another.
"""

from __future__ import annotations

from typing import Literal, get_args

from backend.audit.errors import Forbidden

Operation = Literal[
    "see", "export", "decide", "run", "import", "delete", "members", "adjudicate", "self", "accounts"
]
"""see: read it, and select in it · export: take files away · decide: give verdicts on samples · run: start and stop
audits · import: bring data in, and derive datasets · delete: remove it · members: say who else may work on it · adjudicate: make a
review blind, see what each reviewer of it said, and settle what they disagree on ·
self: one's own password, sessions and tokens · accounts: everybody's accounts, what everybody did, and what the
installation uses."""

AccountRole = Literal["admin", "editor", "reviewer", "viewer"]
"""In the installation. The admin alone keeps accounts, and sees every dataset as if it were the owner."""
DatasetRole = Literal["owner", "editor", "reviewer", "viewer"]
"""In one dataset. Who made it owns it; a member has the role that an owner gave."""
Scope = Literal["full", "decide", "read"]
"""Of an API token; a browser's sign-in has the full one."""

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
ACCOUNT_ROLES: tuple[AccountRole, ...] = get_args(AccountRole)
DATASET_ROLES: tuple[DatasetRole, ...] = get_args(DatasetRole)
SCOPES: tuple[Scope, ...] = get_args(Scope)

_READ: frozenset[Operation] = frozenset({"see", "export"})
_DECIDE: frozenset[Operation] = _READ | {"decide"}
_WORK: frozenset[Operation] = _DECIDE | {"run", "import"}
_OWN: frozenset[Operation] = _WORK | {"delete", "members", "adjudicate"}

OF_ACCOUNT: dict[AccountRole, frozenset[Operation]] = {
    "viewer": _READ | {"self"},
    "reviewer": _DECIDE | {"self"},
    "editor": _OWN | {"self"},
    "admin": frozenset(OPERATIONS),
}
OF_MEMBER: dict[DatasetRole, frozenset[Operation]] = {
    "viewer": _READ,
    "reviewer": _DECIDE,
    "editor": _WORK,
    "owner": _OWN,
}
OF_SCOPE: dict[Scope, frozenset[Operation]] = {
    "read": _READ,
    "decide": _DECIDE,
    "full": frozenset(OPERATIONS),
}

_WORDS: dict[Operation, str] = {
    "see": "look at this",
    "export": "take files away",
    "decide": "decide on samples",
    "run": "start or stop audits",
    "import": "bring data in",
    "delete": "delete this",
    "members": "say who may work on a dataset",
    "adjudicate": "make a review blind, or settle it",
    "self": "change an account's own password, sessions and tokens",
    "accounts": "keep accounts and the installation",
}


def require(
    operation: Operation, account: AccountRole, scope: Scope, member: DatasetRole | None = None
) -> None:
    """Raise Forbidden (RIGHTS) unless all that is given allows the operation. `member` is None away from datasets.

    The refusal names what stands in the way, the token first: who mends that sees the next.
    """
    if operation not in OF_SCOPE[scope]:
        raise _refusal(operation, f"the scope {scope} of this token", "Use a token of a wider scope.", scope)
    if operation not in OF_ACCOUNT[account]:
        raise _refusal(operation, f"the role {account}", "An admin gives roles, in Settings.", account)
    if member is not None and operation not in OF_MEMBER[member]:
        hint = "Who owns the dataset gives roles in it, on its page."
        raise _refusal(operation, f"the role {member} in this dataset", hint, member)


def may(account: AccountRole, scope: Scope, member: DatasetRole) -> list[Operation]:
    """What these allow together, in the order of `Operation`: what a page has buttons for."""
    allowed = OF_ACCOUNT[account] & OF_SCOPE[scope] & OF_MEMBER[member]
    return [operation for operation in OPERATIONS if operation in allowed]


def _refusal(operation: Operation, who: str, hint: str, found: str) -> Forbidden:
    return Forbidden(
        "RIGHTS", f"With {who} nobody can {_WORDS[operation]}.", hint=hint, item=operation, found=found
    )
