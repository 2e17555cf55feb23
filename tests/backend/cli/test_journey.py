"""The command line's contract, against an installation as a user starts it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from backend.cli.supervisor import free_port
from noise_audit import Client
from tests.installation import (
    Installation,
    clean_environment,
    installation,
    is_ready,
    run_command,
    wait_until,
    wait_until_gone,
)

pytestmark = pytest.mark.slow

SAMPLES = 1200
CONTRACT = [
    "index",
    "name",
    "given_label",
    "suggested_label",
    "noise_posterior",
    "loss",
    "margin",
    "flagged",
    "decision",
    "cleaned_label",
    "true_label",
]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def children(parent: int, word: str) -> int:
    """The child process of `parent` whose command holds the word."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=2) for line in listed.stdout.splitlines()[1:]]
    return next(int(pid) for pid, of, command in lines if int(of) == parent and word in command)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can enter, whoever runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="noise-audit-cli-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Installation]:
    """One installation for all tests of this file."""
    with installation(folder) as started:
        yield started


@pytest.fixture(scope="module")
def digits_folder(folder: Path) -> Path:
    """Digits as a folder of class folders."""
    digits = load_digits()
    for index in range(SAMPLES):
        target = folder / "digits" / str(digits.target[index]) / f"{index:04d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[index] * 15).astype(np.uint8)).save(target)
    return folder / "digits"


@pytest.fixture(scope="module")
def audited(running: Installation, digits_folder: Path) -> tuple[str, str, str]:
    """Ids of an imported dataset, the one with planted noise, and its finished run."""
    dataset = running.last_line("import", str(digits_folder), "--name", "my digits")
    noisy = running.last_line(
        "inject", dataset, "--kind", "symmetric-exclusive", "--rate", "0.2", "--seed", "1"
    )
    run = running.last_line("audit", noisy, "--seed", "2", "--wait")
    return dataset, noisy, run


def test_import_inject_audit_and_status_keep_the_contract(
    running: Installation, audited: tuple[str, str, str]
) -> None:
    dataset, noisy, run = audited
    datasets = {each["id"]: each for each in running.json("datasets")}
    assert datasets[dataset]["name"] == "my digits"
    assert datasets[dataset]["sample_count"] == SAMPLES
    assert datasets[noisy]["has_true_labels"]
    status = running.json("status", run)
    assert status["status"] == "succeeded"
    assert {"seconds", "flagged", "noise_rate", "mixture"} <= status.keys()
    assert status["metrics"].keys() == {"auroc", "average_precision", "f1", "precision", "recall"}
    assert status["metrics"]["auroc"] > 0.9
    assert status["seed"] == 2
    assert [each["id"] for each in running.json("runs")] == [run]
    assert "flagged" in running.command("runs")


def test_a_dataset_is_deleted_after_saying_what_that_frees(
    running: Installation, audited: tuple[str, str, str]
) -> None:
    made = running.last_line("inject", audited[0], "--kind", "symmetric", "--rate", "0.5")
    asked = run_command("delete", made, environment=running.environment)
    assert f"{SAMPLES:,} rows" in asked.stderr
    assert made in {each["id"] for each in running.json("datasets")}, "nobody confirmed"
    running.command("delete", made, "--yes")
    assert made not in {each["id"] for each in running.json("datasets")}
    running.command("delete", made, "--yes", status=2)


def test_exported_samples_have_the_contracts_columns_in_every_format(
    running: Installation, audited: tuple[str, str, str], tmp_path: Path
) -> None:
    run = audited[2]
    for ending in ("csv", "json", "parquet"):
        running.command("export", run, "--what", "samples", "-o", str(tmp_path / f"s.{ending}"))
    rows = read_rows(tmp_path / "s.csv")
    assert list(rows[0]) == CONTRACT
    assert [int(row["index"]) for row in rows] == list(range(SAMPLES))
    listed = json.loads((tmp_path / "s.json").read_text())["rows"]
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.column_names == CONTRACT
    posteriors = [float(row["noise_posterior"]) for row in rows]
    assert [row["noise_posterior"] for row in listed] == posteriors
    assert table["noise_posterior"].to_pylist() == posteriors
    manifest = json.loads((tmp_path / "s.csv.manifest.json").read_text())
    assert manifest["counts"]["samples"] == SAMPLES
    assert manifest["file"]["sha256"] == hashlib.sha256((tmp_path / "s.csv").read_bytes()).hexdigest()


def test_accepted_labels_agree_with_the_true_ones_more_often_than_the_given(
    running: Installation, audited: tuple[str, str, str], tmp_path: Path
) -> None:
    run = audited[2]
    running.command(
        "export", run, "--what", "samples", "--unreviewed", "accept", "-o", str(tmp_path / "a.csv")
    )
    rows = read_rows(tmp_path / "a.csv")
    given = np.mean([row["given_label"] == row["true_label"] for row in rows])
    cleaned = np.mean([row["cleaned_label"] == row["true_label"] for row in rows])
    assert given == pytest.approx(0.8, abs=0.01)
    assert cleaned > given + 0.1


def test_a_decision_reaches_the_cleaned_labels(
    running: Installation, audited: tuple[str, str, str], tmp_path: Path
) -> None:
    _, noisy, run = audited
    token = next(
        iter(json.loads((running.data.parent / "config/noise-audit/tokens.json").read_text()).values())
    )
    with Client(running.url, token) as client:
        first = client.samples(run, flagged=True, limit=1)["items"][0]
        label = (first["given_label"] + 3) % 10
        decided = [{"index": first["index"], "verdict": "relabel", "label": label}]
        for _ in range(2):
            client.decide(noisy, decided, idempotency_key="once-and-only-once", run_id=run)
    running.command("export", run, "-o", str(tmp_path / "labels.csv"))
    rows = read_rows(tmp_path / "labels.csv")
    changed = [row for row in rows if row["given_label"] != row["cleaned_label"]]
    assert [(int(row["index"]), row["cleaned_label"]) for row in changed] == [(first["index"], str(label))]


def test_the_cleaned_dataset_imports_again_as_it_left(
    running: Installation, audited: tuple[str, str, str], tmp_path: Path
) -> None:
    _, noisy, run = audited
    archive = tmp_path / "cleaned.zip"
    running.command("export", run, "--what", "dataset", "--unreviewed", "accept", "-o", str(archive))
    again = running.last_line("import", str(archive), "--name", "again")
    datasets = {each["id"]: each for each in running.json("datasets")}
    counts = json.loads((tmp_path / "cleaned.zip.manifest.json").read_text())["counts"]
    assert datasets[again]["sample_count"] == SAMPLES - counts["removed"]
    assert datasets[again]["report"]["duplicates"] == datasets[noisy]["report"]["duplicates"]
    assert datasets[again]["class_counts"] != datasets[noisy]["class_counts"]


def test_labels_decisions_annotators_and_more_images_come_from_files(
    running: Installation, digits_folder: Path, audited: tuple[str, str, str], tmp_path: Path
) -> None:
    dataset, *_ = audited
    labels, decisions, raters = (tmp_path / f"{name}.csv" for name in ("labels", "decided", "raters"))

    def told(*arguments: str, status: int = 0) -> tuple[str, str]:
        environment = {**running.environment, "COLUMNS": "200"}
        done = run_command(*arguments, environment=environment)
        assert done.returncode == status, done.stderr
        return done.stderr, done.stdout.strip()

    labels.write_text("index,label\n0,eleven\n1,\n")
    said, printed = told("relabel", dataset, str(labels), status=1)
    assert "--new-classes" in said
    assert "item=line 2" in said
    assert "found=eleven" in said
    assert printed == ""

    decisions.write_text("index,decision,label\n0,remove,\n1,keep,\n2,relabel,3\n9999,keep,\n4,perhaps,\n")
    said, _ = told("decide", dataset, str(decisions), "--dry-run")
    assert "3 new decisions (1 remove, 1 keep, 1 relabel)" in said
    assert "line 5" in said
    assert "line 6" in said
    assert "Recorded 3." in told("decide", dataset, str(decisions))[0]
    assert "0 new decisions" in told("decide", dataset, str(decisions))[0]

    raters.write_text("index,ann,bob\n0,1,1\n1,2,3\n")
    said, _ = told("annotate", dataset, str(raters))
    assert "ann: 2 labels" in said
    assert "1 of 2 samples are unanimous." in said

    said, version = told("relabel", dataset, str(labels), "--new-classes")
    assert "1 of 1,200 labels changed." in said
    assert "New classes: eleven." in said
    assert "2 decisions carried over; 1 not, since their labels changed." in said

    more = tmp_path / "more" / "3"
    more.mkdir(parents=True)
    shutil.copy(next((digits_folder / "3").iterdir()), more / "old.png")
    Image.new("L", (8, 8), 77).save(more / "new.png")
    said, appended_id = told("import", str(more.parent), "--append-to", version, "--no-decisions")
    assert "Added 1 image behind the 1,200 that were there." in said
    assert "There already: 1, skipped" in said
    assert "carried over" not in said
    appended = {each["id"]: each for each in running.json("datasets")}[appended_id]
    assert (appended["sample_count"], appended["classes"][-1]) == (SAMPLES + 1, "eleven")


def test_an_unknown_id_names_what_was_perhaps_meant(
    running: Installation, audited: tuple[str, str, str]
) -> None:
    dataset, _, run = audited
    for arguments, hint in (
        (("status", run[:8]), run),
        (("status", dataset), "That is the id of a dataset."),
        (("audit", "my digits"), dataset),
        (("export", "nonsense", "-o", "file"), "`noise-audit runs` lists the runs."),
    ):
        done = run_command(*arguments, environment=running.environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert hint in done.stderr, arguments


def test_a_bad_archive_is_refused_with_its_code_and_status_one(running: Installation, tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_text("this is no archive")
    done = run_command("import", str(tmp_path / "pets.zip"), environment=running.environment)
    assert done.returncode == 1
    assert "ARCHIVE_UNREADABLE" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_class_only_is_refused(running: Installation, tmp_path: Path) -> None:
    png = io.BytesIO()
    Image.new("L", (8, 8)).save(png, "PNG")
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"cat/{number}.png", png.getvalue())
    done = run_command("import", str(tmp_path / "one.zip"), environment=running.environment)
    assert done.returncode == 1
    assert "TOO_FEW" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "no-such-dataset"),
        ("import", "/no/such/path"),
        ("audit", "x", "--set", "epochs"),
        ("inject", "x"),
        ("status", "no-such-run"),
    ],
)
def test_wrong_use_says_what_is_wrong_and_ends_with_two(
    running: Installation, arguments: tuple[str, ...]
) -> None:
    done = run_command(*arguments, environment=running.environment)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_setting_out_of_range_is_named(running: Installation, audited: tuple[str, str, str]) -> None:
    done = run_command("audit", audited[1], "--set", "epochs=0", environment=running.environment)
    assert done.returncode == 2
    assert "epochs" in done.stderr


def test_the_token_file_is_the_users_alone(running: Installation) -> None:
    file = running.data.parent / "config/noise-audit/tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_installation_on_the_same_port_says_so(running: Installation, tmp_path: Path) -> None:
    port = running.url.rsplit(":", 1)[1]
    done = run_command("up", "--data", str(tmp_path), "--port", port, environment=running.environment)
    assert done.returncode == 2
    assert "ADDRESS_IN_USE" in done.stderr


def test_an_address_that_others_reach_needs_a_public_host(running: Installation, tmp_path: Path) -> None:
    done = run_command("up", "--data", str(tmp_path), "--host", "0.0.0.0", environment=running.environment)
    assert done.returncode == 2
    assert "PUBLIC_HOST_MISSING" in done.stderr


@pytest.mark.slow
def test_an_address_that_others_reach_needs_accounts(running: Installation, folder: Path) -> None:
    environment = {**running.environment, "NOISE_AUDIT_PUBLIC_HOST": "audit.example"}
    command = ("up", "--host", "0.0.0.0", "--port", str(free_port("127.0.0.1")), "--workers", "0")
    done = run_command(*command, "--data", str(folder / "alone"), environment=environment)
    assert done.returncode == 2
    assert "ACCOUNTS_MISSING" in done.stderr


def test_the_printed_code_signs_in_once(running: Installation) -> None:
    code = running.login_url.partition("#code=")[2]
    with httpx.Client(base_url=running.url, trust_env=False) as browser:
        assert browser.get("/api/session").status_code == 401
        assert browser.post("/api/session", json={"code": code}).status_code == 200
        assert browser.get("/api/session").json()["name"] == "local"
    assert httpx.post(f"{running.url}/api/session", json={"code": code}, trust_env=False).status_code == 401


def test_without_a_server_the_command_says_how_to_start_one(tmp_path: Path) -> None:
    environment = {**clean_environment(tmp_path), "NOISE_AUDIT_URL": "http://127.0.0.1:9"}
    done = run_command("datasets", environment=environment)
    assert done.returncode == 2
    assert "noise-audit up" in done.stderr


def test_a_killed_database_and_a_killed_backend_come_back_with_everything(running: Installation) -> None:
    ids = [each["id"] for each in running.json("datasets")]
    postmaster = int((running.data / "postgres/cluster/postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_until(lambda: is_ready(running.url), 30)
    assert [each["id"] for each in running.json("datasets")] == ids
    backend = children(running.process.pid, "serve")
    os.kill(backend, signal.SIGKILL)
    wait_until(lambda: is_ready(running.url), 30)
    assert children(running.process.pid, "serve") != backend
    assert [each["id"] for each in running.json("datasets")] == ids


def test_ctrl_c_stops_everything_and_the_next_start_has_it_all(folder: Path, running: Installation) -> None:
    ids = [each["id"] for each in running.json("datasets")]
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0
    wait_until_gone(running.url)
    with installation(folder) as again:
        assert is_ready(again.url)
        assert [each["id"] for each in again.json("datasets")] == ids
