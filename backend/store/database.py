"""The connection to PostgreSQL: transactions, and bringing an empty or older database up to date."""

from __future__ import annotations

import importlib.resources
import logging
import math
import re
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from backend.audit.errors import Damaged, Unavailable
from backend.store import jobs
from backend.store.attention import attentive

log = logging.getLogger(__name__)

Done = TypeVar("Done")
PATIENCE_SECONDS = 60.0
"""So long the database may be away while the computation goes on."""
ASKED_AFTER_SECONDS = 1.0
"""A connection that was used since, and is silent, is taken to be alive: asking costs as much as a small query."""
OLDEST_SERVER = 14
"""Major version of PostgreSQL from which on everything here works."""
MIGRATION_LOCK = 0x6E6F697365
"""Key of the advisory lock under which one process at a time migrates ("noise" in ASCII)."""


class Database:
    """A pool of connections to one PostgreSQL; thread-safe.

    `url` is a libpq URL (postgresql://…), as Chancy and `psycopg.connect` take it too; `known_as`: what the server
    calls its connections, in at most 63 bytes.
    """

    def __init__(self, url: str, known_as: str = "noise-audit") -> None:
        self.url = url
        self.engine = create_engine(
            _driver_url(url),
            connect_args={**attentive(url), "application_name": known_as},
            # None above the pool's size: what is closed again after each use costs more than all that it was opened for.
            pool_size=30,
            max_overflow=0,
        )
        _ask_first(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction, committed at the end of the block and rolled back when it raises.

        Rows stay readable afterwards. Raises Unavailable (DATABASE_AWAY, DISK_FULL) when the server,
        not the statement, is at fault.
        """
        with _refusals(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def autocommit(self) -> Iterator[Session]:
        """Each statement for itself, with nothing to begin or to commit: for reading, in a third of the round trips.

        Statements of a transaction do not see one moment either (READ COMMITTED). Raises as `transaction` does.
        """
        with _refusals(), Session(self.engine) as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            yield session

    def ping(self) -> None:
        """Raise Unavailable unless the server answers."""
        with self.autocommit() as session:
            session.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()


def _ask_first(engine: Engine) -> None:
    """A server that was restarted leaves dead connections in the pool: ask those that may be, before they are used."""

    @event.listens_for(engine, "checkin")
    def _note_time(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        idle_seconds = time.monotonic() - record.info.get("used_at", math.inf)
        if idle_seconds < ASKED_AFTER_SECONDS and not _has_word(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            # The pool opens another, and no longer trusts those that it has.
            raise InvalidatePoolError from error


def _has_word(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server sent something unasked, such as that it closes the connection."""
    if connection.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))


def patiently(action: Callable[[], Done]) -> Done:
    """Do something that needs the database, waiting up to a minute for it to come back. Raises Unavailable after that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except Unavailable as error:
            if error.code != "DATABASE_AWAY" or time.monotonic() > deadline:
                raise
            log.warning("the database is away; trying again")
            time.sleep(1.0)


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to this version's tables (or an older revision's), our own and the job queue's; idempotent.

    Processes that start together take turns; each step is one transaction, so a kill leaves the
    database at the last whole step. Raises Unavailable (DATABASE_AWAY, DISK_FULL).
    """
    engine = create_engine(_driver_url(url), connect_args=attentive(url))
    try:
        with _refusals(), engine.connect() as turn:
            turn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            turn.commit()
            try:
                with engine.connect() as connection:
                    command.upgrade(_alembic(connection), revision)
                jobs.migrate(url)
            finally:
                turn.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
    finally:
        engine.dispose()


def is_migrated(url: str) -> bool:
    """Whether the database has exactly this version's tables. Raises nothing when it is older or empty."""
    engine = create_engine(_driver_url(url), connect_args=attentive(url))
    try:
        with engine.connect() as connection:
            heads = MigrationContext.configure(connection).get_current_heads()
            wanted = ScriptDirectory.from_config(_alembic(connection)).get_heads()
            return set(heads) == set(wanted) and jobs.is_migrated(connection)
    finally:
        engine.dispose()


class Server(NamedTuple):
    """A PostgreSQL server: its major version, and its clock (aware UTC) when it was asked.

    `checksums`: whether it would notice a page that rotted; `broken_pages`: how often it has.
    """

    version: int
    now: datetime
    checksums: bool
    broken_pages: int


def server(session: Session) -> Server:
    """Which server answers, and what time it has."""
    number, now, checksums, broken = session.execute(
        text(
            "SELECT current_setting('server_version_num')::int, clock_timestamp(),"
            " current_setting('data_checksums') = 'on',"
            " (SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database)"
        )
    ).one()
    return Server(number // 10_000, now, checksums, broken)


def revision_of(session: Session) -> str | None:
    """The revision of the database's tables; None where there are none."""
    return MigrationContext.configure(session.connection()).get_current_revision()


def knows_revision(session: Session, revision: str) -> bool:
    """Whether this version can bring tables of that revision up to date."""
    known = ScriptDirectory.from_config(_alembic(session.connection())).walk_revisions()
    return any(each.revision == revision for each in known)


def is_ours(_object: Any, name: str | None, type_: str, _reflected: bool, _compare_to: Any) -> bool:
    """Alembic's `include_object`: leaves out the job queue's tables and the partitions."""
    return not (type_ == "table" and name and re.match(r"chancy_|(sample|result)_", name))


def _alembic(connection: Connection) -> Config:
    config = Config()
    folder = importlib.resources.files("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _driver_url(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def _refusals() -> Iterator[None]:
    """Our errors where the server, not the statement, is at fault."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        if (refusal := _refusal(error)) is not None:
            raise refusal from error
        raise


def _refusal(error: DBAPIError | psycopg.Error) -> Unavailable | None:
    """What the user is told when the server is at fault; None when the statement is.

    Bulk transfers speak to the driver, so its errors come without SQLAlchemy's wrapping too.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if state in ("XX001", "XX002"):
        # It names the file and block, for whoever mends it.
        log.error("the database is damaged: %s", str(cause).strip()[:500])
        return Damaged(
            "DATABASE_CORRUPT",
            "A page of the database is not what it was when it was written.",
            hint="Restore a backup into a new data folder, or an empty database.",
        )
    if state == "53100":
        return Unavailable(
            "DISK_FULL", "The database has no space left.", hint="Make space and try again; nothing is lost."
        )
    # 08: connection exceptions; 57P0x: shut down, crashed, starting; no state: never got through.
    away = state is None and isinstance(cause, psycopg.OperationalError)
    if away or (state or "").startswith(("08", "57P")):
        return Unavailable("DATABASE_AWAY", "The database does not answer.", hint="Try again in a moment.")
    return None
