"""Who is shown the whole of a blind review: those who settle it, and nobody whose decisions it is to keep independent."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.api.context import Caller
from backend.audit.errors import Forbidden
from backend.audit.rights import may
from backend.store import members
from backend.store.tables import Dataset


def sees_whole(session: Session, caller: Caller, dataset: Dataset) -> bool:
    """Whether this account may see what every reviewer said; looking takes no more than a token that reads."""
    if dataset.blind_since is None:
        return True
    role = members.role_of(session, caller.id, dataset_id=dataset.id)
    return role is not None and "adjudicate" in may(caller.role, "full", role)


def require_whole(session: Session, caller: Caller, dataset: Dataset) -> None:
    """Raise Forbidden (BLIND) unless the account may see what every reviewer said."""
    if not sees_whole(session, caller, dataset):
        raise Forbidden(
            "BLIND",
            "This dataset is reviewed blind: what the reviewers said together is shown once the review is open.",
            hint="Who owns the dataset sees it, takes files away, and opens the review.",
        )
