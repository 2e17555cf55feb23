"""A whole installation as a user starts it: `noise-audit up` on a free port, with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from backend.cli.supervisor import free_port


@dataclass
class Installation:
    """A running one: where it is, and the command line that talks to it."""

    url: str
    login_url: str
    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run `noise-audit …`, expect the exit status, give what it printed on standard output."""
        done = run_command(*arguments, environment=self.environment)
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def last_line(self, *arguments: str) -> str:
        """The last line that a command printed: the id, by the contract."""
        return self.command(*arguments).strip().splitlines()[-1]

    def json(self, *arguments: str) -> Any:
        """The one JSON document that a command printed."""
        return json.loads(self.command(*arguments, "--json"))


def run_command(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )


def clean_environment(home: Path) -> dict[str, str]:
    """This process's environment without anything of Noise Audit's, and with its own configuration folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NOISE_AUDIT_")}
    return {**kept, "XDG_CONFIG_HOME": str(home), "NOISE_AUDIT_DEVICE": "cpu", "COLUMNS": "200"}


@contextmanager
def installation(folder: Path, *, workers: int = 1) -> Iterator[Installation]:
    """`noise-audit up` in this folder, until the block ends; its logs are shown when it does not start."""
    port, environment = free_port("127.0.0.1"), clean_environment(folder / "config")
    url = f"http://127.0.0.1:{port}"
    environment["NOISE_AUDIT_URL"] = url
    environment["NOISE_AUDIT_SERVER_FOLDERS"] = str(folder / "opened")
    command = ["up", "--data", str(folder / "data"), "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        yield Installation(url, _printed_address(process, url), folder / "data", environment, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(40)
        if process.stdout:
            process.stdout.close()


def _printed_address(process: subprocess.Popen[str], url: str) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(f"{url}/#code="):
            return line.strip()
    raise AssertionError("the installation did not start:\n" + "".join(said))


def is_ready(url: str) -> bool:
    """Whether a server answers there."""
    try:
        return httpx.get(f"{url}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition; fails the test when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def wait_until_gone(url: str) -> None:
    """Wait until nothing answers there any more."""
    wait_until(lambda: not is_ready(url), 20)
