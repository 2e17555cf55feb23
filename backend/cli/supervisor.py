"""Everything on one machine: PostgreSQL, the backend and the workers, started, watched and stopped together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from backend.audit.errors import BadInput, Conflict, Unavailable
from backend.processes import dies_with_parent
from backend.settings import Settings, export
from backend.store import accounts
from backend.store.database import Database, migrate
from backend.store.postgres import EmbeddedPostgres
from noise_audit.address import remember, remembered_tokens

log = logging.getLogger(__name__)

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
RESTART_SECONDS = 1.0
"""Pause before a crashed part is started again; doubled each time up to a minute."""
CODE_LIFE = timedelta(days=7)
"""The printed code works once, within so long of the start."""


@dataclass
class Part:
    """One child process that should be running."""

    name: str
    arguments: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    crashes: int = 0
    again_at: float = 0.0

    def start(self) -> None:
        """Start it, its output appended to its log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A Ctrl-C in the terminal is for the supervisor, which stops its parts in order.
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )

    def tend(self, now: float) -> None:
        """Start it again when it ended by itself, with growing pauses."""
        if self.process is None or self.process.poll() is None:
            return
        if not self.again_at:
            pause = min(60.0, RESTART_SECONDS * 2**self.crashes)
            log.warning(
                "%s ended with %s; starting it again in %.0f s", self.name, self.process.returncode, pause
            )
            self.crashes, self.again_at = self.crashes + 1, now + pause
        elif now >= self.again_at:
            self.again_at = 0.0
            self.start()


class Supervisor:
    """A whole installation on this machine, as a context manager.

    `remembered`: the user's later commands find it and its token; else `token` is all there is.
    """

    def __init__(self, settings: Settings, *, workers: int = 1, remembered: bool = True) -> None:
        self.settings, self.workers, self.remembered = settings, workers, remembered
        self.token = ""
        self._embedded: EmbeddedPostgres | None = None
        self._database: Database | None = None
        self._parts: list[Part] = []
        self._code = ""

    def login_at(self, path: str = "/") -> str:
        """The address of a page that signs a browser in, once; after the start."""
        # In the fragment: a browser never sends it to a server or a log.
        return f"{self.url}{path}#code={self._code}"

    @property
    def url(self) -> str:
        """The address of the dashboard on this machine."""
        return address_of(self.settings)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self.check_address()
        make_data_folder(self.settings.data)
        url = self.settings.database_url
        if not url:
            self._embedded = EmbeddedPostgres(self.settings.data / "postgres")
            url = self._embedded.start()
        self.settings = self.settings.model_copy(update={"database_url": url})
        export(self.settings)
        migrate(url)
        self._database = Database(url)
        self._sign_in(self._database)
        logs = self.settings.data / "logs"
        self._parts = [
            Part("the backend", ["backend.cli", "serve"], logs / "backend.log"),
            *(
                Part(f"worker {number}", ["worker"], logs / f"worker-{number}.log")
                for number in range(1, self.workers + 1)
            ),
        ]
        for part in self._parts:
            part.start()
        self._wait_until_ready()

    def check_address(self) -> None:
        """Refuse an address that cannot be used, before anything is started."""
        host, port = self.settings.host, self.settings.port
        if not is_loopback(host) and not self.settings.public_host:
            raise BadInput(
                "PUBLIC_HOST_MISSING",
                f"{host} can be reached from other machines.",
                hint="Say under which name browsers reach it: NOISE_AUDIT_PUBLIC_HOST=audit.example.org "
                "(and add accounts with `noise-audit user add`).",
            )
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Conflict(
                    "ADDRESS_IN_USE",
                    f"Port {port} of {host} is taken ({error.strerror}).",
                    hint="Stop the other server, or choose another port with --port.",
                ) from error

    def _sign_in(self, database: Database) -> None:
        """A one-time code for the browser, and a token for this user's command line."""
        with database.transaction() as session:
            account = accounts.ensure_local_account(session)
            if not is_loopback(self.settings.host) and not accounts.has_passwords(session):
                raise BadInput(
                    "ACCOUNTS_MISSING",
                    "An address that other machines reach needs accounts.",
                    hint="Add one first: noise-audit user add NAME",
                )
            code = accounts.new_login_code(session, account.id, CODE_LIFE)
            known = remembered_tokens().get(self.url) if self.remembered else None
            if known is None or accounts.by_token(session, known) is None:
                _, token = accounts.new_api_token(session, account.id, "command line of this machine", None)
                known = token
        self.token = known
        if self.remembered:
            remember(self.url, known)
        self._code = code

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            backend = self._parts[0]
            if backend.process is None or backend.process.poll() is not None:
                raise self._not_ready(backend)
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise self._not_ready(self._parts[0])

    def _not_ready(self, part: Part) -> Unavailable:
        last = part.log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return Unavailable(
            "NOT_READY", f"{part.name.capitalize()} did not start: {last[0]}", hint=f"Its log: {part.log}"
        )

    def processes(self) -> list[int]:
        """The process ids of the backend and then of each worker, as far as they run."""
        return [part.process.pid for part in self._parts if part.process and part.process.poll() is None]

    def tend(self) -> None:
        """Start again what crashed, PostgreSQL included; call it about once a second."""
        if self._embedded and self._database:
            try:
                self._database.ping()
            except Unavailable:
                log.warning("PostgreSQL is away; starting it again")
                self._embedded.start()
        for part in self._parts:
            part.tend(time.monotonic())

    def stop(self) -> None:
        """Stop everything that was started here, in order: workers and backend, then PostgreSQL."""
        running = [part.process for part in self._parts if part.process and part.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._parts = []
        if self._database:
            self._database.dispose()
            self._database = None
        if self._embedded:
            self._embedded.stop()
            self._embedded = None


def make_data_folder(data: Path) -> None:
    """Make the data folder; as root others may pass through it, as PostgreSQL's own user must."""
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)


def address_of(settings: Settings) -> str:
    """The URL under which this machine reaches its backend, wherever else it listens."""
    host = settings.host
    everywhere = not host or (is_address(host) and ip_address(host).is_unspecified)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{'127.0.0.1' if everywhere else shown}:{settings.port}"


def is_address(host: str) -> bool:
    """Whether this is an IP address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    return ip_address(host).is_loopback if is_address(host) else host == "localhost"


def free_port(host: str) -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
