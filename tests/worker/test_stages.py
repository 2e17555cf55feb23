"""What a run stores, when its worker stands still while it stores and another has taken the run over meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from backend.audit.errors import ClaimLost
from backend.settings import Settings
from backend.store import claims, datasets, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset, Result, Run
from tests.worker.standing import Standing, damaged
from worker.claimed import Claimed
from worker.execute import Training
from worker.stages import Findings, Layout, Stages
from worker.training.checkpoint import Checkpoint, newest, save
from worker.training.tracking import Tracked, write_epoch

SAMPLES = 20
PUTS = 8
"""Four files, each with its seal before it."""

Take = Callable[[str], tuple[Claimed, Run]]


@pytest.fixture
def take(database: Database, owner: str) -> Take:
    """Takes one run under the given claim, whoever had it."""
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "twenty", {"kind": "folder"}).id
        claims.claim(session, Dataset, dataset, "import", 5)
        claims.finish(session, Dataset, dataset, "import", "ready", sample_count=SAMPLES)
        run_id = runs.create(session, owner, dataset, "fast", {}, 0).id

    def take(claim: str) -> tuple[Claimed, Run]:
        with database.transaction() as session:
            run = claims.claim(session, Run, run_id, claim, 100)
            assert run is not None
            session.expunge(run)
        return Claimed(database, Run, run_id, claim), run

    return take


def _publish(stages: Stages, loss: float) -> None:
    """Results in which every number is `loss`, where it may be."""
    half_N = np.full(SAMPLES, 0.5)
    findings = Findings(
        noise_posterior_N=half_N,
        flagged_N=half_N > 1,
        suggested_label_N=np.zeros(SAMPLES, np.int64),
        loss_N=np.full(SAMPLES, loss, np.float32),
        margin_N=half_N.astype(np.float32),
        label_quality_N=half_N.astype(np.float32),
        predicted_probability_NC=np.full((SAMPLES, 2), 0.5),
        scores={"loss": np.full(SAMPLES, loss)},
    )
    feature_NF = np.full((SAMPLES, 3), loss, np.float32)
    layout = Layout(feature_NF, feature_NF[:, :2], np.zeros((SAMPLES, 2), np.int32), "nothing")
    stages.directory.mkdir()
    stages.publish(findings, layout, np.zeros(SAMPLES, np.int64), stages.directory, {}, epochs=1)


@pytest.mark.parametrize("at", range(PUTS))
def test_results_are_the_successors_wherever_its_forerunner_stood_still(
    settings: Settings, database: Database, artifacts: Artifacts, tmp_path: Path, take: Take, at: int
) -> None:
    standing = Standing(settings.data, at)
    old = Stages(settings, Artifacts(standing), *take("old"), tmp_path / "old")
    with ThreadPoolExecutor(1) as thread:
        paused = thread.submit(_publish, old, 1.0)
        standing.wait(paused)
        _publish(Stages(settings, artifacts, *take("new"), tmp_path / "new"), 2.0)
        standing.go_on()
        with pytest.raises(ClaimLost):
            paused.result(60)
    with database.transaction() as session:
        run = runs.load(session, old.run_id)
        assert set(session.scalars(select(Result.loss).where(Result.run_id == run.id))) == {2.0}
    assert (np.load(io.BytesIO(artifacts.get(f"{runs.place(run)}/features.npy"))) == 2).all()
    assert damaged(artifacts, runs.place(run)) == []


def _trained(training: Training, epochs: int) -> None:
    """Leaves the checkpoints of a training, as if after so many epochs; each mirrored."""
    folder = training.directory / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    begun = newest(folder)
    history: list[str] = list(begun.document["history"]) if begun else []
    for epoch in range(len(history) + 1, epochs + 1):
        loss_N = np.zeros(SAMPLES, np.float32)
        history.append(write_epoch(folder, epoch, Tracked(loss_N, loss_N, np.zeros(SAMPLES, int))))
        save(folder, Checkpoint(epoch, {"weights": np.full(5, float(epoch))}, {"history": history}))
        training.mirror_checkpoint()


def _reached(training: Training) -> int:
    """After which epoch this start would go on."""
    training.fetch_checkpoints()
    found = newest(training.directory / "checkpoint")
    return found.epoch if found else 0


@pytest.mark.parametrize("at", range(6))
def test_checkpoints_of_the_successor_outlive_a_forerunner_that_stood_still(
    settings: Settings, artifacts: Artifacts, tmp_path: Path, take: Take, at: int
) -> None:
    first = Training(settings, artifacts, *take("first"), tmp_path / "first")
    _trained(first, 2)
    standing = Standing(settings.data, at)
    old = Training(settings, Artifacts(standing), *take("old"), tmp_path / "old")
    assert _reached(old) == 2
    with ThreadPoolExecutor(1) as thread:
        paused = thread.submit(_trained, old, 3)
        standing.wait(paused)
        new = Training(settings, artifacts, *take("new"), tmp_path / "new")
        assert _reached(new) == 2
        _trained(new, 9)
        standing.go_on()
        paused.result(60)
    assert damaged(artifacts, new.mirror) == []
    assert _reached(Training(settings, artifacts, *take("next"), tmp_path / "next")) == 9
