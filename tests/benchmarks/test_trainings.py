"""Trainings are recorded once, by name, with what judging them needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.noise import own_cases
from benchmarks.trainings import given_labels, main


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two kinds of images, dark and bright, of which the first eight belong to no training here."""
    rng = np.random.default_rng(0)
    label_N = np.arange(88) % 2
    image_NHWC = (rng.integers(0, 100, (88, 8, 8, 1)) + 150 * label_N[:, None, None, None]).astype(np.uint8)
    np.savez(tmp_path / "images.npz", image=image_NHWC, true_label=label_N)
    (tmp_path / "people.csv").write_text(
        "index,label\n"
        + "".join(f"{index},{(label + (index % 8 == 0)) % 2}\n" for index, label in enumerate(label_N))
    )
    return tmp_path


def test_a_training_is_recorded_once_and_can_be_judged(images: Path) -> None:
    command = [str(images / "images.npz"), "--labels", str(images / "people.csv"), "--first", "8", "--count", "48",
               "--only", "people", "--device", "cpu", "--out", str(images / "out")]  # fmt: skip
    assert main(command) == 0
    assert [path.name for path in (images / "out").iterdir()] == ["people.npz"]
    with np.load(images / "out" / "people.npz") as file:
        kept = dict(file)
    assert (kept["true_label"] == np.arange(48) % 2).all()
    assert np.flatnonzero(kept["given_label"] != kept["true_label"]).tolist() == list(range(0, 48, 8))
    assert np.exp(kept["ranked_log_probability_NC"].astype(float)).sum(axis=1) == pytest.approx(1.0, abs=0.03)
    row_N = np.arange(48)
    own_N = -kept["ranked_log_probability_NC"][row_N, kept["given_label"]].astype(float)
    assert np.corrcoef(own_N, kept["mean_loss_N"].astype(float))[0, 1] > 0.9
    cases = {case.source: case for case in own_cases(images / "out")}
    assert set(cases) == {"predictions", "mean loss", "last loss"}
    assert cases["predictions"].name == "training, people"
    assert cases["predictions"].judge().noise_posterior_N.shape == (48,)
    stamp = (images / "out" / "people.npz").stat().st_mtime_ns
    assert main(command) == 0
    assert (images / "out" / "people.npz").stat().st_mtime_ns == stamp


def test_every_noise_has_its_name_and_its_share_of_wrong_labels() -> None:
    true_N = np.random.default_rng(1).integers(0, 10, 20_000)
    wrong = {name: float((given_N != true_N).mean()) for name, given_N in given_labels(true_N, 0, None, "")}
    assert wrong == pytest.approx(
        {
            **{f"symmetric_{rate:g}": 0.9 * rate for rate in (0.0, 0.02, 0.1, 0.2, 0.4, 0.8)},
            **{f"class-conditional_{rate:g}": rate for rate in (0.1, 0.2, 0.3)},
        },
        abs=0.01,
    )


def test_a_place_without_those_images_is_refused(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(images / "images.npz"), "--first", "88"]) == 2
    assert "no image 88" in capsys.readouterr().err
