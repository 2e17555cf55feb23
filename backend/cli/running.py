"""What the server commands run: the backend, migrations, one transaction; against the given PostgreSQL or ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from sqlalchemy.orm import Session

from backend.api.server import Server
from backend.app import create_app
from backend.cli.supervisor import make_data_folder
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database, migrate
from backend.store.postgres import EmbeddedPostgres

KEEP_ALIVE_SECONDS = 75
"""An idle connection stays open for longer than proxies keep theirs (nginx: 60 s), so that the server does not close one
just as the next request arrives on it, which then fails."""
GRACE_SECONDS = 5
"""Open requests and event streams have so long to end when the backend stops."""


def serve_backend(settings: Settings) -> None:
    """Serve HTTP until a signal ends it."""
    with postgres(settings) as url:
        app = create_app(settings, Database(url), Artifacts.open(settings.artifacts, settings.data))
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        Server(config).run()


def migrate_database(settings: Settings) -> None:
    """Bring the database to this version; ours is migrated whenever it is opened."""
    with postgres(settings) as url:
        migrate(url)


@contextmanager
def postgres(settings: Settings, *, migrated: bool = True) -> Iterator[str]:
    """The given PostgreSQL's URL, or the embedded one's, started for as long as the block lasts.

    The embedded one is `migrated` to this version, unless its tables are still to come from elsewhere.
    """
    if settings.database_url:
        yield settings.database_url
        return
    make_data_folder(settings.data)
    embedded = EmbeddedPostgres(settings.data / "postgres")
    try:
        url = embedded.start()
        if migrated:
            migrate(url)
        yield url
    finally:
        embedded.stop()


@contextmanager
def transaction(settings: Settings) -> Iterator[Session]:
    """One transaction on the installation's database."""
    with postgres(settings) as url:
        database = Database(url)
        try:
            with database.transaction() as session:
                yield session
        finally:
            database.dispose()
