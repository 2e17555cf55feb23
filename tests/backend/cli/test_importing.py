"""The command line, the API and the importer know the same formats and uses of columns; what was seen is said."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from backend.api.schemas.words import ColumnUse, ImportFormat
from backend.cli.importing import Format, show_preflight
from worker.ingest.opening import FORMATS
from worker.ingest.source import COLUMNS

REPORT: dict[str, Any] = {
    "recognised": "manifest",
    "reason": "a zip with images and a table (x[1].csv)",
    "splits": {"test": 2, "train": 10},
    "classes": ["cat", "dog"],
    "counts": {"train": {"cat": 7, "dog": 3}, "test": {"cat": 2}},
    "columns": {"chosen": {"image": "file", "label": "kind"}, "candidates": {}},
    "readable": {"looked_at": 12, "unreadable": 1},
    "unreadable": [{"item": "1.png", "code": "IMAGE_CORRUPT", "message": "The image is damaged."}],
    "unreadable_count": 1,
    "duplicates": {"images": 3, "compared": 5, "complete": False},
    "warnings": [{"code": "X", "message": "A class is small."}],
}


def test_every_format_has_its_word_everywhere() -> None:
    assert set(get_args(ImportFormat)) == {"auto", *FORMATS} == {format.value for format in Format}
    assert get_args(ColumnUse) == COLUMNS


def test_what_was_seen_is_said_for_the_split_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    show_preflight(REPORT, "train")
    said = capsys.readouterr().err
    assert "manifest: a zip with images and a table (x[1].csv)" in said
    assert "10 train, 2 test; taken: train" in said
    assert "10 images in 2 classes: cat 7, dog 3." in said
    assert "image=file, label=kind" in said
    assert "1.png: IMAGE_CORRUPT" in said
    assert "among the first 5" in said
    assert "A class is small." in said
    show_preflight(REPORT, "all")
    assert "12 images in 2 classes: cat 9, dog 3." in capsys.readouterr().err
