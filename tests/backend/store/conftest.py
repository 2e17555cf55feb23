"""Rows to work on: an owner, a ready dataset with samples, runs in the states that a test needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from backend.store import accounts, claims, datasets, jobs, runs
from backend.store.database import Database
from backend.store.tables import Dataset, Run
from tests.bucket import s3_server

SAMPLES = 60
CLASSES = ["ant", "bee", "cat"]


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Address of an S3 server without buckets."""
    with s3_server() as address:
        yield address


@pytest.fixture
def owner(database: Database) -> str:
    """Id of the account that everything belongs to."""
    with database.transaction() as session:
        return accounts.ensure_local_account(session).id


def make_dataset(database: Database, owner_id: str, samples: int = SAMPLES) -> Dataset:
    """A ready dataset; sample i has the given label i % 3 and the true label (i + (i % 5 == 0)) % 3."""
    index_N = np.arange(samples)
    with database.transaction() as session:
        dataset = datasets.create(session, owner_id, "insects", {"kind": "folder"})
        claims.claim(session, Dataset, dataset.id, "import", 5)
        datasets.publish_samples(
            session,
            dataset.id,
            names=[f"{index:04d} ü\t\"'.png" for index in index_N],
            given_label_N=index_N % 3,
            true_label_N=(index_N + (index_N % 5 == 0)) % 3,
            content_hash=[f"{index:064x}" for index in index_N],
            width_N=index_N + 8,
            height_N=index_N + 9,
        )
        counts = [int(count) for count in np.bincount(index_N % 3)]
        claims.finish(
            session, Dataset, dataset.id, "import", "ready",
            classes=CLASSES, class_counts=counts, sample_count=samples, has_true_labels=True,
        )  # fmt: skip
        return datasets.load(session, dataset.id)


@pytest.fixture
def dataset(database: Database, owner: str) -> Dataset:
    """A ready dataset of 60 samples in 3 classes."""
    return make_dataset(database, owner)


@pytest.fixture
def new_run(database: Database, owner: str, dataset: Dataset) -> Callable[[], Run]:
    """Makes a queued run with its job."""

    def make() -> Run:
        with database.transaction() as session:
            run = runs.create(session, owner, dataset.id, "fast", {"epochs": 2}, seed=0)
            jobs.enqueue_run(session, run.id)
            return run

    return make


@pytest.fixture
def running(database: Database, new_run: Callable[[], Run]) -> Run:
    """A run that the claim "one" holds."""
    run = new_run()
    with database.transaction() as session:
        claimed = claims.claim(session, Run, run.id, "one", 5)
        assert claimed is not None
        return claimed
