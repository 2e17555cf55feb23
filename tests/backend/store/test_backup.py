"""A backup taken while people decide is the installation of one moment, and comes back equal to the byte."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from sqlalchemy import text

from backend.audit.errors import BadInput, Conflict, Damaged, NoiseAuditError, Unavailable
from backend.store import claims, datasets, deciding, jobs, results, runs
from backend.store.artifacts import Artifacts
from backend.store.backup import copy_out, write_backup
from backend.store.database import Database, is_migrated, migrate
from backend.store.keeping import drop, nothing_is_removed
from backend.store.restore import restore_backup
from backend.store.snapshot import Manifest, TablePart, Writer
from backend.store.tables import Dataset, Run
from tests.bucket import new_bucket, s3_environment

FIRST_ROWS = """
INSERT INTO account (id, name, role) VALUES ('a1', 'ada', 'admin');
CREATE TABLE result_r1 PARTITION OF result FOR VALUES IN ('r1');
INSERT INTO result VALUES ('r1', 0, 0.9, true, 1, 0.5, 0.1, 0.2, 1, 2);
"""
COLUMNS_OF = (
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0 ORDER BY attnum"
)
IMAGES = np.random.default_rng(0).bytes(3 * 2**20)


class Verdict(NamedTuple):
    index: int
    verdict: str = "keep"
    label: int | None = None


@pytest.fixture(params=["folder", "s3"])
def new_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Artifacts]:
    """Makes an empty artifact store of each kind."""
    if request.param == "folder":
        made = iter(range(9))
        return lambda: Artifacts.open(str(tmp_path / f"kept-{next(made)}"), tmp_path)
    address = request.getfixturevalue("s3_address")
    for name, value in s3_environment(address).items():
        monkeypatch.setenv(name, value)
    return lambda: Artifacts.open(f"s3://{new_bucket(address)}/some/prefix", tmp_path)


@pytest.fixture
def folder_store(tmp_path: Path) -> Artifacts:
    return Artifacts.open(str(tmp_path / "kept"), tmp_path)


@pytest.fixture
def empty(new_database: Callable[[], str]) -> Iterator[Database]:
    """A database without rows, as `noise-audit migrate` leaves it."""
    opened = Database(new_database())
    yield opened
    opened.dispose()


def fill(database: Database, artifacts: Artifacts, dataset: Dataset, owner: str) -> str:
    """A finished run with artifacts on the dataset, a queued one, and what no row speaks of."""
    result_N = np.zeros(60, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(60)
    result_N["noise_posterior"] = np.random.default_rng(1).random(60)
    with database.transaction() as session:
        run_id = runs.create(session, owner, dataset.id, "fast", {"epochs": 2}, 0).id
        claims.claim(session, Run, run_id, "one", 5)
        results.publish_results(session, run_id, "one", result_N, {"flagged": 0})
        waiting = runs.create(session, owner, dataset.id, "fast", {}, 1)
        jobs.enqueue_run(session, waiting.id)
    artifacts.put(f"datasets/{dataset.content_id}/images.pack", IMAGES)
    artifacts.put(f"datasets/{dataset.content_id}/empty", b"")
    artifacts.put(f"runs/{run_id}/model.safetensors", b"weights")
    artifacts.put("runs/gone/model.safetensors", b"nobody's")
    return run_id


def back_up(database: Database, artifacts: Artifacts, path: Path) -> Manifest:
    return write_backup(database, artifacts, path, lambda done, total: None)


def restore(database: Database, artifacts: Artifacts, path: Path) -> Manifest:
    return restore_backup(database, artifacts, path, lambda done, total: None)


def decided(database: Database) -> list[tuple[int, int, str]]:
    with database.transaction() as session:
        rows = session.execute(text("SELECT id, sample_index, idempotency_key FROM decision ORDER BY id"))
        return [(row.id, row.sample_index, row.idempotency_key) for row in rows]


def decide(database: Database, dataset_id: str, owner: str, number: int) -> None:
    with database.transaction() as session:
        deciding.append(
            session,
            dataset_id,
            deciding.Request(owner, [Verdict(number % 60)], None, f"decision-{number:06d}"),
        )


def test_taken_while_people_decide_it_comes_back_equal_and_whole_up_to_one_moment(
    database: Database,
    empty: Database,
    new_store: Callable[[], Artifacts],
    dataset: Dataset,
    owner: str,
    tmp_path: Path,
) -> None:
    source, target = new_store(), new_store()
    run_id = fill(database, source, dataset, owner)
    decide(database, dataset.id, owner, 0)
    stop, begun = threading.Event(), threading.Event()

    def go_on_deciding() -> None:
        number = 1
        while not stop.is_set():
            decide(database, dataset.id, owner, number)
            begun.set()
            number += 1

    reviewer = threading.Thread(target=go_on_deciding)
    reviewer.start()
    begun.wait(20)
    try:
        before = decided(database)
        written = back_up(database, source, tmp_path / "backup.zip")
    finally:
        stop.set()
        reviewer.join()
    after = decided(database)
    restored = restore(empty, target, tmp_path / "backup.zip")
    found = decided(empty)
    # One moment between begin and end: a prefix of what was decided, of the acknowledged nothing lost.
    assert len(before) <= len(found) <= len(after)
    assert len(before) < len(after), "nobody wrote meanwhile"
    assert found == after[: len(found)]
    assert restored == written
    assert is_migrated(empty.url)
    assert (tmp_path / "backup.zip").stat().st_mode & 0o777 == 0o600
    again = back_up(empty, target, tmp_path / "again.zip")
    assert (again.tables, again.artifacts) == (written.tables, written.artifacts)
    assert target.get(f"datasets/{dataset.content_id}/images.pack") == IMAGES
    assert target.list("runs") == [f"runs/{run_id}/model.safetensors"]
    with empty.transaction() as session:
        assert len(results.columns(session, run_id).noise_posterior) == 60
        assert [job["function"] for job in jobs.unfinished(session)] == [jobs.RUN_AUDIT]
    # And it can be worked with: new rows get numbers of their own.
    decide(empty, dataset.id, owner, 999_999)
    assert decided(empty)[-1][0] > found[-1][0]


def test_sign_ins_of_browsers_are_left_out(
    database: Database, folder_store: Artifacts, owner: str, tmp_path: Path
) -> None:
    written = back_up(database, folder_store, tmp_path / "backup.zip")
    assert {"account", "api_token"} <= {part.table for part in written.tables}
    assert not {"session", "login_code"} & {part.table for part in written.tables}


@pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
def test_a_flipped_byte_is_noticed_and_nothing_is_restored(
    place: float,
    database: Database,
    empty: Database,
    folder_store: Artifacts,
    dataset: Dataset,
    owner: str,
    tmp_path: Path,
) -> None:
    fill(database, folder_store, dataset, owner)
    path, target = tmp_path / "backup.zip", Artifacts.open(str(tmp_path / "restored"), tmp_path)
    back_up(database, folder_store, path)
    damaged = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        last = archive.infolist()[-1].header_offset
    damaged[int(place * last)] ^= 0x10
    path.write_bytes(damaged)
    with pytest.raises(BadInput) as caught:
        restore(empty, target, path)
    assert caught.value.code == "BACKUP_DAMAGED"
    assert target.list("") == []
    # Still as empty as before: a good copy can be restored.
    damaged[int(place * last)] ^= 0x10
    path.write_bytes(damaged)
    assert restore(empty, target, path).tables


def test_a_backup_that_was_cut_off_or_is_none_is_refused(
    database: Database, empty: Database, folder_store: Artifacts, dataset: Dataset, owner: str, tmp_path: Path
) -> None:
    fill(database, folder_store, dataset, owner)
    path, target = tmp_path / "backup.zip", Artifacts.open(str(tmp_path / "restored"), tmp_path)
    back_up(database, folder_store, path)
    whole = path.read_bytes()
    for wrong in (whole[: len(whole) // 2], whole[:-40], b"", b"no zip at all" * 100):
        path.write_bytes(wrong)
        with pytest.raises(BadInput) as caught:
            restore(empty, target, path)
        assert caught.value.code == "BACKUP_DAMAGED"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("manifest.json", '{"format": 1, "hello": []}')
    with pytest.raises(BadInput):
        restore(empty, target, path)


def test_only_an_empty_installation_is_restored_into_and_an_existing_file_never_overwritten(
    database: Database, folder_store: Artifacts, dataset: Dataset, owner: str, empty: Database, tmp_path: Path
) -> None:
    fill(database, folder_store, dataset, owner)
    path = tmp_path / "backup.zip"
    back_up(database, folder_store, path)
    fresh = Artifacts.open(str(tmp_path / "restored"), tmp_path)
    for used, store in ((database, fresh), (empty, folder_store)):
        with pytest.raises(Conflict) as caught:
            restore(used, store, path)
        assert caught.value.code == "NOT_EMPTY"
    with pytest.raises(Conflict) as caught:
        back_up(database, folder_store, path)
    assert caught.value.code == "FILE_EXISTS"
    with database.transaction() as session:
        assert datasets.load(session, dataset.id).status == "ready"


def test_a_backup_of_a_later_version_is_refused(
    database: Database, empty: Database, folder_store: Artifacts, tmp_path: Path
) -> None:
    path = tmp_path / "backup.zip"
    back_up(database, folder_store, path)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest | {"revision": "later"}))
    with pytest.raises(BadInput) as caught:
        restore(empty, folder_store, path)
    assert caught.value.code == "BACKUP_NEWER"


def test_a_backup_of_the_first_version_is_brought_up_to_date(
    empty: Database, empty_database_url: str, folder_store: Artifacts, tmp_path: Path
) -> None:
    migrate(empty_database_url, "0001")
    first = Database(empty_database_url)
    with first.transaction() as session:
        session.execute(text(FIRST_ROWS))
        columns = {
            table: list(session.scalars(text(COLUMNS_OF), {"table": table}))
            for table in ("account", "result")
        }
    with first.transaction() as session, zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        writer, parts = Writer(archive), []
        for table, partition, key in (("account", None, "id"), ("result", "r1", "sample_index")):
            rows = copy_out(session, table, partition, columns[table], [key])
            blank = TablePart(0, "", table, partition, columns[table], [key])
            part = writer.member(blank.member, rows, compress=True)
            parts.append(replace(blank, size=part.size, sha256=part.sha256))
        writer.manifest(Manifest("0.1.0", "2026-01-01T00:00:00+00:00", "0001", parts))
    first.dispose()
    restore(empty, folder_store, tmp_path / "backup.zip")
    assert is_migrated(empty.url)
    with empty.transaction() as session:
        assert session.scalar(text("SELECT name FROM account")) == "ada"
        found = session.execute(text("SELECT loss, agreement FROM result WHERE run_id = 'r1'")).one()
    assert tuple(found) == (0.5, None)


def test_tables_of_another_revision_are_not_backed_up(
    empty_database_url: str, folder_store: Artifacts, tmp_path: Path
) -> None:
    migrate(empty_database_url, "0001")
    old = Database(empty_database_url)
    with pytest.raises(Unavailable) as caught:
        back_up(old, folder_store, tmp_path / "backup.zip")
    old.dispose()
    assert caught.value.code == "NOT_MIGRATED"
    assert not list(tmp_path.glob("backup*"))


def test_an_artifact_that_a_row_needs_and_the_store_lost_meanwhile_fails_the_backup_whole(
    database: Database, folder_store: Artifacts, dataset: Dataset, owner: str, tmp_path: Path
) -> None:
    fill(database, folder_store, dataset, owner)

    def lose(done: int, total: int) -> None:
        folder_store.delete(f"datasets/{dataset.content_id}")

    with pytest.raises(NoiseAuditError) as caught:
        write_backup(database, folder_store, tmp_path / "backup.zip", lose)
    assert caught.value.code == "ARTIFACT_MISSING"
    assert not list(tmp_path.glob("backup*")), "half a backup looks like one"


def test_damage_is_copied_as_damage_and_never_sealed_anew(
    database: Database, empty: Database, folder_store: Artifacts, dataset: Dataset, owner: str, tmp_path: Path
) -> None:
    fill(database, folder_store, dataset, owner)
    rotten, old = f"datasets/{dataset.content_id}/images.pack", f"datasets/{dataset.content_id}/old"
    folder_store.objects.put(rotten, IMAGES[:-1] + b"?", replace=True)
    folder_store.objects.put(old, b"of a version without seals")
    told: list[str] = []
    write_backup(database, folder_store, tmp_path / "backup.zip", lambda done, total: None, told.append)
    assert told == [rotten]
    target = Artifacts.open(str(tmp_path / "restored"), tmp_path)
    restore(empty, target, tmp_path / "backup.zip")
    with pytest.raises(Damaged):
        target.get(rotten)
    assert target.state(f"datasets/{dataset.content_id}/empty") == "whole"
    # The backup's own hashes were compared on the way.
    assert target.state(old) == "whole"


def test_while_a_backup_is_taken_nothing_is_removed(database: Database, folder_store: Artifacts) -> None:
    folder_store.put("uploads/one", b"bytes")
    with nothing_is_removed(database):
        assert not drop(database, folder_store, "uploads/one")
        assert folder_store.exists("uploads/one")
    assert drop(database, folder_store, "uploads/one")
    assert not folder_store.exists("uploads/one")
