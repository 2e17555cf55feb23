"""A connection whose other end is gone without a word: both ends notice, in a network that really swallows packets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from backend.store.attention import SECONDS, attentive

SWALLOWED = """
import json, shlex, subprocess, sys, threading, time
from pathlib import Path
import psycopg
from sqlalchemy import text
from backend.audit.errors import Unavailable
from backend.store.database import Database
from backend.store.postgres import DATABASE, USER, EmbeddedPostgres

subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
folder = Path(sys.argv[1])
made = EmbeddedPostgres(folder)
made.start()
program = shlex.split((folder / "cluster/postmaster.opts").read_text())[0]
made.stop()
(folder / "cluster/pg_hba.conf").write_text("local all all trust\\nhost all all 127.0.0.1/32 trust\\n")
server = subprocess.Popen(
    [program, "-D", "cluster", f"--unix_socket_directories={folder}/cluster", "--listen_addresses=127.0.0.1"],
    cwd=folder, user="nobody", stderr=subprocess.DEVNULL,
)
try:
    beside = None
    while beside is None:
        assert server.poll() is None, "the server did not start"
        try:
            beside = psycopg.connect(f"postgresql://{USER}@/{DATABASE}?host={folder}/cluster", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    database = Database(f"postgresql://{USER}@127.0.0.1/{DATABASE}")
    holder = database.engine.connect()
    holder.execute(text("SELECT pg_advisory_xact_lock(7)"))
    found = {}

    def ask():
        try:
            with database.transaction() as session:
                session.execute(text("SELECT pg_sleep(300)"))
        except Unavailable as error:
            found["told"], found["client"] = error.code, time.monotonic() - began

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    time.sleep(1)
    began = time.monotonic()
    subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
    while beside.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()[0]:
        if time.monotonic() - began > 120:
            break
        time.sleep(0.2)
    else:
        found["server"] = time.monotonic() - began
    asking.join(max(0, 120 - (time.monotonic() - began)))
    print(json.dumps(found))
finally:
    server.kill()
"""


def can_be_alone() -> bool:
    """Whether a process here may have a network of its own."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not can_be_alone(), reason="needs root, ip and network namespaces")
def test_who_waits_for_an_answer_and_who_holds_a_lock_for_the_vanished_notice_within_half_a_minute(
    open_folder: Path,
) -> None:
    folder = Path(tempfile.mkdtemp(dir=open_folder)) / "postgres"
    folder.parent.chmod(0o755)
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", SWALLOWED, str(folder)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["told"] == "DATABASE_AWAY"
    assert SECONDS - 1 <= found["client"] < SECONDS + 10
    assert SECONDS - 1 <= found["server"] < SECONDS + 10


def test_what_the_url_says_itself_stands() -> None:
    ours = attentive("postgresql://me@there/it?keepalives_idle=60&options=-c%20statement_timeout%3D5")
    assert "keepalives_idle" not in ours
    assert "options" not in ours
    assert ours["keepalives_interval"] == 5
    assert "tcp_keepalives_idle=10" in str(attentive("postgresql:///it?host=/run/postgresql")["options"])
