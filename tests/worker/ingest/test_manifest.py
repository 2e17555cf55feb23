"""What the columns of a table are for is guessed, said, and can be corrected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest.written import as_folder, as_zip, digits, png, table
from worker.ingest import Recognised, Refusal
from worker.ingest.writing import Imported

Bring = Callable[..., Imported]
Open = Callable[..., Recognised]
DATA = digits(12)
IMAGES = {f"images/{place:03d}.png": png(image) for place, image in enumerate(DATA.image)}


def rows(**columns: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{name: value(place) for name, value in columns.items()} for place in range(12)]


def beside(at: Path, content: list[dict[str, Any]], name: str = "labels.csv") -> Path:
    return as_folder(at, {**IMAGES, name: table(content, name.rsplit(".", 1)[-1])})


@pytest.mark.parametrize(
    "cell",
    [
        lambda place: f"images/{place:03d}.png",
        lambda place: f"./images/{place:03d}.png",
        lambda place: f"{place:03d}.png",
        lambda place: f"{place:03d}",
        lambda place: f"/home/me/data/images/{place:03d}.png",
        lambda place: f"images\\{place:03d}.png",
    ],
    ids=["path", "dot", "name", "stem", "absolute", "backslash"],
)
def test_an_image_is_found_by_whatever_the_table_calls_it(
    cell: Callable[[int], str], tmp_path: Path, bring: Bring
) -> None:
    path = beside(tmp_path / "x", rows(id=lambda n: n * 7, where=cell, kind=lambda n: "ab"[n % 2]))

    imported = bring(path, columns={"label": "kind"})

    assert imported.names == list(IMAGES)
    assert imported.report["columns"] == {"image": "where", "label": "kind"}


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        (("file_name", "label"), {"image": "file_name", "label": "label"}),
        (("Image Path", "Class Name"), {"image": "Image Path", "label": "Class Name"}),
        (("path", "species"), {"image": "path", "label": "species"}),
        (("path", "anything"), {"image": "path", "label": "anything"}),
    ],
)
def test_usual_names_are_known_and_a_single_other_column_is_the_label(
    columns: tuple[str, str], chosen: dict[str, str], tmp_path: Path, bring: Bring
) -> None:
    image, label = columns
    made = rows(**{image: lambda n: f"{n:03d}.png", label: lambda n: "ab"[n % 2]})

    imported = bring(beside(tmp_path / "x", made))

    assert imported.report["columns"] == chosen
    assert f"“{label}”" in imported.report["reason"]


def test_splits_true_labels_and_annotators_come_along(tmp_path: Path, bring: Bring) -> None:
    made = rows(
        image=lambda n: f"{n:03d}.png",
        label=lambda n: "ab"[n % 2],
        true_label=lambda n: "a" if n else None,
        split=lambda n: ("train", "validation", "TEST")[n % 3],
        annotator_1=lambda n: "abc"[n % 3],
        annotator_2=lambda n: None if n % 4 else "b",
    )

    imported = bring(beside(tmp_path / "x", made, "table.jsonl"), split="all")

    assert imported.report["table_format"] == "jsonl"
    assert imported.classes == ["a", "b", "c"]
    assert imported.split == ["train"] * 4 + ["val"] * 4 + ["test"] * 4
    order = [int(name[7:10]) for name in imported.names]
    assert imported.true_label_N is not None
    assert imported.true_label_N.tolist() == [0 if n else -1 for n in order]
    assert imported.annotators == ["annotator_1", "annotator_2"]
    assert imported.annotation_NA.tolist() == [[n % 3, -1 if n % 4 else 1] for n in order]


def test_without_a_label_what_most_annotators_say_counts(tmp_path: Path, bring: Bring) -> None:
    made = rows(
        image=lambda n: f"{n:03d}.png",
        rater1=lambda n: "ab"[n % 2],
        rater2=lambda n: "c",
        rater3=lambda n: "ab"[n % 2],
    )

    imported = bring(beside(tmp_path / "x", made))

    assert [imported.classes[label] for label in imported.given_label_N] == [*"ab" * 6]
    assert "what most annotators say" in imported.report["reason"]


def test_a_wish_stands_before_a_guess(tmp_path: Path, bring: Bring) -> None:
    made = rows(image=lambda n: f"{n:03d}.png", label=lambda n: "ab"[n % 2], better=lambda n: "cd"[n % 2])

    imported = bring(
        beside(tmp_path / "x", made), columns={"label": "better", "true_label": "label", "split": ""}
    )

    assert imported.report["columns"] == {"image": "image", "label": "better", "true_label": "label"}
    assert imported.classes == ["a", "b", "c", "d"]


def test_a_column_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, open_source: Open, limits: Limits
) -> None:
    path = beside(tmp_path / "x", rows(image=lambda n: f"{n:03d}.png", label=lambda n: "ab"[n % 2]))

    for columns in ({"label": "lable"}, {"colour": "label"}):
        with pytest.raises(BadInput) as caught:
            open_source(path, columns=columns, limits=limits)
        assert caught.value.code == "COLUMN_UNKNOWN"
    assert open_source(path, columns={"label": "label"}, limits=limits).total == 12


def test_whole_numbers_that_pandas_wrote_as_floats_are_whole(tmp_path: Path, bring: Bring) -> None:
    made = rows(image=lambda n: f"{n:03d}.png", label=lambda n: float(n % 2) if n else None)

    imported = bring(beside(tmp_path / "x", made))

    assert imported.classes == ["0", "1"]
    assert imported.report["unreadable_count"] == 1


def test_labels_that_look_like_formulas_are_labels(tmp_path: Path, bring: Bring) -> None:
    made = rows(image=lambda n: f"{n:03d}.png", label=lambda n: ("=1+1", "@x")[n % 2])

    assert bring(beside(tmp_path / "x", made)).classes == ["=1+1", "@x"]


def test_a_table_for_each_split_names_it(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    content = rows(image=lambda n: f"{n:03d}.png", label=lambda n: "ab"[n % 2])
    path = as_zip(
        tmp_path / "x.zip",
        {**IMAGES, "train.csv": table(content[:8], "csv"), "test.csv": table(content[8:], "csv")},
    )

    assert open_source(path, split="all", limits=limits).splits == {"train": 8, "test": 4}


def test_notes_beside_class_folders_are_no_manifest(
    tmp_path: Path, open_source: Open, limits: Limits
) -> None:
    folders = {f"{'ab'[place % 2]}/{place}.png": png(image) for place, image in enumerate(DATA.image)}
    for name, notes in {
        "results.csv": b"epoch,loss\n1,0.3\n",
        "broken.csv": b'a,b\n"1,2\n',
        "x.jsonl": b"{",
    }.items():
        path = as_folder(tmp_path / name, {**folders, name: notes})
        assert open_source(path, limits=limits).format == "class-folder"


def test_an_image_that_two_files_could_be_is_none(tmp_path: Path, open_source: Open, limits: Limits) -> None:
    members = {f"{folder}/{name}": data for folder in ("x", "y") for name, data in IMAGES.items()}
    content = [
        *rows(image=lambda n: f"x/images/{n:03d}.png", label=lambda n: "ab"[n % 2]),
        {"image": "003.png", "label": "a"},
    ]
    path = as_zip(tmp_path / "x.zip", {**members, "labels.csv": table(content, "csv")})

    items = list(open_source(path, limits=limits).entries())

    assert Refusal("003.png", "IMAGE_MISSING", "The image of this row is not there.") in items
