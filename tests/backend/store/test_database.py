"""Transactions, migrations from empty, and that models and migrations agree."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from backend.audit.errors import Unavailable
from backend.store import bulk
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


def test_a_pool_survives_its_connections_being_cut(database: Database) -> None:
    database.ping()
    other = create_engine(database.engine.url)
    with other.connect() as connection:
        cut = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        assert cut.scalar_one() >= 1
    other.dispose()
    database.ping()


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
