"""Checkpoints: the two newest are kept, and a damaged newest gives way to the one before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.training.checkpoint import Checkpoint, newest, save
from worker.training.tracking import Tracked, file_name, load_history, write_epoch


def tracked(epoch: int) -> Tracked:
    rng = np.random.default_rng(epoch)
    return Tracked(
        rng.random(5).astype(np.float32), rng.normal(size=5).astype(np.float32), rng.integers(0, 300, 5)
    )


def filled(directory: Path, epochs: int) -> Path:
    history: list[str] = []
    for epoch in range(1, epochs + 1):
        history.append(write_epoch(directory, epoch, tracked(epoch)))
        save(
            directory,
            Checkpoint(epoch, {"weights": np.full(4, float(epoch))}, {"history": history, "seed": 3}),
        )
    return directory


def test_an_empty_folder_has_no_checkpoint_and_no_history(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    assert load_history(tmp_path).loss_EN.shape == (0, 0)


def test_the_newest_comes_back_and_two_are_kept(tmp_path: Path) -> None:
    found = newest(filled(tmp_path, 4))
    assert found is not None
    assert found.epoch == 4
    assert found.document["seed"] == 3
    assert (found.arrays["weights"] == 4.0).all()
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == [
        "checkpoint-00003.json",
        "checkpoint-00003.safetensors",
        "checkpoint-00004.json",
        "checkpoint-00004.safetensors",
    ]


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "empty"])
def test_a_damaged_newest_gives_way_to_the_one_before(tmp_path: Path, suffix: str, damage: str) -> None:
    path = filled(tmp_path, 3) / f"checkpoint-00003{suffix}"
    content = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        middle = content.index(b"seed") if suffix == ".json" else len(content) - 3
        path.write_bytes(content[:middle] + b"\xff" + content[middle + 1 :])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    found = newest(tmp_path)
    assert found is not None
    assert found.epoch == 2


def test_a_damaged_tracked_epoch_takes_back_every_checkpoint_after_it(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    (tmp_path / file_name(3)).write_bytes(b"")
    found = newest(tmp_path)
    assert found is not None
    assert found.epoch == 2
    (tmp_path / file_name(1)).unlink()
    assert newest(tmp_path) is None


def test_the_history_holds_every_epoch_by_sample_index(tmp_path: Path) -> None:
    history = load_history(filled(tmp_path, 3))
    assert history.loss_EN.shape == history.margin_EN.shape == history.prediction_EN.shape == (3, 5)
    for epoch in (1, 2, 3):
        np.testing.assert_array_equal(history.loss_EN[epoch - 1], tracked(epoch).loss_N.astype(np.float16))
        np.testing.assert_array_equal(history.prediction_EN[epoch - 1], tracked(epoch).prediction_N)


def test_a_loss_beyond_half_precision_stays_finite(tmp_path: Path) -> None:
    huge = np.array([1e9, 1.0], dtype=np.float32)
    write_epoch(tmp_path, 1, Tracked(huge, -huge, np.array([0, 1])))
    history = load_history(tmp_path)
    assert history.loss_EN[0, 0] == np.float16(65504)
    assert history.margin_EN[0, 0] == np.float16(-65504)
