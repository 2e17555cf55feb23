"""A real installation as processes that can be killed one by one: PostgreSQL, backends, workers, a folder or S3."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import httpx
from sqlalchemy import text

from backend.cli.supervisor import free_port
from backend.store import accounts
from backend.store.artifacts import Artifacts
from backend.store.database import Database, migrate
from backend.store.postgres import EmbeddedPostgres
from tests.bucket import new_bucket, s3_environment, s3_server
from tests.drills.line import Line
from tests.installation import clean_environment, is_ready, wait_until

FINAL = frozenset({"ready", "succeeded", "failed", "cancelled"})


class Part:
    """One process that a drill may kill or pause, together with the processes that it started."""

    def __init__(self, name: str, module: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self._module, self._environment, self._log = name, module, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if need be."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._module], env=self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """kill -9, and nothing else: what it started dies by itself."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it started."""
        assert self._process is not None
        for pid in [self._process.pid, *children_of(self._process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def holding(self, subject: str) -> list[int]:
        """The processes that it started which work on this run or dataset."""
        return [pid for pid in _started_by(self.pid) if subject in _command(pid)]

    def holds(self, subject: str) -> bool:
        """Whether a process that it started works on this run or dataset."""
        return bool(self.holding(subject))


class Clocks:
    """A clock for each process, which can be set while it runs; by Debian's libfaketime, where it is installed."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._folder, self._library = folder, library

    @classmethod
    def where_possible(cls, folder: Path) -> Clocks | None:
        """None where the library is missing."""
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        return cls(folder, found[0]) if found else None

    def environment(self, name: str) -> dict[str, str]:
        """What the process of this name is started with; its clock is right until it is set."""
        self._file(name).write_text("+0")
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_CACHE_DURATION": "1",
            # Wall clocks jump; no system lets the other one do so.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, part: Part, seconds: int) -> None:
        """Set the part's clock so far ahead of the right time, or behind it."""
        self._file(part.name).write_text(f"{seconds:+d}")

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"


class Topology:
    """PostgreSQL, `backends`, `workers` and an artifact store that all of them share."""

    def __init__(
        self,
        folder: Path,
        *,
        backends: int,
        workers: int,
        artifacts: str,
        environment: dict[str, str],
        clocks: Clocks | None,
        lines: bool,
    ) -> None:
        self.folder, self.clocks = folder, clocks
        self.postgres = EmbeddedPostgres(folder / "postgres")
        url = self.postgres.start()
        migrate(url)
        self.database = Database(url)
        self.artifacts = artifacts
        self.environment = {
            **clean_environment(folder / "config"),
            **environment,
            "NOISE_AUDIT_DATABASE_URL": url,
            "NOISE_AUDIT_DATA": str(folder / "data"),
            "NOISE_AUDIT_ARTIFACTS": artifacts,
            "NOISE_AUDIT_SERVER_FOLDERS": str(folder / "opened"),
            # What is drilled is that nothing is lost, however often it is hit.
            "NOISE_AUDIT_MAX_STARTS": "10000",
            "NOISE_AUDIT_LIMIT_QUEUED_RUNS": "10000",
            # Networks of a drill are so small that threads cost more than they bring.
            "OMP_NUM_THREADS": "1",
        }
        (folder / "data").mkdir()
        (folder / "opened").mkdir()
        self.ports = [free_port("127.0.0.1") for _ in range(backends)]
        self.backends = [
            self._part(f"backend-{port}", ["backend.cli", "serve"], {"NOISE_AUDIT_PORT": str(port)})
            for port in self.ports
        ]
        names = [f"worker-{number}" for number in range(workers)]
        self.lines = {
            name: Line(folder / f"line-{name}", folder / "postgres/socket") for name in names if lines
        }
        """Of each worker's name, where it has one of its own to the database."""
        self.workers = [self._part(name, ["worker"], self._by_line(name)) for name in names]
        with self.database.transaction() as session:
            account = accounts.ensure_local_account(session)
            _, self.token = accounts.new_api_token(session, account.id, "drill", None)

    def _part(self, name: str, module: list[str], more: dict[str, str]) -> Part:
        clock = self.clocks.environment(name) if self.clocks else {}
        return Part(name, module, {**self.environment, **more, **clock}, self.folder / f"{name}.log")

    def _by_line(self, name: str) -> dict[str, str]:
        if name not in self.lines:
            return {}
        own = str(self.lines[name].folder)
        beyond = str(self.folder / "postgres/socket")
        return {"NOISE_AUDIT_DATABASE_URL": self.database.url.replace(quote(beyond, ""), quote(own, ""))}

    def start(self) -> None:
        """Start everything and wait until it serves."""
        for part in (*self.backends, *self.workers):
            part.start()
        for port in self.ports:
            wait_until(partial(is_ready, f"http://127.0.0.1:{port}"), 90)

    def stop(self) -> None:
        """Stop everything; what was paused too."""
        for part in (*self.workers, *self.backends):
            part.kill()
        for line in self.lines.values():
            line.close()
        self.database.dispose()
        self.postgres.stop()

    def kill_database(self, away_seconds: float = 0.0) -> None:
        """kill -9 the database, and start it again after so long."""
        pid_file = self.folder / "postgres/cluster/postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        time.sleep(away_seconds)
        self.postgres.start()

    def hit(self, roles: Iterable[str], rng: random.Random) -> None:
        """kill -9 one of each role (worker, backend, database) at the same moment, and start them again."""
        parts = {"worker": self.workers, "backend": self.backends}
        hit = [rng.choice(parts[role]) for role in roles if role in parts]
        for part in hit:
            part.kill()
        if "database" in roles:
            self.kill_database(rng.uniform(0.0, 2.0))
        for part in hit:
            part.start()

    def client(self, backend: int = 0) -> httpx.Client:
        """A client of one of the backends, with a token."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports[backend]}",
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,
            timeout=30,
        )

    def post(self, address: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What some backend answered; None when none accepted it (then nothing was promised)."""
        for backend in range(len(self.ports)):
            with contextlib.suppress(httpx.TransportError), self.client(backend) as client:
                answer = client.post(address, json=body)
                if answer.is_success:
                    accepted: dict[str, Any] = answer.json()
                    return accepted
        return None

    def state(self, table: str, id_: str) -> str:
        """The status of a run or dataset by its row."""
        with self.database.transaction() as session:
            found = session.execute(text(f"SELECT status FROM {table} WHERE id = :id"), {"id": id_})
            return str(found.scalar_one_or_none())

    def opened(self) -> Artifacts:
        """The artifact store."""
        return Artifacts.open(self.artifacts, self.folder / "data")


@contextmanager
def topology(
    *, backends: int = 1, workers: int = 1, s3: bool = False, clocks: bool = False, lines: bool = False
) -> Iterator[Topology]:
    """Everything running, in a folder of its own that goes with it.

    With `clocks` that can be set, where possible; with `lines` to the database, one for each worker, that can be cut.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="noise-audit-drill-", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # PostgreSQL's own user must be able to enter it.
        folder.chmod(0o755)
        artifacts, environment = str(folder / "artifacts"), {}
        if s3:
            address = stack.enter_context(s3_server())
            environment = s3_environment(address)
            artifacts = f"s3://{new_bucket(address)}/drill"
            # The drill looks into the bucket itself.
            stack.enter_context(mock.patch.dict(os.environ, environment))
        made = Topology(
            folder,
            backends=backends,
            workers=workers,
            artifacts=artifacts,
            environment=environment,
            clocks=Clocks.where_possible(folder) if clocks else None,
            lines=lines,
        )
        stack.callback(made.stop)
        made.start()
        yield made


def children_of(pid: int) -> list[int]:
    """The processes that this one started, and theirs."""
    found, front = [], [pid]
    while front:
        front = [child for parent in front for child in _started_by(parent)]
        found += front
    return found


def _started_by(pid: int) -> list[int]:
    if not Path("/proc/self").exists():
        return [int(each) for each in _said("pgrep", "-P", str(pid)).split()]
    # Asked many times a second: commands would take more of the processor than what is drilled.
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def _command(pid: int) -> str:
    if not Path("/proc/self").exists():
        return _said("ps", "-o", "args=", "-p", str(pid))
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def finished(state: Callable[[], str], seconds: float) -> str:
    """The final status, or what it was when time was over."""
    deadline = time.monotonic() + seconds
    while (now := state()) not in FINAL and time.monotonic() < deadline:
        time.sleep(0.2)
    return now
