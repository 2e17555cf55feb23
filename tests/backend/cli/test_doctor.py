"""The doctor names what is wrong, says how to mend it, and leaves everything as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.cli import examination
from backend.cli.examination import Finding
from backend.settings import Settings
from backend.store import accounts, claims, datasets, jobs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset
from tests.installation import clean_environment, run_command


def wrong(findings: Iterable[Finding]) -> dict[str, str]:
    """What is wrong and what is said of it; each comes with a way to mend it."""
    found = [each for each in findings if each.state == "wrong"]
    assert all(each.mend for each in found)
    return {each.what: each.said for each in found}


def states(findings: Iterable[Finding]) -> dict[str, str]:
    return {each.what: each.state for each in findings}


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path, database_url=database_url)


def test_a_misspelt_variable_and_a_malformed_value_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong(examination.variables()) == {}
    monkeypatch.setenv("NOISE_AUDIT_PROT", "80")
    monkeypatch.setenv("NOISE_AUDIT_LIMIT_MEMBER", "80")
    said = wrong(examination.variables())["settings"]
    assert "NOISE_AUDIT_PROT" in said
    assert "NOISE_AUDIT_LIMIT_MEMBER" in said
    monkeypatch.setenv("NOISE_AUDIT_PORT", "eighty")
    assert wrong(examination.examine(Settings))["settings"].startswith("NOISE_AUDIT_PORT: ")


def test_a_data_folder_and_a_store_that_cannot_be_written_are_wrong(tmp_path: Path) -> None:
    good = Settings(data=tmp_path)
    assert states(examination.data_folder(good)).keys() == {"data folder"}
    assert states(examination.artifact_store(good)) == {"artifacts": "fine", "stored files": "fine"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "it leaves nothing behind"
    (tmp_path / "file").touch()
    bad = Settings(data=tmp_path / "file", artifacts=str(tmp_path / "file" / "inside"))
    assert wrong(examination.data_folder(bad)).keys() == {"data folder"}
    assert wrong(examination.artifact_store(bad)).keys() == {"artifacts"}
    assert states(examination.data_folder(Settings(data=tmp_path / "none"))) == {"data folder": "look"}
    assert not (tmp_path / "none").exists()


def test_a_damaged_file_is_named_and_what_cannot_be_compared_is_counted(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    store = Artifacts.open("", tmp_path)
    for name in ("a", "b", "c"):
        store.put(f"datasets/d/{name}", name.encode() * 1000)
    store.objects.put("datasets/d/old", b"1")
    found = {each.what: each for each in examination.artifact_store(settings)}
    assert found["stored files"].state == "fine"
    assert "1 are older" in found["stored files"].said
    store.objects.put("datasets/d/b", b"b" * 999 + b"?", replace=True)
    said = wrong(examination.artifact_store(settings))["stored files"]
    assert said.startswith("1 damaged: datasets/d/b;")
    # Chosen at random, it is found sooner or later, and at once when everything is read.
    some = [examination.artifact_store(settings, 1000) for _ in range(60)]
    assert 0 < sum("stored files" in wrong(each) for each in some) < 60
    assert "--all" in next(examination.stored_files(store, 1000)).said


def test_a_database_is_looked_at_in_all_its_states(
    settings: Settings, empty_database_url: str, tmp_path: Path
) -> None:
    assert states(examination.database_of(settings)) == {
        **dict.fromkeys(("database", "pages", "clock", "tables", "queue"), "fine"),
        "workers": "look",
    }
    empty = Settings(data=tmp_path, database_url=empty_database_url)
    assert "migrate" in next(each.mend for each in examination.database_of(empty) if each.state == "wrong")
    nowhere = Settings(data=tmp_path, database_url=f"postgresql://nobody@/none?host={tmp_path}")
    assert wrong(examination.database_of(nowhere)) == {
        "database": "DATABASE_AWAY: The database does not answer."
    }
    none_yet = Settings(data=tmp_path / "new")
    assert states(examination.database_of(none_yet)) == {"database": "look"}
    assert not (tmp_path / "new").exists()


def test_work_without_workers_a_stuck_queue_and_a_forgotten_import_are_wrong(
    settings: Settings, database: Database
) -> None:
    with database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        waiting = datasets.create(session, owner, "waiting", {"kind": "folder"}).id
        jobs.enqueue_import(session, waiting)
    assert "1 waiting" in wrong(examination.database_of(settings))["workers"]
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO chancy_workers (worker_id, tags, queues, last_seen, expires_at)"
                " VALUES ('one', '{}', '{}', now(), now() + interval '1 hour')"
            )
        )
        session.execute(text("UPDATE chancy_jobs SET scheduled_at = now() - interval '5 minutes'"))
        forgotten = datasets.create(session, owner, "forgotten", {"kind": "folder"}).id
    found = wrong(examination.database_of(settings))
    assert found.keys() == {"queue", "jobs"}
    assert f"dataset:{forgotten}" in found["jobs"]
    assert waiting not in found["jobs"]
    with database.transaction() as session:
        claims.request_stop(session, Dataset, forgotten)
    assert wrong(examination.database_of(settings)).keys() == {"queue"}


@pytest.mark.slow
def test_a_device_that_is_not_there_is_wrong_and_the_processor_is_not() -> None:
    assert states(examination.device(Settings(device="cpu"))) == {"device": "fine"}
    if not Path("/dev/nvidia0").exists():
        assert "CUDA devices found: 0" in wrong(examination.device(Settings(device="cuda")))["device"]


@pytest.mark.slow
def test_the_command_prints_one_document_and_leaves_with_status_1(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path) | {"NOISE_AUDIT_PROT": "80"}
    told = run_command("doctor", "--data", str(tmp_path / "data"), "--json", environment=environment)
    document = json.loads(told.stdout)
    assert told.returncode == 1
    assert not document["ok"]
    assert document["findings"][0]["what"] == "settings"
    assert document["findings"][0]["state"] == "wrong"
