"""Finished uploads: whose bytes lie in the artifact store, waiting to become a dataset."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.audit.errors import Conflict, Damaged, NotFound
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset, Run, Upload
from noise_audit.digest import of_file

log = logging.getLogger(__name__)


def key(upload_id: str) -> str:
    """Where the upload's bytes lie in the artifact store."""
    return f"uploads/{upload_id}"


def record(
    session: Session, account_id: str, upload_id: str, filename: str, size: int, digest: str
) -> Upload:
    """Note that the upload is finished; told twice it is noted once. `size` in bytes, `digest` as by noise_audit."""
    new = insert(Upload).values(
        id=upload_id, account_id=account_id, filename=filename, size=size, digest=digest
    )
    session.execute(new.on_conflict_do_nothing(index_elements=["id"]))
    return get(session, account_id, upload_id)


def get(session: Session, account_id: str, upload_id: str) -> Upload:
    """The finished upload, if it is this account's. Raises NotFound otherwise."""
    found = session.scalar(select(Upload).where(Upload.id == upload_id, Upload.account_id == account_id))
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such finished upload.")
    return found


def located(database: Database, artifacts: Artifacts, upload_id: str, elsewhere: Path) -> Path:
    """The upload's bytes as a file: where they lie, or (from a bucket) fetched to `elsewhere`; to be read only.

    Raises Damaged (UPLOAD_CORRUPT) when they are not those that arrived, and NotFound (ARTIFACT_MISSING).
    """
    path = artifacts.local_path(key(upload_id))
    if path is None:
        return fetch(database, artifacts, upload_id, elsewhere)
    if not path.is_file():
        # In the words of the store.
        artifacts.size(key(upload_id))
    _check(database, upload_id, path)
    return path


def fetch(database: Database, artifacts: Artifacts, upload_id: str, path: Path) -> Path:
    """Write the upload's bytes to a file. Raises as `located`."""
    artifacts.download(key(upload_id), path)
    _check(database, upload_id, path)
    return path


def _check(database: Database, upload_id: str, path: Path) -> None:
    with database.transaction() as session:
        digest = session.scalar(select(Upload.digest).where(Upload.id == upload_id))
    # Those of before digests were noted have none.
    if digest is not None and of_file(path) != digest:
        log.error("the upload %s is damaged: its bytes are not those that arrived", upload_id)
        raise Damaged(
            "UPLOAD_CORRUPT",
            "The uploaded file is not what arrived: it was damaged where it is stored.",
            hint="Upload it again.",
            item=key(upload_id),
        )


def forget(session: Session, account_id: str, upload_id: str) -> None:
    """Remove the note of a finished upload of this account, if there is one; the caller deletes its bytes.

    Raises Conflict (UPLOAD_IN_USE) while a dataset is being made of it.
    """
    if session.scalar(select(_used(literal(upload_id)))):
        raise Conflict(
            "UPLOAD_IN_USE",
            "A dataset or an audit is being made of this upload.",
            hint="Stop that first.",
        )
    session.execute(delete(Upload).where(Upload.id == upload_id, Upload.account_id == account_id))


def forget_old(session: Session, before: datetime) -> list[str]:
    """Remove the notes of all that were finished before this time and that no import needs; gives their ids."""
    old = delete(Upload).where(Upload.created_at < before, ~_used(Upload.id))
    return list(session.scalars(old.returning(Upload.id)))


def _used(upload_id: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that an import or a run needs this upload."""
    importing = exists().where(Dataset.status == "importing", Dataset.source["upload_id"].astext == upload_id)
    running = exists().where(
        Run.status.in_(("queued", "running")), Run.config["upload_id"].astext == upload_id
    )
    return or_(importing, running)
