"""Makes an empty installation what a backup holds, and checks every byte of it; all of it or nothing.

Tables are made as they were (the backup's revision), filled, read back and compared, and only then brought
up to date. Artifacts are read back as well.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import ColumnElement, func, literal, select, text
from sqlalchemy import column as named_column
from sqlalchemy import table as named
from sqlalchemy.orm import Session

from backend.audit.errors import BadInput, Conflict
from backend.store import bulk, jobs
from backend.store.artifacts import SEAL, Artifacts
from backend.store.backup import Progress, copy_out
from backend.store.database import Database, knows_revision, migrate
from backend.store.snapshot import ArtifactPart, Buffer, Manifest, Reader, TablePart, damaged, reading
from backend.store.tables import Base


def restore_backup(database: Database, artifacts: Artifacts, path: Path, progress: Progress) -> Manifest:
    """Restore into an empty database and an empty artifact store; both are empty again when it fails.

    Raises BadInput (BACKUP_DAMAGED, BACKUP_NEWER), Conflict (NOT_EMPTY), FileNotFoundError.
    """
    with reading(path) as backup:
        manifest = backup.manifest
        with database.transaction() as session:
            _require_empty(session, artifacts)
            _require_known(session, manifest)
            _drop_tables(session)
        migrate(database.url, manifest.revision)
        try:
            _restore_artifacts(artifacts, backup, progress)
            with database.transaction() as session:
                _restore_rows(session, backup)
        except BaseException:
            for part in manifest.artifacts:
                artifacts.delete(part.key)
            with database.transaction() as session:
                _drop_tables(session)
            raise
    migrate(database.url)
    return manifest


def _require_empty(session: Session, artifacts: Artifacts) -> None:
    for table in _tables(session):
        if session.scalar(select(select(literal(1)).select_from(named(table)).exists())):
            raise Conflict(
                "NOT_EMPTY",
                "The database holds something already.",
                hint="Restore into a new data folder (--data DIR) or an empty database; nothing was changed.",
                item=table,
            )
    if there := artifacts.list(""):
        raise Conflict(
            "NOT_EMPTY",
            "The artifact store holds something already.",
            hint="Restore into a new data folder (--data DIR) or an empty bucket or prefix; nothing was changed.",
            found=len(there),
            limit=0,
        )


def _require_known(session: Session, manifest: Manifest) -> None:
    if not knows_revision(session, manifest.revision):
        raise BadInput(
            "BACKUP_NEWER",
            "The backup was made by a later version of Noise Audit.",
            hint=f"Install version {manifest.made_by} or a later one, then restore.",
            found=manifest.revision,
        )


def _tables(session: Session) -> list[str]:
    """Our tables that are there, of whatever revision."""
    return [
        table.name
        for table in Base.metadata.sorted_tables
        if session.execute(text("SELECT to_regclass(:name)"), {"name": table.name}).scalar_one() is not None
    ]


def _drop_tables(session: Session) -> None:
    """Drop our tables, so that the backup's revision can be made; they hold nothing, or a half restored backup."""
    for table in (*_tables(session), "alembic_version"):
        session.execute(text(f'DROP TABLE IF EXISTS "{table}" CASCADE'))


def _restore_artifacts(artifacts: Artifacts, backup: Reader, progress: Progress) -> None:
    done, total = 0, sum(part.size for part in backup.manifest.artifacts)
    keys = {part.key for part in backup.manifest.artifacts}
    with tempfile.TemporaryDirectory(prefix="noise-audit-restore-") as folder:
        for part in backup.manifest.artifacts:
            progress(done, total)
            passing = Path(folder) / "object"
            with passing.open("wb") as file:
                for chunk in backup.chunks(part):
                    file.write(chunk)
            # Backups of versions without seals get them here, where each hash was just compared.
            copied = part.key.endswith(SEAL) or part.key + SEAL in keys
            (artifacts.objects if copied else artifacts).put(part.key, passing, replace=True)
            _require_equal(part, artifacts.objects.chunks(part.key))
            done += part.size
    progress(total, total)


def _restore_rows(session: Session, backup: Reader) -> None:
    for part in backup.manifest.tables:
        _copy_in(session, backup, part)
    for part in backup.manifest.tables:
        rows = copy_out(session, part.table, part.partition, part.columns, part.key)
        _require_equal(part, rows)
        if part.partition is None:
            _wind_sequences(session, part)
    for job in backup.manifest.jobs:
        jobs.enqueue(session, job.function, queue=job.queue, key=job.key, **job.arguments)


def _copy_in(session: Session, backup: Reader, part: TablePart) -> None:
    cursor = bulk.connection_of(session).cursor()
    mother = sql.Identifier(part.table)
    target = sql.Identifier(f"{part.table}_{part.partition}") if part.partition else mother
    try:
        if part.partition:
            like = "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            cursor.execute(sql.SQL(like).format(target, mother))
        listed = sql.SQL(", ").join(map(sql.Identifier, part.columns))
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(target, listed)) as copy:
            for chunk in backup.chunks(part):
                copy.write(chunk)
        if part.partition:
            # Filled first, indexed when attached: in one pass instead of row by row.
            cursor.execute(
                sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                    mother, target, sql.Literal(part.partition)
                )
            )
        cursor.execute(sql.SQL("ANALYZE {}").format(target))
    except (
        psycopg.errors.DataError,
        psycopg.errors.IntegrityError,
        psycopg.errors.ProgrammingError,
    ) as error:
        raise damaged(part.member) from error


def _wind_sequences(session: Session, part: TablePart) -> None:
    """New rows are numbered after the restored ones."""
    for column in part.columns:
        counter = session.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": part.table, "column": column}
        ).scalar_one()
        if counter is not None:
            highest: ColumnElement[Any] = func.max(named_column(column))
            session.execute(
                select(func.setval(counter, highest)).select_from(named(part.table)).having(highest > 0)
            )


def _require_equal(part: TablePart | ArtifactPart, data: Iterable[Buffer]) -> None:
    digest = hashlib.sha256()
    for chunk in data:
        digest.update(chunk)
    if digest.hexdigest() != part.sha256:
        raise damaged(part.member)
