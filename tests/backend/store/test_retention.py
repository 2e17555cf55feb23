"""Deleting frees what was said beforehand, leaves what others use, and never meets a backup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text, update

from backend.audit.errors import Conflict, NotFound
from backend.store import claims, datasets, deciding, decisions, jobs, results, retention, runs, uploads
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.keeping import nothing_is_removed
from backend.store.retention import Freed, cost_of_dataset, cost_of_run, sweep
from backend.store.tables import Dataset, Run
from tests.backend.store.test_backup import Verdict

LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def finished(database: Database, artifacts: Artifacts, dataset: Dataset, owner: str) -> Run:
    """A succeeded run with results, an epoch and files; a decision was made in it."""
    result_N = np.zeros(60, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(60)
    artifacts.put(f"datasets/{dataset.content_id}/images.pack", b"i" * 1000)
    with database.transaction() as session:
        run = runs.create(session, owner, dataset.id, "fast", {}, 0)
        claims.claim(session, Run, run.id, "one", 5)
        runs.write_epoch(session, run.id, "one", 1, {}, {}, {}, {})
        results.publish_results(session, run.id, "one", result_N, {})
        deciding.append(
            session, dataset.id, deciding.Request(owner, [Verdict(3), Verdict(4)], run.id, "decision-one")
        )
    artifacts.put(f"runs/{run.id}/model.safetensors", b"m" * 100)
    with database.transaction() as session:
        return runs.load(session, run.id)


@pytest.fixture
def derived(database: Database, dataset: Dataset, owner: str) -> Dataset:
    """A dataset with other labels on the same images."""
    with database.transaction() as session:
        fresh = datasets.create(session, owner, "derived", {"kind": "injection"}, dataset)
        claims.claim(session, Dataset, fresh.id, "one", 5)
        claims.finish(session, Dataset, fresh.id, "one", "ready")
        return datasets.load(session, fresh.id)


def delete_dataset(database: Database, artifacts: Artifacts, dataset_id: str) -> Freed:
    with database.transaction() as session:
        freed = retention.delete_dataset(session, artifacts, datasets.load(session, dataset_id))
    for prefix in freed.prefixes:
        artifacts.delete(prefix)
    return freed


def tables(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.scalars(text("SELECT relname FROM pg_class WHERE relkind = 'r'")))


def test_a_dataset_goes_with_its_runs_and_decisions_and_frees_what_was_said(
    database: Database, artifacts: Artifacts, dataset: Dataset, finished: Run
) -> None:
    assert {f"sample_{dataset.id}", f"result_{finished.id}"} <= tables(database)
    with database.transaction() as session:
        said = cost_of_dataset(session, artifacts, datasets.load(session, dataset.id))
    assert (said.rows, said.runs, said.decisions, said.shared_with) == (60 + 60 + 2, 1, 2, 0)
    assert said.artifact_bytes == 1100
    assert said.row_bytes > 0
    assert delete_dataset(database, artifacts, dataset.id) == said
    assert not {f"sample_{dataset.id}", f"result_{finished.id}"} & tables(database)
    assert artifacts.list("") == []
    with database.transaction() as session:
        for table in ("dataset", "run", "epoch", "decision", "sample", "result"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table


def test_images_go_only_with_the_last_dataset_that_uses_them(
    database: Database, artifacts: Artifacts, dataset: Dataset, finished: Run, derived: Dataset
) -> None:
    freed = delete_dataset(database, artifacts, dataset.id)
    assert (freed.shared_with, freed.artifact_bytes) == (1, 100)
    assert artifacts.list("") == [f"datasets/{dataset.id}/images.pack"]
    with database.transaction() as session:
        left = datasets.load(session, derived.id)
        assert (left.parent_id, left.content_id) == (None, dataset.id)
    assert sweep(database, artifacts, LATER, timedelta(hours=1), really=True).keys == []
    assert delete_dataset(database, artifacts, derived.id).artifact_bytes == 1000
    assert artifacts.list("") == []


def test_a_run_goes_and_the_decisions_made_in_it_stay(
    database: Database, artifacts: Artifacts, dataset: Dataset, finished: Run
) -> None:
    with database.transaction() as session:
        said = cost_of_run(session, artifacts, finished)
    with database.transaction() as session:
        assert retention.delete_run(session, artifacts, runs.load(session, finished.id)) == said
    assert (said.rows, said.artifact_bytes) == (60, 100)
    with database.transaction() as session:
        assert decisions.counts(session, dataset.id) == {"keep": 2}
        with pytest.raises(NotFound):
            runs.load(session, finished.id)


def test_what_is_being_worked_on_is_not_deleted(
    database: Database, artifacts: Artifacts, dataset: Dataset, new_run: Callable[[], Run]
) -> None:
    waiting = new_run()
    with pytest.raises(Conflict, match="being worked on"):
        delete_dataset(database, artifacts, dataset.id)
    with pytest.raises(Conflict, match="being worked on"), database.transaction() as session:
        retention.delete_run(session, artifacts, runs.load(session, waiting.id))
    with database.transaction() as session:
        claims.request_stop(session, Run, waiting.id)
    delete_dataset(database, artifacts, dataset.id)
    with database.transaction() as session:
        # Its job is still in the queue; whoever gets it finds nothing to do.
        assert jobs.unfinished(session)
        assert claims.claim(session, Run, waiting.id, "late", 5) is None


def test_while_a_backup_is_taken_nothing_is_deleted_or_swept(
    database: Database, artifacts: Artifacts, dataset: Dataset
) -> None:
    with nothing_is_removed(database):
        with pytest.raises(Conflict, match="backup"):
            delete_dataset(database, artifacts, dataset.id)
        with pytest.raises(Conflict, match="backup"):
            sweep(database, artifacts, LATER, timedelta(hours=1), really=True)
    delete_dataset(database, artifacts, dataset.id)


def test_orphans_and_what_ended_runs_left_beside_their_results_are_swept_when_old_enough(
    database: Database, artifacts: Artifacts, owner: str, finished: Run, new_run: Callable[[], Run]
) -> None:
    keep = [f"runs/{new_run().id}/checkpoint/1", "elsewhere/thing", *artifacts.list("")]
    with database.transaction() as session:
        for name in ("waiting", "used"):
            uploads.record(session, owner, name, "images.zip", 5, digest="0" * 64)
        dataset = datasets.create(session, owner, "used", {"kind": "upload", "upload_id": "used"})
        claims.claim(session, Dataset, dataset.id, "one", 5)
        claims.finish(session, Dataset, dataset.id, "one", "ready")
        outcome = {runs.PUBLISHED_BY: "two"}
        session.execute(update(Run).where(Run.id == finished.id).values(outcome=outcome))
    keep += ["uploads/waiting", f"runs/{finished.id}/two/x", f"runs/{finished.id}/selections/x"]
    orphans = [
        "uploads/used",
        "datasets/gone/images.pack",
        f"runs/{finished.id}/checkpoint/2",
        f"runs/{finished.id}/one/x",
        "runs/gone/x",
        "uploads/gone",
    ]
    for key in {*keep, *orphans} - set(artifacts.list("")):
        artifacts.put(key, b"12345")
    young = sweep(database, artifacts, datetime.now(UTC), timedelta(hours=1), really=True)
    assert young.keys == []
    told = sweep(database, artifacts, LATER, timedelta(hours=1), really=False)
    assert (told.keys, told.bytes) == (sorted(orphans), 30)
    assert sweep(database, artifacts, LATER, timedelta(hours=1), really=True) == told
    assert artifacts.list("") == sorted(keep)
