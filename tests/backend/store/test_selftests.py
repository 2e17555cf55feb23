"""A self-test's run is there exactly when its dataset is ready, and once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from backend.audit.errors import ClaimLost
from backend.store import accounts, claims, datasets, jobs, runs, selftests
from backend.store.database import Database
from backend.store.tables import Dataset


@pytest.fixture
def owner(database: Database) -> str:
    with database.transaction() as session:
        return accounts.ensure_local_account(session).id


@pytest.fixture
def derived(database: Database, owner: str) -> str:
    """Id of a self-test whose import has been claimed."""
    with database.transaction() as session:
        parent = datasets.create(session, owner, "pets", {"kind": "folder"})
        assert claims.claim(session, Dataset, parent.id, "import", 5) is not None
        claims.finish(session, Dataset, parent.id, "import", "ready", classes=["cat", "dog"], sample_count=4)
        made = selftests.create(
            session,
            owner,
            parent,
            kind="symmetric",
            rate=0.25,
            recipe="fast",
            settings={"epochs": 3},
            seed=9,
        )
    with database.transaction() as session:
        assert claims.claim(session, Dataset, made.id, "first", 5) is not None
    return made.id


def finish(database: Database, dataset_id: str, claim_id: str) -> None:
    """The end of an import, as the worker writes it."""
    with database.transaction() as session:
        claims.finish(session, Dataset, dataset_id, claim_id, "ready", sample_count=4)
        selftests.queue_run(session, dataset_id)


def queued_jobs(database: Database, function: str) -> list[str]:
    with database.transaction() as session:
        found = session.execute(
            text("SELECT kwargs FROM chancy_jobs WHERE func = :function"), {"function": function}
        )
        return [next(iter(row.kwargs.values())) for row in found]


def test_the_run_and_its_job_come_with_the_dataset(database: Database, derived: str, owner: str) -> None:
    assert queued_jobs(database, jobs.RUN_IMPORT) == [derived]
    with database.transaction() as session:
        assert selftests.preparing(session, owner) == 1
    finish(database, derived, "first")
    with database.transaction() as session:
        (run,) = runs.list_for(session, owner, derived)
        assert (run.recipe, run.config, run.seed, run.status) == ("fast", {"epochs": 3}, 9, "queued")
        assert selftests.preparing(session, owner) == 0
        parent_id = datasets.load(session, derived).parent_id
        (found,) = selftests.list_for(session, owner, str(parent_id))
        assert found.run is not None
        assert (found.dataset.id, found.run.id) == (derived, run.id)
        assert selftests.list_for(session, "somebody-else", str(parent_id)) == []
    assert queued_jobs(database, jobs.RUN_AUDIT) == [run.id]


def test_a_worker_that_says_it_twice_or_too_late_queues_nothing(
    database: Database, derived: str, owner: str
) -> None:
    finish(database, derived, "first")
    for claim_id in ("first", "stale"):
        with pytest.raises(ClaimLost):
            finish(database, derived, claim_id)
    assert len(queued_jobs(database, jobs.RUN_AUDIT)) == 1


def test_a_crash_before_the_commit_leaves_neither_and_the_next_worker_makes_both(
    database: Database, derived: str, owner: str
) -> None:
    class Crash(Exception):
        pass

    def crash() -> None:
        with database.transaction() as session:
            claims.finish(session, Dataset, derived, "first", "ready", sample_count=4)
            selftests.queue_run(session, derived)
            raise Crash

    with pytest.raises(Crash):
        crash()
    with database.transaction() as session:
        assert datasets.load(session, derived).status == "importing"
        assert runs.list_for(session, owner, derived) == []
    assert queued_jobs(database, jobs.RUN_AUDIT) == []
    with database.transaction() as session:
        assert claims.claim(session, Dataset, derived, "second", 5) is not None
    finish(database, derived, "second")
    assert len(queued_jobs(database, jobs.RUN_AUDIT)) == 1


def test_a_dataset_that_is_no_self_test_gets_no_run(database: Database, owner: str) -> None:
    with database.transaction() as session:
        plain = datasets.create(session, owner, "plain", {"kind": "folder"})
        assert claims.claim(session, Dataset, plain.id, "import", 5) is not None
        claims.finish(session, Dataset, plain.id, "import", "ready", sample_count=1)
        assert selftests.queue_run(session, plain.id) is None
    assert queued_jobs(database, jobs.RUN_AUDIT) == []
