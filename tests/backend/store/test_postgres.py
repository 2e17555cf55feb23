"""The embedded server: one per folder, recovers from kill -9, works as root and as a plain user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from backend.audit.errors import BadInput, Damaged, Unavailable
from backend.store.database import Database
from backend.store.database import server as server_of
from backend.store.postgres import EmbeddedPostgres, wheel_binaries

ROOT = Path(__file__).parents[3]
# Each test starts and kills servers of its own.
pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a plain user cannot become nobody")

HOLD = """
import sys
from pathlib import Path
from backend.store.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
server.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def folder(open_folder: Path) -> Iterator[Path]:
    """A place for one test's server, which is stopped whatever happens."""
    made = Path(tempfile.mkdtemp(dir=open_folder))
    made.chmod(0o755)
    yield made / "postgres"
    _kill(made / "postgres")


@pytest.fixture
def disk_folder() -> Iterator[Path]:
    """As `folder`, where programs may be run: memory is often mounted noexec."""
    made = Path(tempfile.mkdtemp(prefix="noise-audit-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made / "postgres"
    _kill(made / "postgres")
    shutil.rmtree(made, ignore_errors=True)


def _kill(folder: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        if pid := _postmaster(folder):
            os.kill(pid, signal.SIGKILL)


def _postmaster(folder: Path) -> int:
    try:
        return int((folder / "cluster/postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return 0


def _copy_of_the_wheel(into: Path) -> Path:
    """The installed programs and their libraries, as a checkout elsewhere has them."""
    package = wheel_binaries().parent
    for part in package.parent.glob(f"{package.name}*"):
        if not part.name.endswith(".dist-info"):
            shutil.copytree(part, into / part.name, symlinks=True, ignore=shutil.ignore_patterns("pginstall"))
    return into / wheel_binaries().relative_to(package.parent)


def _one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def _process(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _leave(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


def test_started_by_two_processes_at_once_it_is_one_server_until_the_last_one_leaves(folder: Path) -> None:
    first, second = _process(folder), _process(folder)
    url = _said(first)
    assert _said(second) == url
    postmaster = _postmaster(folder)
    with psycopg.connect(url) as cut_off_never:
        for leaving in (first, second):
            assert cut_off_never.execute("SELECT 1").fetchone() == (1,)
            assert _postmaster(folder) == postmaster
            if leaving is first:
                _leave(first)
    _leave(second)
    assert _postmaster(folder) == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_user_of_the_folder_that_was_killed_does_not_keep_the_server_up(folder: Path) -> None:
    killed = _process(folder)
    _said(killed)
    killed.kill()
    killed.communicate()
    server = EmbeddedPostgres(folder)
    assert _one(server.start(), "SELECT 1") == 1
    server.stop()
    assert _postmaster(folder) == 0


def test_kill_9_of_the_server_loses_no_acknowledged_row(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    acknowledged = 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE noted (number int)")
        threading.Timer(0.3, os.kill, (_postmaster(folder), signal.SIGKILL)).start()
        with contextlib.suppress(psycopg.OperationalError):
            for number in range(1_000_000):
                connection.execute("INSERT INTO noted VALUES (%s)", [number])
                acknowledged += 1
    assert 0 < acknowledged < 1_000_000
    assert server.start() == url
    # One more may have been written whose acknowledgement did not get through.
    assert _one(url, "SELECT count(*) FROM noted") in (acknowledged, acknowledged + 1)
    assert _one(url, "SELECT count(DISTINCT number) = max(number) + 1 FROM noted")
    server.stop()


def test_a_flipped_bit_in_a_page_is_told_and_not_read(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE noted AS SELECT number FROM generate_series(1, 1000) AS number")
        page = connection.execute("SELECT pg_relation_filepath('noted')").fetchone()
        connection.execute("CHECKPOINT")
    server.stop()
    assert page is not None
    path = folder / "cluster" / page[0]
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    database = Database(server.start())
    with pytest.raises(Damaged) as caught, database.transaction() as session:
        session.execute(text("SELECT sum(number) FROM noted"))
    assert caught.value.code == "DATABASE_CORRUPT"
    assert str(folder) not in str(caught.value.as_dict())
    with database.transaction() as session:
        found = server_of(session)
    assert (found.checksums, found.broken_pages > 0) == (True, True)
    database.dispose()
    server.stop()


def test_a_pid_file_that_names_somebody_elses_process_does_not_stop_it_from_starting(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    pid_file = folder / "cluster/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(_postmaster(folder), signal.SIGKILL)
    nobody = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    other = subprocess.Popen(["sleep", "60"], cwd="/", user=nobody)
    # Written through the file that is there, so that it keeps its owner.
    pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
    assert server.start() == url
    assert _one(url, "SELECT 1") == 1
    assert other.poll() is None
    other.kill()
    other.wait()
    server.stop()


def test_an_initdb_that_was_killed_is_begun_again(folder: Path) -> None:
    (folder / "cluster.new/base").mkdir(parents=True)
    (folder / "cluster.new/PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder)
    assert _one(server.start(), "SELECT 1") == 1
    server.stop()


@pytest.mark.parametrize(
    "name", ["a b 'c' \"d\" $HOME `id` ü;", "x" * 120, "a,b"], ids=["odd", "long", "comma"]
)
def test_any_folder_name_works(folder: Path, name: str) -> None:
    server = EmbeddedPostgres(folder / name)
    url = server.start()
    assert _one(url, "SELECT current_setting('listen_addresses')") == ""
    socket = Path(str(_one(url, "SELECT current_setting('unix_socket_directories')")).strip('"'))
    server.stop()
    if len(name) > 100 or "," in name:
        assert socket.parent == Path("/tmp")
        assert not socket.exists()


def test_only_its_own_user_can_enter_the_data_and_the_socket_folder(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    for name in ("cluster", "socket", "log"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    server.stop()


def test_data_of_another_version_is_refused_and_left_alone(folder: Path) -> None:
    (folder / "cluster").mkdir(parents=True)
    (folder / "cluster/PG_VERSION").write_text("15\n")
    with pytest.raises(Unavailable, match="PostgreSQL 15"):
        EmbeddedPostgres(folder).start()
    assert [path.name for path in (folder / "cluster").iterdir()] == ["PG_VERSION"]


@as_root
def test_as_root_it_runs_as_nobody_from_binaries_that_only_root_can_reach(disk_folder: Path) -> None:
    closed = disk_folder.parent / "checkout"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(disk_folder, binaries=_copy_of_the_wheel(closed))
    assert _one(server.start(), "SELECT 1") == 1
    assert (disk_folder / "cluster").owner() == "nobody"
    if (proc := Path(f"/proc/{_postmaster(disk_folder)}")).exists():
        assert proc.owner() == "nobody"
    server.stop()
    # And again, with the copy that is there now.
    assert _one(server.start(), "SELECT 1") == 1
    server.stop()


@as_root
def test_as_root_a_data_folder_that_nobody_cannot_enter_is_refused_by_name(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    with pytest.raises(BadInput) as caught:
        EmbeddedPostgres(closed / "postgres").start()
    assert caught.value.code == "DATA_FOLDER_UNREACHABLE"
    kept_out_by = next(
        path for path in (*reversed(closed.parents), closed) if path.stat().st_mode & 0o005 != 5
    )
    assert f"{kept_out_by} keeps it out" in caught.value.message
    assert closed.stat().st_mode & 0o077 == 0, "its permissions are nobody's to widen"


@as_root
def test_a_plain_user_needs_nothing_of_root(disk_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = disk_folder.parent / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    binaries = _copy_of_the_wheel(disk_folder.parent)
    script = f"""
import os, psycopg
from pathlib import Path
from backend.store.postgres import EmbeddedPostgres
os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid}); os.chdir("/")
server = EmbeddedPostgres(Path({str(home / "postgres")!r}), binaries=Path({str(binaries)!r}))
with psycopg.connect(server.start()) as connection:
    print(connection.execute("SELECT 'works'").fetchone()[0])
server.stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("works", "")
    assert (home / "postgres").stat().st_mode & 0o777 == 0o700
