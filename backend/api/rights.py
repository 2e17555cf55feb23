"""Which right every route asks for, and the check that runs before any endpoint does.

Reading asks for "see"; whatever else asks for more, or does something, stands in `NEEDS` by its operation id.
What is forgotten there is left to the admin alone, and a test says so.
"""

from __future__ import annotations

import re

from fastapi import Request

from backend.api.context import In, Me
from backend.audit.errors import NotFound
from backend.audit.rights import Operation, require
from backend.store import members

NEEDS: dict[str, Operation] = {
    # one's own
    "sign_out": "self",
    "list_sessions": "self",
    "end_other_sessions": "self",
    "end_session": "self",
    "set_password": "self",
    "list_tokens": "self",
    "create_token": "self",
    "revoke_token": "self",
    # everybody's
    "list_accounts": "accounts",
    "create_account": "accounts",
    "change_account": "accounts",
    "create_sign_in_code": "accounts",
    "list_activity": "accounts",
    "get_installation": "accounts",
    "prune_installation": "accounts",
    # datasets
    "create_preflight": "import",
    "stop_preflight": "import",
    "suggest_folders": "import",
    "create_dataset": "import",
    "create_digits": "import",
    "stop_dataset": "import",
    "inject_noise": "import",
    "create_labels": "import",
    "append_samples": "import",
    "create_annotations": "import",
    "preview_import": "import",
    "apply_import": "import",
    "search_duplicates": "run",
    "create_self_test": "run",
    "set_member": "members",
    "remove_member": "members",
    "create_decisions": "decide",
    "set_review": "adjudicate",
    "create_adjudications": "adjudicate",
    "clear_carried_decisions": "decide",
    "delete_dataset": "delete",
    # runs
    "create_run": "run",
    "estimate_run": "see",
    "create_predictions": "run",
    "stop_run": "run",
    "delete_run": "delete",
    "create_selection": "see",
    "download_export": "export",
    "download_report": "export",
}
UPLOADS = "/api/uploads"
_ID = re.compile(r"[0-9a-f]{1,32}")


def needed(method: str, operation_id: str, path: str) -> Operation:
    """The right that a request asks for; `path` is the address as it came."""
    if path == UPLOADS or path.startswith(f"{UPLOADS}/"):
        return "import"
    if operation_id in NEEDS:
        return NEEDS[operation_id]
    return "see" if method in ("GET", "HEAD", "OPTIONS") else "accounts"


def authorized(request: Request, context: In) -> None:
    """Raise Forbidden when the caller may not do this, NotFound when the dataset or run is not there for them.

    Runs on every route that has an account behind it; the public ones have none.
    """
    caller: Me | None = getattr(request.state, "caller", None)
    if caller is None:
        return
    operation = needed(request.method, request.scope["route"].name, request.url.path)
    member = None
    for name in ("dataset_id", "run_id"):
        if (identifier := request.path_params.get(name)) is not None:
            noun = name.removesuffix("_id")
            if not _ID.fullmatch(identifier):
                raise NotFound("NOT_FOUND", f"There is no such {noun}.")
            with context.database.autocommit() as session:
                member = members.role_of(session, caller.id, **{name: identifier})
            if member is None:
                raise NotFound("NOT_FOUND", f"There is no such {noun}.")
    require(operation, caller.role, caller.scope, member)
