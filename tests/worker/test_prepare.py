"""A dataset goes from its source to stored images and rows, or leaves nothing behind."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.audit.errors import ClaimLost
from backend.settings import Settings
from backend.store import annotators, claims, datasets, uploads
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.packs import Pack
from backend.store.tables import Dataset
from noise_audit.digest import of_file
from tests.bucket import new_bucket, s3_environment, s3_server
from tests.worker.ingest.written import as_zip, png, table
from tests.worker.ingest.written import digits as labelled_digits
from tests.worker.standing import Standing, damaged
from worker import prepare
from worker.claimed import Claimed

Prepare = Callable[..., Dataset]


def class_folders(classes: dict[str, int]) -> bytes:
    """A zip of class folders with so many small images each."""
    packed = io.BytesIO()
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, count in classes.items():
            for number in range(count):
                png = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).save(png, "PNG")
                archive.writestr(f"pets/{name}/{number}.png", png.getvalue())
    return packed.getvalue()


def test_an_uploaded_zip_becomes_a_dataset_and_the_upload_goes(
    prepared: Prepare, artifacts: Artifacts
) -> None:
    artifacts.put("uploads/u1", class_folders({"cat": 5, "dog": 4}))
    dataset = prepared({"kind": "upload", "upload_id": "u1", "filename": "pets.zip"})
    assert dataset.status == "ready", dataset.error
    assert (dataset.classes, dataset.class_counts, dataset.sample_count) == (["cat", "dog"], [5, 4], 9)
    assert dataset.image_shape == [12, 10, 3]
    prefix = f"datasets/{dataset.id}/"
    assert {key.removeprefix(prefix) for key in artifacts.list(prefix)} == {
        "images.pack",
        "images.offsets.npy",
        "thumbs.pack",
        "thumbs.offsets.npy",
        "pixels.npy",
    }
    assert not artifacts.exists("uploads/u1")


def test_a_file_that_is_no_archive_is_refused_in_words_and_leaves_nothing(
    prepared: Prepare, artifacts: Artifacts, settings: Settings
) -> None:
    artifacts.put("uploads/u2", b"this is a text")
    dataset = prepared({"kind": "upload", "upload_id": "u2", "filename": "../../pets.zip"})
    assert dataset.status == "failed"
    assert dataset.error is not None
    assert dataset.error["code"] == "ARCHIVE_UNREADABLE"
    assert list(artifacts.list(f"datasets/{dataset.id}/")) == []
    assert list((settings.data / "scratch").iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_an_upload_that_rotted_where_it_is_stored_is_refused_in_words(
    kind: str,
    prepared: Prepare,
    database: Database,
    owner: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        if kind == "s3":
            address = stack.enter_context(s3_server())
            place = {"NOISE_AUDIT_ARTIFACTS": f"s3://{new_bucket(address)}/here", **s3_environment(address)}
            for name, value in place.items():
                monkeypatch.setenv(name, value)
        now = Settings()
        store = Artifacts.open(now.artifacts, now.data)
        data = class_folders({"cat": 5, "dog": 4})
        (tmp_path / "arrived").write_bytes(data)
        rotten = data[:700] + bytes([data[700] ^ 1]) + data[701:]
        for upload_id, there in (("whole", data), ("rotten", rotten)):
            store.objects.put(f"uploads/{upload_id}", there)
            with database.transaction() as session:
                digest = of_file(tmp_path / "arrived")
                uploads.record(session, owner, upload_id, "pets.zip", len(data), digest)
        source = {"kind": "upload", "filename": "pets.zip"}
        assert prepared({**source, "upload_id": "whole"}).status == "ready"
        dataset = prepared({**source, "upload_id": "rotten"})
    assert dataset.error is not None
    assert (dataset.status, dataset.error["code"]) == ("failed", "UPLOAD_CORRUPT")


def test_a_folder_of_the_server_is_read_where_it_lies(prepared: Prepare, tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    with zipfile.ZipFile(io.BytesIO(class_folders({"cat": 2, "dog": 3}))) as archive:
        for name in archive.namelist():
            target = folder / name.removeprefix("pets/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
    dataset = prepared({"kind": "folder", "path": str(folder)})
    assert dataset.status == "ready", dataset.error
    assert dataset.class_counts == [2, 3]
    assert len(list(folder.rglob("*.png"))) == 5


@pytest.mark.parametrize("at", [0, 3, 9])
def test_images_are_the_successors_wherever_its_forerunner_stood_still(
    settings: Settings, database: Database, owner: str, artifacts: Artifacts, tmp_path: Path, at: int
) -> None:
    folder = tmp_path / "pets"
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        Image.new("L", (12, 10), 90).save(folder / name / "0.png")
    with database.transaction() as session:
        dataset_id = datasets.create(session, owner, "pets", {"kind": "folder", "path": str(folder)}).id

    def come(store: Artifacts, claim: str, grey: int) -> None:
        Image.new("L", (12, 10), grey).save(folder / "cat" / "1.png")
        with database.transaction() as session:
            row = claims.claim(session, Dataset, dataset_id, claim, 5)
            session.expunge(row)
        assert row is not None
        prepare.prepare(settings, store, Claimed(database, Dataset, dataset_id, claim), row)

    standing = Standing(settings.data, at)
    with ThreadPoolExecutor(1) as thread:
        paused = thread.submit(come, Artifacts(standing), "old", 1)
        standing.wait(paused)
        come(artifacts, "new", 200)
        standing.go_on()
        with pytest.raises(ClaimLost):
            paused.result(60)
    with database.transaction() as session:
        content = f"datasets/{datasets.load(session, dataset_id).content_id}"
    images = Pack(artifacts, f"{content}/images")
    assert (folder / "cat" / "1.png").read_bytes() in [images.read(index) for index in range(3)]
    assert damaged(artifacts, content) == []


def test_splits_true_labels_and_annotations_are_kept_with_their_samples(
    prepared: Prepare, artifacts: Artifacts, database: Database, tmp_path: Path
) -> None:
    data = labelled_digits(12)
    images = {f"{place:02d}.png": png(image) for place, image in enumerate(data.image)}
    rows = [
        {
            "image": name,
            "label": "ab"[place % 2],
            "true_label": None if place == 11 else "a",
            "split": data.split[place],
            "rater_1": "a",
            "rater_2": "b" if place else None,
        }
        for place, name in enumerate(images)
    ]
    artifacts.put("uploads/u3", as_zip(tmp_path / "x.zip", {**images, "table.csv": table(rows, "csv")}))

    dataset = prepared({"kind": "upload", "upload_id": "u3", "filename": "x.zip", "split": "all"})

    assert dataset.status == "ready", dataset.error
    assert dataset.report["annotators"] == ["rater_1", "rater_2"]
    assert not dataset.has_true_labels  # of one sample it is not known
    with database.transaction() as session:
        samples = datasets.samples(session, dataset.id)
        last = datasets.sample(session, dataset.id, samples.names.index("11.png"))
        assert (last.true_label, last.split) == (None, "test")
    order = [int(name[:2]) for name in samples.names]
    assert samples.split == [data.split[place] for place in order]
    kept = annotators.load(artifacts, dataset.id, annotators.version_of(dataset) or "")
    assert kept.annotators == ["rater_1", "rater_2"]
    np.testing.assert_array_equal(kept.label_NA[:, 1], [1 if place else -1 for place in order])
    derived = prepared(
        {"kind": "injection", "noise": "symmetric", "rate": 0.2, "matrix": None, "seed": 1},
        parent_id=dataset.id,
    )
    assert derived.status == "ready", derived.error
    with database.transaction() as session:
        assert datasets.samples(session, derived.id).split == samples.split
