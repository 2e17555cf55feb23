"""Writes a backup: all rows as they stood at one moment, and the artifacts they speak of; while others write.

The rows come from one REPEATABLE READ transaction. Artifacts are written once and then never changed, so
reading them after the rows is safe as long as nobody removes any: `keeping` sees to that.
"""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from psycopg import sql
from sqlalchemy import Table, text
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound, Unavailable
from backend.store import bulk, jobs
from backend.store.artifacts import SEAL, Artifacts
from backend.store.database import Database, is_migrated, revision_of
from backend.store.keeping import nothing_is_removed, owner_of, owners
from backend.store.snapshot import ArtifactPart, Buffer, Manifest, Part, QueuedJob, TablePart, Writer
from backend.store.tables import Base

LEFT_OUT = frozenset({"session", "login_code", "worker"})
"""Browsers sign in again: a sign-in that was revoked since must not come back with an older backup."""
CHECKPOINT = "/checkpoint/"
"""In the key of what a running run replaces after every epoch."""

Progress = Callable[[int, int], None]
"""Told (bytes of artifacts written, of how many)."""
Damage = Callable[[str], None]
"""Told the key of a damaged artifact."""


def write_backup(
    database: Database,
    artifacts: Artifacts,
    path: Path,
    progress: Progress,
    damaged: Damage = lambda key: None,
) -> Manifest:
    """Write everything into a new file, which appears only when whole; readable by its owner alone.

    Of what was damaged before, `damaged` hears the key; it is copied as it is, with the seal that says so.

    Raises Conflict (FILE_EXISTS), Unavailable (NOT_MIGRATED, DISK_FULL, and what database and store raise).
    """
    if path.exists():
        raise Conflict(
            "FILE_EXISTS", f"{path.name} exists already.", hint="Give another name.", item=path.name
        )
    if not is_migrated(database.url):
        raise Unavailable(
            "NOT_MIGRATED", "The database has other tables than this version.", hint="noise-audit migrate"
        )
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with _full_disk_named(), os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                manifest = _write(database, artifacts, Writer(archive), progress, damaged)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return manifest


def copy_out(
    session: Session, table: str, partition: str | None, columns: list[str], key: list[str]
) -> Iterator[Buffer]:
    """The rows of a table or partition as binary COPY data, ordered by the key: equal rows give equal bytes."""
    query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT binary)").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(f"{table}_{partition}" if partition else table),
        sql.SQL(", ").join(map(sql.Identifier, key)),
    )
    with bulk.connection_of(session).cursor().copy(query) as copy:
        yield from copy


def _write(
    database: Database, artifacts: Artifacts, writer: Writer, progress: Progress, damaged: Damage
) -> Manifest:
    with nothing_is_removed(database), database.transaction() as session:
        # Everything below sees the database as it is at this transaction's first query.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET TRANSACTION READ ONLY"))
        revision = revision_of(session)
        assert revision is not None, "it is migrated"
        tables = [
            _table(session, writer, table, partition)
            for table in Base.metadata.sorted_tables
            if table.name not in LEFT_OUT
            for partition in _partitions(session, table)
        ]
        waiting = [QueuedJob(**job) for job in jobs.unfinished(session)]
        kept = list(_artifacts(session, artifacts, writer, progress, damaged))
    manifest = Manifest(
        version("noise-audit"), datetime.now(UTC).isoformat(), revision, tables, kept, waiting
    )
    writer.manifest(manifest)
    return manifest


def _table(session: Session, writer: Writer, table: Table, partition: str | None) -> TablePart:
    columns, key = [column.name for column in table.columns], [column.name for column in table.primary_key]
    blank = TablePart(0, "", table.name, partition, columns, key)
    part = writer.member(blank.member, copy_out(session, table.name, partition, columns, key), compress=True)
    return TablePart(part.size, part.sha256, table.name, partition, columns, key)


def _partitions(session: Session, table: Table) -> list[str | None]:
    """The list values that have a partition; of a plain table its one and only part."""
    if table.kwargs.get("postgresql_partition_by") is None:
        return [None]
    children = session.scalars(
        text(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = to_regclass(:parent) ORDER BY 1"
        ),
        {"parent": table.name},
    )
    return [name.removeprefix(f"{table.name}_") for name in children]


def _artifacts(
    session: Session, artifacts: Artifacts, writer: Writer, progress: Progress, damaged: Damage
) -> Iterator[ArtifactPart]:
    known = owners(session)
    # With their seals: damage is neither hidden nor in the way of keeping all the rest.
    wanted = [stored for stored in artifacts.objects.stored("") if _is_wanted(stored.key, known)]
    done, total = 0, sum(stored.size for stored in wanted)
    for stored in wanted:
        progress(done, total)
        try:
            part = _artifact(artifacts, writer, stored.key, damaged)
        except NotFound:
            # A running run has replaced its checkpoint; from an older one it goes on as well.
            if CHECKPOINT not in stored.key:
                raise
            continue
        done += stored.size
        yield ArtifactPart(part.size, part.sha256, stored.key)
    progress(total, total)


def _artifact(artifacts: Artifacts, writer: Writer, key: str, damaged: Damage) -> Part:
    chunks = artifacts.objects.chunks(key) if key.endswith(SEAL) else artifacts.copied(key, damaged)
    # Asked for before the member is begun: what went away must not leave an empty one.
    first = next(chunks, b"")

    def whole() -> Iterator[Buffer]:
        yield first
        yield from chunks

    return writer.member(ArtifactPart(0, "", key).member, whole(), compress=False)


def _is_wanted(key: str, known: dict[str, set[str]]) -> bool:
    """What rows of this moment speak of, and all whose owner cannot be told."""
    kind, owner = owner_of(key)
    return kind not in known or owner in known[kind]


@contextmanager
def _full_disk_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(
                "DISK_FULL",
                "There is no space for the backup where it is written.",
                hint="Make space, or name a file on another disk; the installation is as it was.",
            ) from error
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
