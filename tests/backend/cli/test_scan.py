"""`noise-audit scan` as a pipeline calls it: findings in a folder, a status to go by, nothing left behind."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.installation import clean_environment, run_command, wait_until

pytestmark = pytest.mark.slow

SAMPLES = 300
QUICK = ("--set", "epochs=2")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Digits in class folders; each temporary folder of a scan lies below it too."""
    path = Path(tempfile.mkdtemp(prefix="na-scan-"))
    path.chmod(0o755)
    digits = load_digits()
    for index in range(SAMPLES):
        target = path / "digits" / str(digits.target[index]) / f"{index:04d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[index] * 15).astype(np.uint8)).save(target)
    (path / "tmp").mkdir()
    (path / "tmp").chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    return {**clean_environment(folder / "config"), "TMPDIR": str(folder / "tmp")}


def nothing_is_left(folder: Path) -> bool:
    """No file of the scan's installation, none of its processes, and no token of a server that is gone."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    scans = [path for path in (folder / "tmp").iterdir() if path.name.startswith("noise-audit-scan-")]
    tokens = folder / "config" / "noise-audit" / "tokens.json"
    return not scans and f"{folder}/tmp/noise-audit-scan-" not in listed and not tokens.exists()


def test_a_scan_leaves_findings_a_status_and_nothing_else(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ["scan", str(folder / "digits"), "-o", str(out), *QUICK, "--fail-above", "0"]
    done = run_command(*command, environment=environment)
    assert done.stdout == f"{out / 'summary.json'}\n"
    summary = json.loads((out / "summary.json").read_text())
    rate, interval = summary["run"]["noise_rate"], summary["run"]["noise_rate_interval"]
    # Two epochs on so little may or may not see a second group: the status must follow either.
    assert summary["passed"] is (rate == 0)
    assert done.returncode == (0 if summary["passed"] else 1)
    assert done.stderr == (
        ""
        if summary["passed"]
        else f"The estimated noise rate is {rate:.1%} (95 % interval {interval[0]:.1%} to {interval[1]:.1%}): above 0.0%.\n"
    )
    assert summary["dataset"]["samples"] == SAMPLES
    assert summary["dataset"]["recognised"] == "class-folder"
    for name in summary["files"]:
        manifest = json.loads((out / f"{name}.manifest.json").read_text())
        assert manifest["file"]["bytes"] == (out / name).stat().st_size
    with (out / "cleaned-labels.csv").open() as file:
        assert len(list(csv.DictReader(file))) == SAMPLES
    assert nothing_is_left(folder)


def test_a_dataset_that_cannot_be_read_ends_with_one_and_its_code_in_the_summary(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "pets.zip").write_text("this is no archive")
    done = run_command(
        "scan", str(tmp_path / "pets.zip"), "-o", str(tmp_path / "out"), environment=environment
    )
    assert done.returncode == 1
    assert "ARCHIVE_UNREADABLE" in done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["error"]["code"] == "ARCHIVE_UNREADABLE"
    assert summary["passed"] is None
    assert nothing_is_left(folder)


def test_ctrl_c_stops_everything_and_ends_as_shells_expect(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = ["scan", str(folder / "digits"), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: any((folder / "tmp").glob("noise-audit-scan-*/logs/worker-1.log")), 60)
    process.send_signal(signal.SIGINT)
    # Impatience changes nothing.
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 128 + signal.SIGINT
    assert nothing_is_left(folder)


def test_a_signal_that_arrives_where_nothing_can_be_raised_is_not_lost() -> None:
    program = """
import os, signal, time, weakref
from backend.cli.server import Leave, leave_on_signals
class Thing: pass
def gone(reference):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)
leave_on_signals()
thing = Thing()
kept = weakref.ref(thing, gone)
try:
    del thing
    time.sleep(20)
except Leave as left:
    raise SystemExit(signal.Signals[str(left)] + 128)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 128 + signal.SIGINT


@pytest.mark.parametrize(
    "arguments", [("/no/such/path", "-o", "out"), (os.curdir,), (os.curdir, "-o", "out", "--fail-above", "7")]
)
def test_wrong_use_ends_with_two_before_anything_is_started(
    arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = run_command("scan", *arguments, environment=environment)
    assert done.returncode == 2
    assert done.stderr
