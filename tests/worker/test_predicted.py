"""Predictions that people bring become a run like any other: posteriors, flags, figures, a map, without training."""

from __future__ import annotations

import io
from collections.abc import Callable
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from backend.store import datasets, jobs, results, runs, uploads
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Run
from worker import door, execute

Audit = Callable[..., Run]


@pytest.fixture
def given_label(digits: str, database: Database) -> NDArray[np.int32]:
    """The digits' labels, a fifth of them redrawn."""
    with database.transaction() as session:
        return datasets.labels(session, digits)[0]


@pytest.fixture
def out_of_fold(given_label: NDArray[np.int32]) -> NDArray[np.float64]:
    """What a logistic regression says of digits that it was not shown."""
    pixel_NF = load_digits().data / 16
    return cross_val_predict(LogisticRegression(C=0.1), pixel_NF, given_label, cv=5, method="predict_proba")


@pytest.fixture
def audit(
    digits: str, owner: str, database: Database, artifacts: Artifacts, run_row: Callable[[str], Run]
) -> Audit:
    """Uploads an array and lets a worker judge by it; gives the finished run."""

    def go(array: NDArray[np.float64], *, in_sample: bool = False) -> Run:
        file = io.BytesIO()
        np.save(file, array)
        upload_id = uuid4().hex
        artifacts.put(uploads.key(upload_id), file.getvalue())
        config = {"upload_id": upload_id, "filename": "p.npy", "in_sample": in_sample, "logits": False}
        with database.transaction() as session:
            run_id = runs.create(session, owner, digits, runs.PREDICTIONS, config, 0).id
            jobs.enqueue_run(session, run_id)
        assert door.enter(Run, execute.execute, [run_id, uuid4().hex]) == 0
        run = run_row(run_id)
        assert artifacts.exists(uploads.key(upload_id)) == (run.status != "succeeded")
        return run

    return go


@pytest.mark.slow
def test_predictions_find_the_planted_noise_and_leave_what_a_run_leaves(
    audit: Audit,
    out_of_fold: NDArray[np.float64],
    given_label: NDArray[np.int32],
    database: Database,
    artifacts: Artifacts,
) -> None:
    run = audit(np.asfortranarray(out_of_fold))
    assert run.status == "succeeded", run.error
    assert not np.load(io.BytesIO(artifacts.get(f"{runs.place(run)}/probabilities.npy"))).flags.f_contiguous
    assert run.outcome["metrics"]["auroc"] > 0.97
    assert run.outcome["metrics"]["f1"] > 0.85
    assert 0.14 < run.outcome["noise_rate"] < 0.22
    assert run.outcome["map_from"] == "the predicted probabilities"
    assert run.outcome["notes"]
    with database.transaction() as session:
        (epoch,) = runs.epochs(session, run.id)
        found = results.columns(session, run.id)
    assert sum(epoch.histogram["counts"]) == len(given_label)
    assert {"beta", "gaussian", "chosen"} <= epoch.mixtures.keys()
    given_probability_N = out_of_fold[np.arange(len(given_label)), given_label]
    np.testing.assert_allclose(found.label_quality, given_probability_N, atol=1e-5)
    np.testing.assert_allclose(found.loss, -np.log(given_probability_N), atol=1e-3)
    np.testing.assert_array_equal(found.margin < 0, out_of_fold.argmax(axis=1) != given_label)
    assert (found.suggested_label != found.given_label)[found.flagged].all()
    assert found.agreement[found.flagged].mean() > found.agreement[~found.flagged].mean() + 2
    assert len(np.unique(found.x)) > 1000
    prefix = f"{runs.place(run)}/"
    stored = {key.removeprefix(prefix) for key in artifacts.list(prefix)}
    assert stored == {"features.npy", "neighbours.npy", "probabilities.npy", "results.parquet"}


@pytest.mark.slow
def test_predictions_of_a_network_that_saw_the_labels_are_judged_as_such(
    audit: Audit, given_label: NDArray[np.int32]
) -> None:
    pixel_NF = load_digits().data / 16
    seen_NC = LogisticRegression(C=0.02).fit(pixel_NF, given_label).predict_proba(pixel_NF)
    run = audit(seen_NC, in_sample=True)
    assert run.status == "succeeded", run.error
    assert run.outcome["metrics"]["auroc"] > 0.95
    assert run.outcome["metrics"]["f1"] > 0.8
    assert run.outcome["predictions"]["in_sample"] is True


def test_predictions_with_a_hole_fail_the_run_in_words_and_keep_the_upload(
    audit: Audit, out_of_fold: NDArray[np.float64]
) -> None:
    out_of_fold[7, 3] = np.nan
    run = audit(out_of_fold)
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error["code"], run.error["item"]) == ("PROBS_INVALID", "sample 7")
