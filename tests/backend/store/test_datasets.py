"""Datasets, samples and runs: published whole and once, and seen by nobody else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from backend.audit.errors import ClaimLost, Conflict, NotFound
from backend.store import accounts, claims, datasets, runs
from backend.store.database import Database
from backend.store.tables import Dataset, Membership, Run


@pytest.fixture
def stranger(database: Database) -> str:
    """Id of an account that owns nothing."""
    with database.transaction() as session:
        return accounts.add_user(session, "stranger", "secret").id


def test_the_samples_are_read_back_as_they_were_published(database: Database, dataset: Dataset) -> None:
    index_N = np.arange(60)
    with database.transaction() as session:
        columns = datasets.samples(session, dataset.id)
        given_N, true_N = datasets.labels(session, dataset.id)
        assert datasets.names(session, dataset.id) == columns.names
        row = datasets.sample(session, dataset.id, 17)
    assert columns.names == [f"{index:04d} ü\t\"'.png" for index in index_N]
    assert columns.content_hash == [f"{index:064x}" for index in index_N]
    np.testing.assert_array_equal(columns.width_N, index_N + 8)
    np.testing.assert_array_equal(columns.height_N, index_N + 9)
    np.testing.assert_array_equal(given_N, index_N % 3)
    np.testing.assert_array_equal(true_N, (index_N + (index_N % 5 == 0)) % 3)
    assert (row.sample_index, row.name, row.true_label) == (17, columns.names[17], 17 % 3)
    assert (dataset.status, dataset.sample_count) == ("ready", 60)
    assert dataset.ready_at is not None


def test_more_samples_than_fit_in_one_block_keep_their_order(database: Database, owner: str) -> None:
    count = 20_000
    names = [f"{index}-" + "x" * (index % 97) for index in range(count)]
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "many", {"kind": "folder"})
        datasets.publish_samples(
            session, dataset.id, names=names, given_label_N=np.arange(count), content_hash=["0" * 64] * count,
            width_N=np.ones(count, int), height_N=np.ones(count, int),
            true_label_N=np.arange(-1, count - 1), split=[None, "test"] * (count // 2),
        )  # fmt: skip
    with database.transaction() as session:
        assert datasets.names(session, dataset.id) == names
        assert datasets.splits(session, dataset.id) == [None, "test"] * (count // 2)
        assert datasets.sample(session, dataset.id, 0).true_label is None
        given_N, true_N = datasets.labels(session, dataset.id)
    np.testing.assert_array_equal(given_N, np.arange(count))
    assert true_N is None


def test_published_twice_the_first_samples_stay(database: Database, dataset: Dataset) -> None:
    with database.transaction() as session:
        published = datasets.publish_samples(
            session, dataset.id, names=["other"], given_label_N=np.array([0]), content_hash=["1" * 64],
            width_N=np.array([1]), height_N=np.array([1]),
        )  # fmt: skip
    assert not published
    with database.transaction() as session:
        assert len(datasets.names(session, dataset.id)) == 60


def test_samples_of_an_import_that_lost_its_claim_vanish_with_it(database: Database, owner: str) -> None:
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "lost", {"kind": "folder"})
        claims.claim(session, Dataset, dataset.id, "one", 5)
        claims.claim(session, Dataset, dataset.id, "two", 5)

    def publish(claim_id: str, name: str) -> None:
        with database.transaction() as session:
            datasets.publish_samples(
                session, dataset.id, names=[name], given_label_N=np.array([0]), content_hash=["1" * 64],
                width_N=np.array([1]), height_N=np.array([1]),
            )  # fmt: skip
            claims.finish(session, Dataset, dataset.id, claim_id, "ready", sample_count=1)

    with pytest.raises(ClaimLost):
        publish("one", "stale")
    publish("two", "fresh")
    with database.transaction() as session:
        assert datasets.names(session, dataset.id) == ["fresh"]


def test_columns_of_different_lengths_are_refused(database: Database, owner: str) -> None:
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "odd", {"kind": "folder"})
    with pytest.raises(ValueError, match="length"), database.transaction() as session:
        datasets.publish_samples(
            session, dataset.id, names=["a", "b"], given_label_N=np.array([0]), content_hash=["1" * 64] * 2,
            width_N=np.array([1, 1]), height_N=np.array([1, 1]),
        )  # fmt: skip


def test_a_derived_dataset_shares_the_images_of_its_root(
    database: Database, owner: str, dataset: Dataset
) -> None:
    with database.transaction() as session:
        child = datasets.create(session, owner, "noisy", {"kind": "injection"}, parent=dataset)
        assert (child.content_id, child.parent_id) == (dataset.content_id, dataset.id)
        with pytest.raises(Conflict):
            datasets.create(session, owner, "noisier", {"kind": "injection"}, parent=child)
        child.status = "ready"
        grandchild = datasets.create(session, owner, "noisier", {"kind": "injection"}, parent=child)
    assert (grandchild.content_id, grandchild.parent_id) == (dataset.id, child.id)


def test_strangers_find_nothing_and_members_everything(
    database: Database, owner: str, stranger: str, dataset: Dataset, running: Run
) -> None:
    def sees(account_id: str) -> bool:
        attempts: list[Callable[[], object]] = [
            lambda: datasets.get(session, account_id, dataset.id),
            lambda: datasets.request_stop(session, account_id, other.id),
            lambda: runs.get(session, account_id, running.id),
            lambda: runs.request_stop(session, account_id, running.id),
            lambda: runs.create(session, account_id, dataset.id, "fast", {}, 0),
        ]
        found = []
        for attempt in attempts:
            try:
                attempt()
                found.append(True)
            except NotFound:
                found.append(False)
        listed = [dataset.id in [row.id for row in datasets.list_for(session, account_id)]]
        listed.append(running.id in [row.id for row in runs.list_for(session, account_id)])
        listed.append(running.id in [row.id for row in runs.list_for(session, account_id, dataset.id)])
        assert len({*found, *listed}) == 1, (found, listed)
        return found[0]

    with database.transaction() as session:
        other = datasets.create(session, owner, "importing", {"kind": "folder"})
        assert not sees(stranger)
        assert runs.load(session, running.id).cancel_requested is False
        session.add(Membership(dataset_id=dataset.id, account_id=stranger, role="reviewer"))
        session.add(Membership(dataset_id=other.id, account_id=stranger, role="reviewer"))
        session.flush()
        assert sees(stranger)
        assert sees(owner)


def test_lists_are_newest_first_and_waiting_runs_are_counted(
    database: Database, owner: str, dataset: Dataset, new_run: Callable[[], Run]
) -> None:
    made = [new_run().id for _ in range(3)]
    with database.transaction() as session:
        assert [run.id for run in runs.list_for(session, owner)] == made[::-1]
        assert runs.list_for(session, owner, "none such") == []
        assert runs.queued(session, owner) == 3
        claims.claim(session, Run, made[0], "one", 5)
        assert runs.queued(session, owner) == 2


def test_a_run_needs_a_dataset_that_is_ready(database: Database, owner: str) -> None:
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "importing", {"kind": "folder"})
    with pytest.raises(Conflict) as caught, database.transaction() as session:
        runs.create(session, owner, dataset.id, "fast", {}, 0)
    assert (caught.value.code, caught.value.found) == ("DATASET_NOT_READY", "importing")


def test_an_epoch_repeated_after_a_resume_replaces_what_it_said(database: Database, running: Run) -> None:
    with database.transaction() as session:
        for epoch, said in ((1, "first"), (2, "second"), (2, "second again")):
            runs.write_epoch(session, running.id, "one", epoch, {"said": said}, {"counts": []}, {}, {})
    with database.transaction() as session:
        assert [row.metrics["said"] for row in runs.epochs(session, running.id)] == ["first", "second again"]
        assert [row.epoch for row in runs.epochs(session, running.id, after=1)] == [2]
        assert runs.epoch_metrics(session, running.id) == [
            (1, {"said": "first"}),
            (2, {"said": "second again"}),
        ]
        for number, said in ((None, "second again"), (1, "first"), (2, "second again")):
            found = runs.epoch(session, running.id, number)
            assert found is not None
            assert found.metrics["said"] == said
        assert runs.epoch(session, running.id, 3) is None
