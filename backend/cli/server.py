"""The commands that run a server or a part of one, and keep its accounts."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn
from sqlalchemy.orm import Session

from backend.cli.console import plain_errors, result, say
from backend.cli.supervisor import Supervisor, make_data_folder
from backend.settings import Settings, export
from backend.store import accounts
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.database import migrate as migrate_database
from backend.store.postgres import EmbeddedPostgres

Data = Annotated[Path | None, typer.Option(help="Folder that holds everything kept locally.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes to start.")]

GRACE_SECONDS = 5
"""Open requests and event streams have so long to end when the backend stops."""


class Leave(Exception):
    """SIGINT or SIGTERM arrived."""


def settings_with(data: Path | None, host: str | None = None, port: int | None = None) -> Settings:
    """The environment's settings with the command line's on top."""
    given: dict[str, Any] = {"data": data.absolute() if data else None, "host": host, "port": port}
    return Settings(**{key: value for key, value in given.items() if value is not None})


def leave_on_signals() -> None:
    """Turn SIGINT and SIGTERM into `Leave`, so that `finally` clauses run."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise Leave(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def keep_serving(supervisor: Supervisor) -> None:
    """Tend the parts until a signal arrives."""
    while True:
        time.sleep(1)
        supervisor.tend()


def up(data: Data = None, host: Host = None, port: Port = None, workers: Workers = 1) -> None:
    """Start everything on this machine: PostgreSQL, the backend, workers. Ctrl-C stops it."""
    leave_on_signals()
    say("Starting ...")
    try:
        with plain_errors(), Supervisor(settings_with(data, host, port), workers=workers) as supervisor:
            say("Noise Audit is ready. Open this address (its code signs you in once):")
            result(supervisor.login_url)
            say("Ctrl-C stops it; runs go on where they were at the next start.")
            keep_serving(supervisor)
    except Leave:
        say("Stopped.")


def serve(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run the backend alone (HTTP and the dashboard), against an existing database."""
    # The web framework is loaded by the commands that need it.
    from backend.api.server import Server
    from backend.app import create_app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = settings_with(data, host, port)
    # uvicorn raises the signal that ended it once more; as `Leave` it lets PostgreSQL stop in order.
    leave_on_signals()
    with suppress(Leave), plain_errors(), postgres(settings) as url:
        database = Database(url)
        app = create_app(settings, database, Artifacts.open(settings.artifacts, settings.data))
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        Server(config).run()


def worker(data: Data = None) -> None:
    """Run one worker: takes jobs from the database and trains. Add machines by starting more."""
    # The compute side is a program of its own: this package never imports torch.
    export(settings_with(data))
    os.execv(sys.executable, [sys.executable, "-m", "worker"])


def migrate(data: Data = None) -> None:
    """Bring the database to this version."""
    with plain_errors(), postgres(settings_with(data)) as url:
        migrate_database(url)
    say("The database is up to date.")


def token(
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the command line",
    days: Annotated[int | None, typer.Option(min=1, help="Expires after; default: never.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose; default: the local account's.")] = None,
    data: Data = None,
) -> None:
    """Print a new API token."""
    with plain_errors(), transaction(settings_with(data)) as session:
        account = accounts.named(session, user) if user else accounts.ensure_local_account(session)
        _, secret = accounts.new_api_token(session, account.id, name, days)
    result(secret)


def user_add(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Annotated[str, typer.Option(help="admin, editor, reviewer or viewer.")] = "admin",
    data: Data = None,
) -> None:
    """Add an account with a password."""
    with plain_errors(), transaction(settings_with(data)) as session:
        account = accounts.add_user(session, name, password, role)
        identifier = account.id
    say(f"{name} can sign in now.")
    result(identifier)


@contextmanager
def postgres(settings: Settings) -> Iterator[str]:
    """The given PostgreSQL's URL, or the embedded one's, started for as long as the block lasts."""
    if settings.database_url:
        yield settings.database_url
        return
    make_data_folder(settings.data)
    embedded = EmbeddedPostgres(settings.data / "postgres")
    try:
        url = embedded.start()
        migrate_database(url)
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


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    for command in (up, serve, worker, migrate, token):
        app.command()(command)
    user = typer.Typer(help="Accounts.", no_args_is_help=True)
    user.command("add")(user_add)
    app.add_typer(user, name="user")

    @user.callback()
    def _user() -> None:
        """Accounts."""
