"""A run goes from claim to published results, is resumed where it was, and stops when told."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from safetensors.numpy import load as load_safetensors
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from backend.audit.forms.network import network_archive
from backend.settings import Settings
from backend.store import results, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.packs import Pack
from backend.store.tables import Run
from tests.installation import wait_until
from worker import door, execute
from worker.trained import load

QueueRun = Callable[..., str]
RunRow = Callable[[str], Run]
StartWorker = Callable[[], subprocess.Popen[bytes]]


@pytest.mark.slow
def test_a_run_finds_the_planted_noise_and_publishes_all_its_evidence(
    digits: str,
    queue_run: QueueRun,
    run_row: RunRow,
    database: Database,
    artifacts: Artifacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id = queue_run(digits)
    assert door.enter(Run, execute.execute, [run_id, uuid4().hex]) == 0
    run = run_row(run_id)
    assert run.status == "succeeded", run.error
    assert run.outcome["metrics"]["auroc"] >= 0.98
    assert run.outcome["samples"] == 1797
    said = [line["text"] for line in run.progress["log"]]
    assert said[0] == "Fetching the images"
    assert sum(line.startswith("Epoch ") for line in said) == run.outcome["epochs"]
    assert said[-1] == f"{run.outcome['flagged']} of 1,797 samples flagged"
    with database.transaction() as session:
        epochs = runs.epochs(session, run_id)
        columns = results.columns(session, run_id)
    assert [epoch.epoch for epoch in epochs] == list(range(1, run.outcome["epochs"] + 1))
    networks = [epoch.metrics["network"] for epoch in epochs]
    assert [networks.index(number) + 1 for number in (1, 2)] == run.outcome["first_epochs"] == [1, 9]
    assert next(line for line in said if "(network 2)" in line).startswith("Epoch 9 of 16 ")
    assert sum(epochs[-1].histogram["counts"]) == 1797
    assert {"beta", "gaussian", "chosen"} <= epochs[-1].mixtures.keys()
    assert columns.flagged.sum() == run.outcome["flagged"]
    assert np.isfinite(columns.noise_posterior).all()
    assert columns.agreement.min() >= 0
    assert columns.agreement[columns.flagged].mean() > columns.agreement[~columns.flagged].mean() + 1
    prefix = f"{runs.place(run)}/"
    stored = {key.removeprefix(prefix) for key in artifacts.list(prefix)}
    assert stored == {
        "features.npy",
        "history.npz",
        "model.safetensors",
        "neighbours.npy",
        "probabilities.npy",
        "results.parquet",
    }
    history = np.load(io.BytesIO(artifacts.get(prefix + "history.npz")))
    assert history["loss"].shape == (len(epochs), 1797)
    assert any(
        name.endswith("weight") for name in load_safetensors(artifacts.get(prefix + "model.safetensors"))
    )
    the_lines_of_the_readme_name_the_class_of_an_image(
        artifacts, prefix, Pack(artifacts, f"datasets/{digits}/images"), columns, tmp_path, monkeypatch
    )


def the_lines_of_the_readme_name_the_class_of_an_image(
    artifacts: Artifacts,
    prefix: str,
    images: Pack,
    columns: results.ResultColumns,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As somebody does who unpacked the export: in its folder, with an image beside the weights."""
    archive = network_archive(artifacts.get(prefix + "model.safetensors"), [str(n) for n in range(10)], {})
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.chunks))) as opened:
        opened.extractall(folder)
    lines = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(lines) == 1
    assert len([line for line in lines[0].splitlines() if line]) <= 5
    clear = int(columns.noise_posterior.argmin())
    (folder / "image.png").write_bytes(images.read(clear))
    monkeypatch.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(lines[0], {})
    assert said.getvalue().strip() == str(columns.given_label[clear])
    probability_NC = load("model.safetensors").predict([images.read(index) for index in range(300)])
    assert columns.true_label is not None
    assert (probability_NC.argmax(axis=1) == columns.true_label[:300]).mean() > 0.95
    assert np.allclose(probability_NC.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_run_on_an_embedding_trains_a_head_and_maps_the_embedding(
    digits: str, queue_run: QueueRun, run_row: RunRow, artifacts: Artifacts
) -> None:
    vector_NF = PCA(24).fit_transform(load_digits().data).astype(np.float32)
    file = io.BytesIO()
    np.savez(file, embedding=vector_NF)
    artifacts.put("uploads/vectors", file.getvalue())
    run_id = queue_run(digits, "ce", epochs=3, upload_id="vectors", filename="mine.npz")
    assert door.enter(Run, execute.execute, [run_id, uuid4().hex]) == 0
    run = run_row(run_id)
    assert run.status == "succeeded", run.error
    assert run.outcome["metrics"]["auroc"] > 0.97
    assert run.outcome["map_from"] == "the embedding sent with the run"
    stored_NF = np.load(io.BytesIO(artifacts.get(f"{runs.place(run)}/features.npy")))
    np.testing.assert_allclose(stored_NF, vector_NF, rtol=1e-3, atol=0.02)
    assert not artifacts.exists("uploads/vectors")


def test_a_setting_that_means_nothing_fails_the_run_in_words(
    digits: str, queue_run: QueueRun, run_row: RunRow
) -> None:
    run_id = queue_run(digits, epochs="many")
    door.enter(Run, execute.execute, [run_id, uuid4().hex])
    run = run_row(run_id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error["code"] == "INVALID"
    assert "epochs" in run.error["message"]


def test_pretrained_weights_that_cannot_be_had_fail_the_run_in_words(
    digits: str, queue_run: QueueRun, run_row: RunRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    run_id = queue_run(digits, network="resnet18", weights="default")
    door.enter(Run, execute.execute, [run_id, uuid4().hex])
    run = run_row(run_id)
    assert run.status == "failed"
    assert run.error is not None
    assert run.error["code"] == "INVALID"
    assert "could not be downloaded" in run.error["message"]


def test_a_dataset_that_rotted_fails_the_run_in_words(
    digits: str, queue_run: QueueRun, run_row: RunRow, artifacts: Artifacts
) -> None:
    _rot(artifacts, f"datasets/{digits}/pixels.npy")
    run_id = queue_run(digits)
    door.enter(Run, execute.execute, [run_id, uuid4().hex])
    run = run_row(run_id)
    assert run.error is not None
    assert (run.status, run.error["code"]) == ("failed", "ARTIFACT_CORRUPT")
    assert run.error["item"] == f"datasets/{digits}/pixels.npy"


def _rot(artifacts: Artifacts, key: str) -> None:
    data = bytearray(artifacts.objects.get(key))
    data[len(data) // 2] ^= 1
    artifacts.objects.put(key, bytes(data), replace=True)


def test_a_run_that_was_asked_to_stop_before_it_began_is_cancelled(
    digits: str, queue_run: QueueRun, run_row: RunRow, database: Database, owner: str
) -> None:
    run_id = queue_run(digits)
    with database.transaction() as session:
        runs.request_stop(session, owner, run_id)
    door.enter(Run, execute.execute, [run_id, uuid4().hex])
    assert run_row(run_id).status == "cancelled"


@pytest.mark.slow
def test_a_killed_worker_costs_at_most_an_epoch_and_changes_no_number(
    digits: str,
    queue_run: QueueRun,
    run_row: RunRow,
    database: Database,
    start_worker: StartWorker,
) -> None:
    undisturbed = queue_run(digits, epochs=10)
    first = start_worker()
    wait_until(lambda: run_row(undisturbed).status == "succeeded", 120)

    disturbed = queue_run(digits, epochs=10)
    wait_until(lambda: (run_row(disturbed).progress.get("epoch") or 0) >= 3, 60)
    first.kill()
    first.wait()
    reached = run_row(disturbed).progress["epoch"]
    assert run_row(disturbed).status == "running"
    start_worker()
    wait_until(lambda: run_row(disturbed).status == "succeeded", 120)
    assert run_row(disturbed).starts == 2
    assert reached < 10

    with database.transaction() as session:
        expected, found = results.columns(session, undisturbed), results.columns(session, disturbed)
        epochs = runs.epochs(session, disturbed)
    assert [epoch.epoch for epoch in epochs] == list(range(1, 11))
    for name in ("noise_posterior", "flagged", "suggested_label", "loss", "margin", "label_quality"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.slow
def test_a_running_run_stops_within_ten_seconds_of_being_told(
    digits: str,
    queue_run: QueueRun,
    run_row: RunRow,
    database: Database,
    owner: str,
    start_worker: StartWorker,
    settings: Settings,
) -> None:
    run_id = queue_run(digits, epochs=300)
    start_worker()
    wait_until(lambda: (run_row(run_id).progress.get("epoch") or 0) >= 1, 60)
    with database.transaction() as session:
        runs.request_stop(session, owner, run_id)
    wait_until(lambda: run_row(run_id).status == "cancelled", 10)
    wait_until(lambda: not list((settings.data / "scratch").glob("run-*")), 5)


@pytest.mark.slow
def test_a_worker_that_leaves_in_good_order_gives_its_run_back_and_a_rotten_checkpoint_is_left_out(
    digits: str, queue_run: QueueRun, run_row: RunRow, start_worker: StartWorker, artifacts: Artifacts
) -> None:
    run_id = queue_run(digits, epochs=300)
    first = start_worker()
    wait_until(lambda: (run_row(run_id).progress.get("epoch") or 0) >= 1, 60)
    first.terminate()
    first.wait(15)
    run = run_row(run_id)
    assert (run.status, run.starts, run.claim_id) == ("running", 0, None)
    reached = run.progress["epoch"]
    newest = max(key for key in artifacts.list(f"runs/{run_id}/checkpoint/") if key.endswith(".safetensors"))
    _rot(artifacts, newest)
    start_worker()
    wait_until(lambda: (run_row(run_id).progress.get("epoch") or 0) > reached, 90)
    run = run_row(run_id)
    assert run.starts == 1
    said = [line["text"] for line in run.progress["log"]]
    assert "A stored checkpoint was damaged and is left out" in said
    wait_until(lambda: not artifacts.exists(newest) or artifacts.state(newest) == "whole", 10)
