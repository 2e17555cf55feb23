"""What an import would give is told beforehand, and agrees with what it then gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.settings import Limits
from tests.worker.ingest.written import as_folder, as_zip, class_folders, digits, manifest, png
from worker.ingest import Cancelled, Recognised
from worker.ingest.preflight import look
from worker.ingest.writing import Imported

Open = Callable[..., Recognised]
DATA = digits(40)


def test_it_agrees_with_the_import(
    tmp_path: Path, open_source: Open, bring: Callable[..., Imported], limits: Limits
) -> None:
    path = as_zip(
        tmp_path / "x.zip", {**manifest(DATA, "csv"), "images/stray.png": b"no image", "notes.md": b"x"}
    )

    report = look(open_source(path, split="all", limits=limits), limits)
    imported = bring(path, split="all")

    for key in (
        "recognised",
        "reason",
        "splits",
        "taken",
        "total",
        "ignored",
        "annotators",
        "unreadable_count",
    ):
        assert report[key] == imported.report[key], key
    assert report["classes"] == imported.classes
    counts = {
        name: sum(labels.get(name, 0) for labels in report["counts"].values()) for name in imported.classes
    }
    assert counts == imported.report["class_counts"]
    assert report["columns"]["chosen"] == imported.report["columns"]
    assert "file_name" in report["columns"]["candidates"]["image"]
    assert report["readable"] == {"looked_at": 40, "unreadable": 0}
    assert report["unreadable"] == imported.report["unreadable"]


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_duplicates_are_told_by_split_and_by_label(
    packed: bool, tmp_path: Path, open_source: Open, limits: Limits
) -> None:
    members = class_folders(DATA)
    first = next(name for name in members if name.startswith("train/zero"))
    members |= {
        "train/zero/again.png": members[first],
        "test/zero/again.png": members[first],
        "train/one/again.png": members[first],
    }
    path = as_zip(tmp_path / "x.zip", members) if packed else as_folder(tmp_path / "x", members)

    found = look(open_source(path, split="all", limits=limits), limits)

    duplicates = found["duplicates"]
    assert (duplicates["images"], duplicates["across_splits"], duplicates["different_labels"]) == (3, 1, 1)
    assert (duplicates["compared"], duplicates["complete"]) == (43, True)
    assert {"zero", "one"} in [set(example["labels"]) for example in duplicates["examples"]]
    assert [warning["code"] for warning in found["warnings"]][:2] == [
        "DUPLICATES_DISAGREE",
        "DUPLICATES_ACROSS_SPLITS",
    ]


def test_a_part_is_said_to_be_a_part(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    path = as_folder(
        tmp_path / "x", {f"{'ab'[n % 2]}/{n}.png": png(image) for n, image in enumerate(DATA.image)}
    )
    seconds = iter(range(1000))

    found = look(open_source(path, limits=limits), limits, clock=lambda: float(next(seconds)))

    assert found["duplicates"]["complete"] is False
    assert 0 < found["duplicates"]["compared"] < 40


def test_images_are_tried_from_first_to_last(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    members = {f"{'ab'[n % 2]}/{n:04d}.png": png(DATA.image[n % 40]) for n in range(300)}
    members["b/0299.png"] = members["b/0299.png"][:-30]

    found = look(open_source(as_zip(tmp_path / "x.zip", members), limits=limits), limits)

    assert found["readable"] == {"looked_at": 96, "unreadable": 1}
    assert [one["code"] for one in found["unreadable"]] == ["IMAGE_CORRUPT"]


def test_small_classes_get_a_word(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    members = {f"{'many' if n else 'few'}/{n}.png": png(image) for n, image in enumerate(DATA.image)}

    found = look(open_source(as_zip(tmp_path / "x.zip", members), limits=limits), limits)

    assert found["warnings"] == [
        {"code": "CLASSES_TOO_FEW", "message": "Fewer than 5 samples have the class “few” (1)."}
    ]


def test_looking_can_be_stopped(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    path = as_zip(tmp_path / "x.zip", class_folders(DATA))

    with pytest.raises(Cancelled):
        look(open_source(path, limits=limits), limits, should_stop=lambda: True)
