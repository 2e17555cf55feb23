"""The demo: everything started, a real built-in dataset audited before your eyes, the dashboard left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backend.audit.errors import Conflict
from backend.cli.console import plain_errors, result, say
from backend.cli.outcome import show_outcome
from backend.cli.server import Data, Host, Leave, Port, keep_serving, leave_on_signals, settings_with
from noise_audit import Client

if TYPE_CHECKING:
    from backend.cli.supervisor import Supervisor
    from backend.settings import Settings
    from noise_audit.shapes import Run

NOISE_RATE = 0.2


def demo(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    exit_when_done: Annotated[bool, typer.Option("--exit-when-done", help="Stop after the result.")] = False,
) -> None:
    """Audit 1 797 handwritten digits, a fifth of them relabelled at random, and show the result."""
    leave_on_signals()
    say("Starting PostgreSQL, the backend and a worker ...")
    try:
        with plain_errors(), _started(settings_with(data, host, port), port) as supervisor:
            with Client(supervisor.url) as client:
                run = _begin(client)
                say("Watch the audit at this address (its code signs you in once):")
                result(supervisor.login_at(f"/runs/{run['id']}"))
                done = client.wait(run)
            show_outcome(done)
            result(str(done["id"]))
            if not exit_when_done:
                say(f"Look at the flagged digits: {supervisor.url}/runs/{done['id']}/flags")
                say("Ctrl-C stops everything.")
                keep_serving(supervisor)
    except Leave:
        say("Stopped.")


def _started(settings: Settings, port: int | None) -> Supervisor:
    """A supervisor; when nobody asked for a port and the usual one is taken, on a free one."""
    from backend.cli.supervisor import Supervisor, free_port

    supervisor = Supervisor(settings)
    try:
        supervisor.check_address()
    except Conflict:
        if port is not None:
            raise
        supervisor = Supervisor(settings.model_copy(update={"port": free_port(settings.host)}))
    return supervisor


def _begin(client: Client) -> Run:
    """Import the digits, where they are not there yet, and queue an audit of them."""
    known = [
        each["id"]
        for each in client.datasets()
        if each["status"] == "ready" and each["source"].get("kind") == "builtin"
    ]
    if not known:
        known = [client.wait(client.import_digits(noise_rate=NOISE_RATE))["id"]]
    return client.audit(known[0])


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(demo)
