"""Epochs that go out beside the next one's steps: in order, durable before they are told, and no error is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from worker.training import train as training
from worker.training.device import chosen_device
from worker.training.publishing import Passed, Publisher
from worker.training.recipes import recipe
from worker.training.reports import EpochReport, Stopped, TrainingData
from worker.training.tracking import Tracked
from worker.training.train import train

SHORT = {"epochs": 4, "width": 4, "batch_size": 64, "precision": "float32"}
PATIENCE = 30.0


def publisher(
    data: TrainingData, folder: Path, on_epoch: Callable[[EpochReport], None], *, beside: bool = True
) -> Publisher:
    return Publisher(
        data, recipe("fast", SHORT), chosen_device("cpu"), folder, on_epoch, {}, [], beside=beside
    )


def passed(data: TrainingData, epoch: int) -> Passed:
    count = len(data.given_label_N)
    loss_N = np.random.default_rng(epoch).gamma(2.0, 0.5, count).astype(np.float32)
    tracked = Tracked(loss_N, loss_N - 1.0, np.zeros(count, dtype=np.int64))
    return Passed(epoch, tracked, 1.0, 0.1, 0.1, 0.1 * epoch, {"weight": torch.ones(2)}, [], 64, [])


def test_the_next_epoch_begins_while_one_goes_out_and_the_one_after_waits(
    few_digits: TrainingData, tmp_path: Path
) -> None:
    told: list[tuple[int, bool]] = []
    may_go_on, second_is_in = threading.Event(), threading.Event()

    def on_epoch(report: EpochReport) -> None:
        told.append((report.epoch, (tmp_path / f"checkpoint-{report.epoch:05d}.json").exists()))
        assert may_go_on.wait(PATIENCE)

    ours = publisher(few_digits, tmp_path, on_epoch)
    ours.add(passed(few_digits, 1))  # returns although its report is held up

    def second() -> None:
        ours.add(passed(few_digits, 2))
        second_is_in.set()

    other = threading.Thread(target=second)
    other.start()
    assert not second_is_in.wait(0.2), "two epochs were under way at once"
    may_go_on.set()
    other.join(PATIENCE)
    ours.wait()
    assert told == [(1, True), (2, True)]


@pytest.mark.parametrize("beside", [False, True])
def test_what_goes_wrong_with_an_epoch_reaches_the_training_once(
    beside: bool, few_digits: TrainingData, tmp_path: Path
) -> None:
    def on_epoch(report: EpochReport) -> None:
        raise OSError("the disk is full")

    ours = publisher(few_digits, tmp_path, on_epoch, beside=beside)

    def both() -> None:
        ours.add(passed(few_digits, 1))
        ours.wait()

    with pytest.raises(OSError, match="disk is full"):
        both()
    ours.wait()


def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings publish beside their steps, as on a GPU."""

    def build(*arguments: Any, **_: Any) -> Publisher:
        return Publisher(*arguments, beside=True)

    monkeypatch.setattr(training, "Publisher", build)


def test_a_training_that_publishes_beside_its_steps_says_the_same(
    few_digits: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: dict[str, list[EpochReport]] = {"plain": [], "beside": []}
    outcomes = {}
    for name, said in reports.items():
        if name == "beside":
            beside(monkeypatch)
        outcomes[name] = train(
            few_digits, recipe("fast", SHORT), seed=0, device="cpu", directory=tmp_path / name, on_epoch=said.append
        )  # fmt: skip
    assert [each.epoch for each in reports["beside"]] == [1, 2, 3, 4]
    assert [each.train_loss for each in reports["beside"]] == [each.train_loss for each in reports["plain"]]
    np.testing.assert_array_equal(outcomes["beside"].loss_N, outcomes["plain"].loss_N)
    last = "checkpoint-00004.safetensors"
    assert (tmp_path / "beside" / last).read_bytes() == (tmp_path / "plain" / last).read_bytes()


def test_a_stopped_training_leaves_its_last_whole_epoch_although_that_is_still_going_out(
    few_digits: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(monkeypatch)
    seen, stop = list[int](), threading.Event()

    def on_epoch(report: EpochReport) -> None:
        if report.epoch == 2:
            stop.set()
            time.sleep(0.1)  # the training hears of the stop while this epoch is still going out
        seen.append(report.epoch)

    with pytest.raises(Stopped):
        train(
            few_digits, recipe("fast", SHORT), seed=0, device="cpu", directory=tmp_path, on_epoch=on_epoch,
            should_stop=stop.is_set,
        )  # fmt: skip
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 2
    assert len(list(tmp_path.glob("checkpoint-*.json"))) == 2
