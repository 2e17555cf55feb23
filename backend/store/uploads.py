"""Finished uploads: whose bytes lie in the artifact store, waiting to become a dataset."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.audit.errors import NotFound
from backend.store.tables import Upload


def key(upload_id: str) -> str:
    """Where the upload's bytes lie in the artifact store."""
    return f"uploads/{upload_id}"


def record(session: Session, account_id: str, upload_id: str, filename: str, size: int) -> Upload:
    """Note that the upload is finished; told twice it is noted once. `size` in bytes."""
    new = insert(Upload).values(id=upload_id, account_id=account_id, filename=filename, size=size)
    session.execute(new.on_conflict_do_nothing(index_elements=["id"]))
    return get(session, account_id, upload_id)


def get(session: Session, account_id: str, upload_id: str) -> Upload:
    """The finished upload, if it is this account's. Raises NotFound otherwise."""
    found = session.scalar(select(Upload).where(Upload.id == upload_id, Upload.account_id == account_id))
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such finished upload.")
    return found
