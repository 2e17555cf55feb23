"""Self-tests over HTTP: begun by a wish, told about at every stage, and summed up in numbers and words."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from backend.store import claims, datasets, results, selftests
from backend.store.database import Database
from backend.store.tables import Dataset, Run


def begin(client: httpx.Client, dataset_id: str, **body: Any) -> Any:
    answer = client.post(f"/api/datasets/{dataset_id}/self-tests", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(client: httpx.Client, dataset_id: str) -> list[Any]:
    return list(client.get(f"/api/datasets/{dataset_id}/self-tests").json()["items"])


def make_ready(database: Database, derived_id: str, wrong: int) -> Any:
    """What the worker does: labels with so many wrong ones, and the run in the same transaction."""
    with database.transaction() as session:
        assert claims.claim(session, Dataset, derived_id, "import", 5) is not None
    with database.transaction() as session:
        parent_id = datasets.load(session, derived_id).parent_id
        rows = datasets.samples(session, str(parent_id))
        true_N = rows.given_label_N if rows.true_label_N is None else rows.true_label_N
        given_N = true_N.copy()
        given_N[:wrong] = (given_N[:wrong] + 1) % 3
        datasets.publish_samples(
            session,
            derived_id,
            names=rows.names,
            given_label_N=given_N,
            true_label_N=true_N,
            content_hash=rows.content_hash,
            width_N=rows.width_N,
            height_N=rows.height_N,
        )
        claims.finish(
            session,
            Dataset,
            derived_id,
            "import",
            "ready",
            classes=["cat", "dog", "=fox"],
            class_counts=np.bincount(given_N, minlength=3).tolist(),
            sample_count=len(given_N),
            image_shape=[12, 20, 3],
            has_true_labels=True,
            report={"planted": {"kind": "symmetric", "share_wrong": wrong / len(given_N)}},
        )
        run = selftests.queue_run(session, derived_id)
        assert run is not None
        return run.id


def succeed(database: Database, run_id: str, flagged: list[int], metrics: dict[str, float]) -> None:
    """A run that flags exactly these."""
    result_N = np.zeros(60, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(60)
    result_N["flagged"][flagged] = True
    outcome = {"samples": 60, "flagged": len(flagged), "noise_rate": 0.2, "metrics": metrics}
    with database.transaction() as session:
        assert claims.claim(session, Run, run_id, "run", 5) is not None
    with database.transaction() as session:
        results.publish_results(session, run_id, "run", result_N, outcome)


def test_a_self_test_goes_from_importing_to_numbers_and_words(
    client: httpx.Client, database: Database, ready_dataset: Any
) -> None:
    dataset_id = ready_dataset(true_labels=False)
    begun = begin(client, dataset_id, rate=0.2, recipe="fast", settings={"epochs": 4}, seed=5)
    assert (begun["status"], begun["run_id"], begun["planted"], begun["words"]) == (
        "importing",
        None,
        None,
        [],
    )
    assert listed(client, dataset_id) == [begun]
    derived = client.get(f"/api/datasets/{begun['dataset_id']}").json()
    assert derived["parent_id"] == dataset_id
    assert "self-test" in derived["name"]

    run_id = make_ready(database, begun["dataset_id"], wrong=12)
    (queued,) = listed(client, dataset_id)
    assert (queued["status"], queued["run_id"], queued["planted"]) == ("queued", run_id, 12)
    run = client.get(f"/api/runs/{run_id}").json()
    assert (run["recipe"], run["settings"], run["seed"]) == ("fast", {"epochs": 4}, 5)
    # Another run on the derived dataset is not the self-test's.
    assert client.post(f"/api/datasets/{begun['dataset_id']}/runs", json={}).status_code == 201

    succeed(
        database,
        run_id,
        [*range(9), 40, 41, 42],
        {"auroc": 0.91, "average_precision": 0.8, "f1": 0.75, "precision": 9 / 12, "recall": 9 / 12},
    )
    (done,) = listed(client, dataset_id)
    assert (done["status"], done["run_id"]) == ("succeeded", run_id)
    assert (done["planted"], done["found"], done["flagged"]) == (12, 9, 12)
    assert done["precision"] == done["recall"] == pytest.approx(0.75)
    assert (done["auroc"], done["average_precision"], done["noise_rate"]) == (0.91, 0.8, 0.2)
    assert done["words"][0] == "Of 12 planted wrong labels it flagged 9 (75 %)."
    assert any("may be real errors of your data" in sentence for sentence in done["words"])


def test_the_newest_comes_first_and_other_derived_datasets_are_none(
    client: httpx.Client, ready_dataset: Any
) -> None:
    dataset_id = ready_dataset()
    assert client.post(f"/api/datasets/{dataset_id}/inject", json={"rate": 0.1}).status_code == 201
    first, second = begin(client, dataset_id), begin(client, dataset_id, kind="instance", rate=0.3)
    assert [each["dataset_id"] for each in listed(client, dataset_id)] == [
        second["dataset_id"],
        first["dataset_id"],
    ]
    assert (first["kind"], first["rate"], first["recipe"]) == ("symmetric", 0.1, "fast")


@pytest.mark.parametrize(
    "body",
    [
        {"rate": 0},
        {"rate": 1.5},
        {"kind": "rumour"},
        {"recipe": "magic"},
        {"settings": {"epochs": -1}},
        {"settings": {"colour": "red"}},
        {"sede": 1},
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_made(
    client: httpx.Client, ready_dataset: Any, body: Any
) -> None:
    dataset_id = ready_dataset()
    answer = client.post(f"/api/datasets/{dataset_id}/self-tests", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID"), answer.text
    assert listed(client, dataset_id) == []


def test_self_tests_that_wait_count_against_the_queue(
    client: httpx.Client, live: Any, ready_dataset: Any, database: Database
) -> None:
    dataset_id = ready_dataset()
    limit = live.settings.limits.queued_runs
    for _ in range(limit + 1):
        answer = client.post(f"/api/datasets/{dataset_id}/self-tests", json={})
        if answer.status_code != 201:
            break
    assert (answer.status_code, answer.json()["code"]) == (429, "QUEUE_FULL")
