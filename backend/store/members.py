"""Who may work on a dataset, in which role."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound
from backend.audit.rights import DatasetRole
from backend.store.tables import Account, Dataset, Membership, Run


class Member(NamedTuple):
    """Somebody who works on a dataset."""

    account_id: str
    name: str
    role: DatasetRole


def role_of(
    session: Session, account_id: str, *, dataset_id: str | None = None, run_id: str | None = None
) -> DatasetRole | None:
    """The account's role in the dataset, or in the run's; None when it may not even know that it exists."""
    query = (
        select(Dataset.owner_id, Account.role, Membership.role)
        .select_from(Dataset)
        .join(Account, Account.id == account_id)
        .outerjoin(Membership, (Membership.dataset_id == Dataset.id) & (Membership.account_id == Account.id))
    )
    if run_id is not None:
        query = query.join(Run, Run.dataset_id == Dataset.id).where(Run.id == run_id)
    else:
        query = query.where(Dataset.id == dataset_id)
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    owner_id, role, given = found
    return "owner" if owner_id == account_id or role == "admin" else given


def list_for(session: Session, dataset_id: str) -> list[Member]:
    """Everybody who works on the dataset: who made it first, then by name. Admins are not listed as such."""
    made = select(Account.id, Account.name).join(Dataset, Dataset.owner_id == Account.id)
    owner = session.execute(made.where(Dataset.id == dataset_id)).one()
    others = (
        select(Account.id, Account.name, Membership.role)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.dataset_id == dataset_id, Account.id != owner.id)
        .order_by(Account.name)
    )
    return [Member(owner.id, owner.name, "owner"), *(Member(*row) for row in session.execute(others))]


def put(session: Session, dataset_id: str, name: str, role: DatasetRole) -> Member:
    """Give the account of this name a role in the dataset. Raises NotFound, and Conflict for who made it."""
    account = session.scalar(select(Account).where(Account.name == name, Account.disabled_at.is_(None)))
    if account is None:
        raise NotFound(
            "ACCOUNT_UNKNOWN",
            "There is no account of this name.",
            hint="An admin adds accounts, in Settings.",
            item="name",
            found=name,
        )
    _not_the_owner(session, dataset_id, account.id)
    new = insert(Membership).values(dataset_id=dataset_id, account_id=account.id, role=role)
    session.execute(
        new.on_conflict_do_update(index_elements=["dataset_id", "account_id"], set_={"role": role})
    )
    return Member(account.id, account.name, role)


def remove(session: Session, dataset_id: str, account_id: str) -> None:
    """Take the account's role in the dataset away. Raises NotFound, and Conflict for who made it."""
    _not_the_owner(session, dataset_id, account_id)
    gone = delete(Membership).where(Membership.dataset_id == dataset_id, Membership.account_id == account_id)
    if session.scalar(gone.returning(Membership.account_id)) is None:
        raise NotFound("NOT_FOUND", "There is no such member.")


def _not_the_owner(session: Session, dataset_id: str, account_id: str) -> None:
    if session.scalar(select(Dataset.owner_id).where(Dataset.id == dataset_id)) == account_id:
        raise Conflict("OWNER_STAYS", "Who made the dataset owns it, and stays.")
