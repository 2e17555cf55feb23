"""Fixtures for every test that stores something: one PostgreSQL per session, a fresh database per test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from backend.store.artifacts import Artifacts
from backend.store.database import Database, migrate
from backend.store.postgres import EmbeddedPostgres

TEMPLATE = "migrated"

if "PYTEST_XDIST_WORKER" in os.environ:
    # Two trainings with two threads each on two cores take five times as long as with one each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side, a file's tests share what they set up, and the browser's are one group for their one server."""
    for item in items:
        file = item.path.relative_to(Path(__file__).parent)
        item.add_marker(pytest.mark.xdist_group("browser" if file.parts[0] == "e2e" else str(file)))


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can enter (pytest's own is closed to `nobody`); short enough for sockets."""
    # In memory where there is room: hundreds of databases come and go, and a disk would sync each of them.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 2**30
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-test-", dir=memory if roomy else "/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(open_folder: Path) -> Iterator[str]:
    """URL of the session's embedded PostgreSQL; its database is empty."""
    server = EmbeddedPostgres(open_folder / "postgres")
    yield server.start()
    server.stop()


def _on_database(url: str, name: str) -> str:
    return url.replace("/noise_audit?", f"/{name}?", 1)


@pytest.fixture(scope="session")
def new_database(postgres_url: str) -> Callable[[], str]:
    """Makes a fresh migrated database on each call and gives its URL (tens of milliseconds)."""
    numbers = itertools.count(1)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
    migrate(_on_database(postgres_url, TEMPLATE))

    def make() -> str:
        name = f"test_{next(numbers)}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY file_copy')
        return _on_database(postgres_url, name)

    return make


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """URL of a database without any tables."""
    name = "empty"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield _on_database(postgres_url, name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(new_database: Callable[[], str], postgres_url: str) -> Iterator[str]:
    """URL of a fresh migrated database, dropped after the test."""
    url = new_database()
    yield url
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh migrated database."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    """An empty artifact store in a local folder."""
    return Artifacts.open("", tmp_path)
