"""Who may work on a dataset: listed, added, taken off."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from backend.api.context import Id, In, Me
from backend.api.schemas.base import Answer, Body
from backend.audit import rights
from backend.audit.rights import DatasetRole, Operation
from backend.store import activity, members

router = APIRouter(prefix="/api/datasets/{dataset_id}/members", tags=["accounts"])


class MemberAnswer(Answer):
    account_id: str
    name: str
    role: DatasetRole


class MemberList(Answer):
    """Who works on the dataset; who made it comes first. Admins see every dataset and are not listed for it."""

    items: list[MemberAnswer]
    role: DatasetRole = Field(description="of the one who asks")
    may: list[Operation] = Field(description="what the one who asks may do with this dataset")


class MemberPut(Body):
    name: str = Field(min_length=1, max_length=128, description="of an account")
    role: DatasetRole = "reviewer"


@router.get("")
def list_members(dataset_id: Id, context: In, caller: Me) -> MemberList:
    """Who works on the dataset, and what the one who asks may do."""
    with context.database.transaction() as session:
        found = members.list_for(session, dataset_id)
        role = members.role_of(session, caller.id, dataset_id=dataset_id) or "viewer"
    return MemberList(
        items=[MemberAnswer.model_validate(each) for each in found],
        role=role,
        may=rights.may(caller.role, caller.scope, role),
    )


@router.put("")
def set_member(dataset_id: Id, body: MemberPut, context: In, caller: Me) -> MemberAnswer:
    """Add a member, or give one another role."""
    with context.database.transaction() as session:
        member = members.put(session, dataset_id, body.name, body.role)
        activity.record(session, caller.id, "member.set", dataset_id, name=member.name, role=body.role)
        return MemberAnswer.model_validate(member)


@router.delete("/{account_id}", status_code=204)
def remove_member(dataset_id: Id, account_id: Id, context: In, caller: Me) -> None:
    """Take a member off; what they decided stays."""
    with context.database.transaction() as session:
        members.remove(session, dataset_id, account_id)
        activity.record(session, caller.id, "member.remove", dataset_id, account=account_id)
