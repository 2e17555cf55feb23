"""Transactions, migrations from empty, and that models and migrations agree."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from backend.audit.errors import Unavailable
from backend.store import bulk
from backend.store import database as database_module
from backend.store.database import Database, is_migrated, is_ours, migrate
from backend.store.tables import Account, Base


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrated_tables_have_the_same_definition_as_the_models(
    database: Database, empty_database_url: str
) -> None:
    """`compare_metadata` does not look at check constraints, foreign keys' actions or partitioning."""
    columns = text(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, character_maximum_length"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name !~ '^(chancy_|alembic_)' ORDER BY 1, 2"
    )
    constraints = text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text !~ '^(chancy_|alembic_)'"
        " ORDER BY 1, 2"
    )
    indexes = text(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename !~ '^(chancy_|alembic_)'"
        " ORDER BY 1"
    )
    partitions = text(
        "SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table"
    )
    modelled = Database(empty_database_url)
    Base.metadata.create_all(modelled.engine)
    for query in (columns, constraints, indexes, partitions):
        with database.transaction() as ours, modelled.transaction() as theirs:
            rows = ours.execute(query).all()
            assert rows == theirs.execute(query).all()
            assert rows
    modelled.dispose()


def test_an_empty_database_is_migrated_by_processes_that_start_together(empty_database_url: str) -> None:
    assert not is_migrated(empty_database_url)
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(migrate, empty_database_url) for _ in range(3)]:
            done.result()
    assert is_migrated(empty_database_url)


def test_migrating_again_inside_a_running_event_loop_changes_nothing(database: Database) -> None:
    with database.transaction() as session:
        session.add(Account(id="a", name="ann"))

    async def start() -> None:
        migrate(database.url)

    asyncio.run(start())
    with database.transaction() as session:
        assert session.get_one(Account, "a").name == "ann"


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.transaction() as session:
            session.add(Account(id="a", name="ann"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with database.transaction() as session:
        assert session.get(Account, "a") is None


@pytest.mark.parametrize("asked_after", [0.0, 60.0], ids=["idle for long", "used just now"])
def test_a_pool_survives_its_connections_being_cut(
    database: Database, monkeypatch: pytest.MonkeyPatch, asked_after: float
) -> None:
    monkeypatch.setattr(database_module, "ASKED_AFTER_SECONDS", asked_after)
    with database.transaction() as one, database.transaction() as another:
        pids = {session.scalar(text("SELECT pg_backend_pid()")) for session in (one, another)}
    with psycopg.connect(database.url, autocommit=True) as other:
        for pid in pids:
            # Waits until it has gone.
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    with database.transaction() as one, database.transaction() as another:
        fresh = {session.scalar(text("SELECT pg_backend_pid()")) for session in (one, another)}
    assert not pids & fresh


def test_a_connection_that_was_used_just_now_is_not_asked_again(database: Database) -> None:
    with database.autocommit() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with database.engine.connect(), psycopg.connect(database.url) as other:
        last = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
    assert last == ("SELECT pg_backend_pid()",)


def test_in_autocommit_nothing_is_begun_and_each_statement_lasts(database: Database) -> None:
    state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
    with database.autocommit() as session, psycopg.connect(database.url, autocommit=True) as other:
        session.execute(insert(Account).values(id="a", name="a", role="viewer"))
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        assert other.execute(state, [pid]).fetchone() == ("idle",)
        assert other.execute("SELECT count(*) FROM account WHERE id = 'a'").fetchone() == (1,)
    # The same connection, in a transaction again.
    with suppress(ZeroDivisionError), database.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) == pid
        session.execute(insert(Account).values(id="b", name="b", role="viewer"))
        raise ZeroDivisionError
    with database.autocommit() as session:
        assert session.get(Account, "b") is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (psycopg.errors.DiskFull(), "DISK_FULL"),
        (psycopg.errors.AdminShutdown(), "DATABASE_AWAY"),
        (psycopg.OperationalError("the connection is closed"), "DATABASE_AWAY"),
    ],
)
def test_an_error_of_the_driver_itself_is_told_as_one_of_ours(
    database: Database, error: psycopg.Error, code: str
) -> None:
    with pytest.raises(Unavailable) as caught, database.transaction():
        raise error
    assert caught.value.code == code


def test_a_connection_cut_in_the_middle_is_told_as_one_of_ours(database: Database) -> None:
    def cut_off() -> None:
        with database.transaction() as session, psycopg.connect(database.url, autocommit=True) as other:
            session.execute(text("SELECT 1"))
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            bulk.connection_of(session).execute("SELECT 1")

    with pytest.raises(Unavailable) as caught:
        cut_off()
    assert caught.value.code == "DATABASE_AWAY"
    database.ping()


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text("SELECT no_such_column FROM run"))


def test_a_database_that_is_away_is_unavailable_not_a_crash(database: Database) -> None:
    away = Database(database.url.replace("socket", "nowhere"))
    with pytest.raises(Unavailable) as caught:
        away.ping()
    assert caught.value.code == "DATABASE_AWAY"
    assert "nowhere" not in str(caught.value.as_dict())
