"""The commands that run a server or a part of one.

Each imports what it runs when it is called: `noise-audit --help` and the client's commands start at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.console import plain_errors, result, say

if TYPE_CHECKING:
    from backend.cli.supervisor import Supervisor
    from backend.settings import Settings

Data = Annotated[Path | None, typer.Option(help="Folder that holds everything kept locally.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]
Workers = Annotated[int, typer.Option(min=0, help="Worker processes to start.")]


class Leave(BaseException):
    """SIGINT or SIGTERM arrived; no Exception, so that nothing that only meant its own errors swallows it."""


def settings_with(data: Path | None, host: str | None = None, port: int | None = None) -> Settings:
    """The environment's settings with the command line's on top."""
    from backend.settings import Settings

    given: dict[str, Any] = {"data": data.absolute() if data else None, "host": host, "port": port}
    return Settings(**{key: value for key, value in given.items() if value is not None})


def leave_on_signals() -> None:
    """Turn SIGINT and SIGTERM into `Leave`, so that `finally` clauses run; once, so that they run to their end."""
    told = sys.unraisablehook

    def listen() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, leave)

    def leave(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Leave(signal.Signals(number).name)

    def swallowed(what: sys.UnraisableHookArgs) -> None:
        if not isinstance(what.exc_value, Leave):
            told(what)
            return
        # It came while a finaliser or a weak reference's callback ran, out of which nothing is raised: once more, in a moment.
        listen()
        Timer(0.05, os.kill, (os.getpid(), signal.Signals[str(what.exc_value)])).start()

    sys.unraisablehook = swallowed
    listen()


def keep_serving(supervisor: Supervisor) -> None:
    """Tend the parts until a signal arrives."""
    while True:
        time.sleep(1)
        supervisor.tend()


def up(data: Data = None, host: Host = None, port: Port = None, workers: Workers = 1) -> None:
    """Start everything on this machine: PostgreSQL, the backend, workers. Ctrl-C stops it."""
    from backend.cli.supervisor import Supervisor

    leave_on_signals()
    say("Starting ...")
    try:
        with plain_errors(), Supervisor(settings_with(data, host, port), workers=workers) as supervisor:
            say("Noise Audit is ready. Open this address (its code signs you in once):")
            result(supervisor.login_at())
            say("Ctrl-C stops it; runs go on where they were at the next start.")
            keep_serving(supervisor)
    except Leave:
        say("Stopped.")


def serve(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run the backend alone (HTTP and the dashboard), against an existing database."""
    from backend.cli.running import serve_backend
    from backend.logs import set_up

    # uvicorn raises the signal that ended it once more; as `Leave` it lets PostgreSQL stop in order.
    leave_on_signals()
    with suppress(Leave), plain_errors():
        settings = settings_with(data, host, port)
        set_up(settings.log_format)
        serve_backend(settings)


def worker(data: Data = None) -> None:
    """Run one worker: takes jobs from the database and trains. Add machines by starting more."""
    from backend.settings import export

    # The compute side is a program of its own: this package never imports torch.
    export(settings_with(data))
    os.execv(sys.executable, [sys.executable, "-m", "worker"])


def migrate(data: Data = None) -> None:
    """Bring the database to this version."""
    from backend.cli.running import migrate_database

    with plain_errors():
        migrate_database(settings_with(data))
    say("The database is up to date.")


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    for command in (up, serve, worker, migrate):
        app.command()(command)
