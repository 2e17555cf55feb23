"""What leaves in a form and comes in again is the same dataset, and cleaned labels come in as given ones."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from backend.audit.forms import FORMS, Content, FormName, arranged, form_as_delivered, refusal
from backend.audit.forms.content import ending_of
from backend.settings import Limits
from worker.ingest import Wish
from worker.ingest.importing import import_images
from worker.ingest.opening import opened_source
from worker.ingest.writing import Imported

SAMPLES = 60
CLASSES = [f"digit {number}" for number in range(10)]
IMPORTED_AS = {"cifar-binary": "cifar"}
ABOUT = {"format": "noise-audit export 1"}


def digit_png(index: int) -> bytes:
    """A digit of 32 × 32 pixels in colour, as CIFAR's images are."""
    grey_HW = (load_digits().images[index] * 15).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    file = io.BytesIO()
    Image.fromarray(np.stack([grey_HW, 255 - grey_HW, grey_HW // 2], axis=-1)).save(file, "PNG")
    return file.getvalue()


IMAGES = [digit_png(index) for index in range(SAMPLES)]
GIVEN_N = load_digits().target[:SAMPLES]


def content(label_N: np.ndarray[Any, Any] = GIVEN_N, **changed: Any) -> Content:
    """The digits with these cleaned labels; -1 leaves a sample out."""
    index_M = np.flatnonzero(label_N >= 0)
    images = [IMAGES[index] for index in index_M]
    names = [f"{CLASSES[GIVEN_N[index]]}/{index:03d}.png" for index in index_M]
    pixels = [np.asarray(Image.open(io.BytesIO(image))) for image in images]
    whole = Content(
        names=names,
        index_M=index_M,
        label_M=label_N[index_M],
        given_M=GIVEN_N[index_M],
        ending_M=[ending_of(name) or ".png" for name in names],
        bytes_M=np.array([len(image) for image in images]),
        width_M=np.full(len(images), 32),
        height_M=np.full(len(images), 32),
        split_M=None,
        classes=CLASSES,
        read=images.__getitem__,
        pixels=pixels.__getitem__,
        pixel_shape=(32, 32, 3),
        columns={},
        table_format="jsonl",
    )
    return replace(whole, **changed)


def imported(form: FormName, whole: Content, folder: Path) -> tuple[Imported, np.ndarray[Any, Any]]:
    """The form written to a file and read by its importer, which recognises it by itself; and the pixels."""
    archive = arranged(form, whole, ABOUT)
    path = folder / "again.zip"
    path.write_bytes(b"".join(archive.chunks))
    assert archive.length in (None, path.stat().st_size)
    with opened_source(path, wish=Wish("all"), limits=Limits()) as source:
        assert source.format == IMPORTED_AS.get(form, form)
        again = import_images(source, folder / "packed", limits=Limits())
    assert again.report["unreadable_count"] == 0
    return again, np.load(folder / "packed" / "pixels.npy")


def labelled_images(again: Imported, pixel_NHWC: np.ndarray[Any, Any]) -> list[tuple[str, str]]:
    """Of each sample its pixels' hash and its class, in no order."""
    return sorted(
        (hashlib.sha256(pixels.tobytes()).hexdigest(), again.classes[label])
        for pixels, label in zip(pixel_NHWC, again.given_label_N, strict=True)
    )


def expected(whole: Content) -> list[tuple[str, str]]:
    return sorted(
        (hashlib.sha256(whole.pixels(place).tobytes()).hexdigest(), CLASSES[whole.label_M[place]])
        for place in range(len(whole))
    )


@pytest.mark.parametrize("form", FORMS)
def test_an_untouched_dataset_comes_back_as_it_was(form: FormName, tmp_path: Path) -> None:
    whole = content()
    again, pixel_NHWC = imported(form, whole, tmp_path)
    assert again.classes == CLASSES
    assert labelled_images(again, pixel_NHWC) == expected(whole)
    if FORMS[form].images.startswith("as delivered"):
        hashes = {hashlib.sha256(image).hexdigest() for image in IMAGES}
        assert set(again.content_hash) == hashes


@pytest.mark.parametrize("form", FORMS)
def test_cleaned_labels_come_back_as_given_ones_and_removed_samples_do_not(
    form: FormName, tmp_path: Path
) -> None:
    label_N = GIVEN_N.copy()
    label_N[3], label_N[4], label_N[5] = -1, (label_N[4] + 1) % 10, (label_N[5] + 5) % 10
    whole = content(label_N)
    again, pixel_NHWC = imported(form, whole, tmp_path)
    assert len(again.names) == SAMPLES - 1
    assert labelled_images(again, pixel_NHWC) == expected(whole)


@pytest.mark.parametrize("form", ["class-folder", "manifest", "coco", "parquet"])
def test_names_that_were_fine_stay_as_they_are(form: FormName, tmp_path: Path) -> None:
    whole = content()
    again, _ = imported(form, whole, tmp_path)
    assert sorted(name.removeprefix("images/") for name in again.names) == sorted(whole.names)


@pytest.mark.parametrize("form", FORMS)
def test_splits_come_back(form: FormName, tmp_path: Path) -> None:
    split_M = ["test" if index % 3 == 0 else "train" for index in range(SAMPLES)]
    names = [f"{split}/{name}" for split, name in zip(split_M, content().names, strict=True)]
    again, _ = imported(form, content(split_M=split_M, names=names), tmp_path)
    assert again.report["splits"] == {"test": 20, "train": 40}


def test_hostile_and_colliding_names_leave_as_safe_and_different_paths(tmp_path: Path) -> None:
    names = ["../../etc/passwd", "a\x00b.png", "C:\\x.png", "same.png", "SAME.png", "same.png", ".hidden", ""]
    names += [f"{index}.png" for index in range(SAMPLES - len(names))]
    classes = ["..", "a/b", "A/B", ".x", *CLASSES[4:]]
    whole = content(names=names, classes=classes)
    again, _ = imported("class-folder", whole, tmp_path)
    assert len(again.names) == SAMPLES
    assert again.report["ignored"] == 2
    assert len(again.classes) == len({name.casefold() for name in again.classes}) == 10


def test_what_cannot_hold_a_dataset_says_why_and_class_folders_stand_in() -> None:
    large = content(pixel_shape=(64, 64, 3))
    assert refusal("cifar-binary", large) == "only images of 32 × 32 pixels fit"
    assert form_as_delivered("cifar-binary", large) == "class-folder"
    assert form_as_delivered("cifar-binary", content()) == "cifar-binary"
    assert form_as_delivered("something else", content()) == "class-folder"


def test_the_same_state_gives_the_same_bytes() -> None:
    for form in FORMS:
        first, second = (b"".join(arranged(form, content(), ABOUT).chunks) for _ in range(2))
        assert first == second, form
