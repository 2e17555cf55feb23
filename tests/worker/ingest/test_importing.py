"""What an import writes and reports, and that it leaves nothing when it fails."""

from __future__ import annotations

import hashlib
import io
import itertools
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import Cancelled
from worker.ingest.decoding import Allowance
from worker.ingest.importing import import_images
from worker.ingest.source import Source
from worker.ingest.writing import Imported

Pack = Callable[..., Path]
Bring = Callable[..., Imported]
Picture = Callable[..., bytes]


def blobs(folder: Path, stem: str) -> list[bytes]:
    data = (folder / f"{stem}.pack").read_bytes()
    offsets = np.load(folder / f"{stem}.offsets.npy")
    assert offsets.dtype == np.int64
    assert offsets[-1] == len(data)
    return [data[begin:end] for begin, end in itertools.pairwise(offsets)]


def png(image_HW: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image_HW).save(out, "PNG")
    return out.getvalue()


def test_digits_come_back_pixel_by_pixel(pack: Pack, bring: Bring, out: Path) -> None:
    digits = load_digits()
    image_NHW = (digits.images * 15).astype(np.uint8)[:300]
    members = {
        f"{label}/{row:04d}.png": png(image)
        for row, (image, label) in enumerate(zip(image_NHW, digits.target[:300], strict=True))
    }

    imported = bring(pack(members))

    row_N = np.array([int(name.split("/")[1][:4]) for name in imported.names])
    assert sorted(row_N.tolist()) == list(range(300))
    assert imported.image_shape == (8, 8, 1)
    pixel_NHWC = np.load(out / "pixels.npy", mmap_mode="r")
    assert pixel_NHWC.dtype == np.uint8
    np.testing.assert_array_equal(pixel_NHWC[:, :, :, 0], image_NHW[row_N])
    assert [imported.classes[label] for label in imported.given_label_N] == [
        str(digits.target[row]) for row in row_N
    ]
    assert blobs(out, "images") == [members[name] for name in imported.names]
    for blob, row in zip(blobs(out, "thumbs"), row_N, strict=True):
        with Image.open(io.BytesIO(blob)) as thumbnail:
            np.testing.assert_array_equal(np.asarray(thumbnail.convert("L")), image_NHW[row])
    assert imported.content_hash == [hashlib.sha256(members[name]).hexdigest() for name in imported.names]
    assert set(imported.width_N) == set(imported.height_N) == {8}
    assert {path.name for path in out.iterdir()} == {
        "images.pack",
        "images.offsets.npy",
        "thumbs.pack",
        "thumbs.offsets.npy",
        "pixels.npy",
    }


def test_images_of_several_sizes_and_kinds_share_one_square(
    picture: Picture, pack: Pack, bring: Bring, out: Path
) -> None:
    members = {
        "a/1.png": picture(1, size=(30, 20)),
        "a/2.png": picture(2, mode="L", size=(8, 8)),
        "b/1.jpg": picture(3, size=(300, 200), format="JPEG"),
        "b/2.png": picture(4, size=(64, 64)),
    }

    imported = bring(pack(members))

    pixel_NHWC = np.load(out / "pixels.npy")
    assert pixel_NHWC.shape == (4, 64, 64, 3)
    assert imported.image_shape == (64, 64, 3)
    rows = {name: row for row, name in enumerate(imported.names)}
    grey_HWC = pixel_NHWC[rows["a/2.png"]]
    assert (grey_HWC == grey_HWC[:, :, :1]).all()
    assert grey_HWC.std() > 10
    with Image.open(io.BytesIO(members["b/2.png"])) as same_size:
        np.testing.assert_array_equal(pixel_NHWC[rows["b/2.png"]], np.asarray(same_size))
    assert imported.width_N[rows["b/1.jpg"]] == 300
    assert imported.height_N[rows["b/1.jpg"]] == 200
    assert imported.report["conversions"] == {"grey": 1}


def test_images_of_one_large_size_are_fitted(picture: Picture, pack: Pack, bring: Bring) -> None:
    members = {f"{label}/{n}.png": picture(n, size=(65, 40)) for n, label in enumerate("abab")}

    assert bring(pack(members)).image_shape == (64, 64, 3)


def test_unreadable_images_are_listed_and_the_rest_is_kept(
    two_classes: dict[str, bytes], picture: Picture, pack: Pack, bring: Bring, out: Path
) -> None:
    jpeg = picture(9, size=(80, 80), format="JPEG")
    members = {
        **two_classes,
        "cat/cut.jpg": jpeg[: len(jpeg) // 2],
        "dog/page.jpg": b"<!doctype html><p>hello",
        "dog/copy.png": two_classes["dog/1.png"],
    }

    imported = bring(pack(members))

    assert {(one["item"], one["code"]) for one in imported.report["unreadable"]} == {
        ("cat/cut.jpg", "IMAGE_CORRUPT"),
        ("dog/page.jpg", "IMAGE_FORMAT"),
    }
    assert all(one["message"] for one in imported.report["unreadable"])
    assert (imported.report["total"], imported.report["imported"], imported.report["unreadable_count"]) == (
        7,
        5,
        2,
    )
    assert imported.report["duplicates"] == 1
    assert imported.report["class_counts"] == {"cat": 2, "dog": 3}
    assert len(blobs(out, "images")) == len(np.load(out / "pixels.npy")) == 5


def test_all_or_nothing_refuses_the_whole_for_one_unreadable_image(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        bring(pack({**two_classes, "cat/3.jpg": b"no image"}), all_or_nothing=True)

    assert (caught.value.code, caught.value.item) == ("IMAGE_FORMAT", "cat/3.jpg")
    assert not list(out.iterdir())


def test_a_long_list_of_unreadable_images_is_cut_and_counted(
    pack: Pack, picture: Picture, bring: Bring
) -> None:
    members = {f"{label}/{n}.png": b"no" if n > 1 else picture(n) for label in "ab" for n in range(600)}

    report = bring(pack(members)).report

    assert (len(report["unreadable"]), report["unreadable_count"]) == (1000, 1196)


@pytest.mark.parametrize(
    ("good", "bad"),
    [(["a/1.png", "a/2.png"], ["b/1.png"]), (["a/1.png", "b/1.png"], []), ([], ["a/1.png", "b/1.png"])],
)
def test_too_few_readable_images_are_refused(
    good: list[str], bad: list[str], picture: Picture, pack: Pack, bring: Bring, out: Path
) -> None:
    members = {name: picture(place) for place, name in enumerate(good)} | dict.fromkeys(bad, b"no image")

    with pytest.raises(BadInput) as caught:
        bring(pack(members))

    assert caught.value.code == "TOO_FEW"
    assert caught.value.item == (bad[0] if bad else None)
    assert not list(out.iterdir())


def test_a_limit_takes_a_prefix_of_the_whole(picture: Picture, pack: Pack, bring: Bring) -> None:
    path = pack({f"{label}/{n}.png": picture(n) for label in "abc" for n in range(7)})

    whole, part = bring(path), bring(path, limit=9)

    assert part.names == whole.names[:9]
    assert np.bincount(part.given_label_N).tolist() == [3, 3, 3]
    assert (part.report["total"], part.report["imported"]) == (21, 9)


def test_progress_ends_at_the_number_of_entries(picture: Picture, pack: Pack, bring: Bring) -> None:
    told: list[tuple[int, int]] = []
    members = {f"{label}/{n}.png": picture(n) for label in "ab" for n in range(150)}

    bring(pack(members), progress=lambda done, total: told.append((done, total)), limit=260)

    assert told[-1] == (260, 260)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {260}


def test_a_cancelled_import_leaves_nothing(
    open_source: Callable[..., Source], picture: Picture, pack: Pack, out: Path, limits: Limits
) -> None:
    source = open_source(
        pack({f"{label}/{n}.png": picture(n) for label in "ab" for n in range(400)}), limits=limits
    )
    told: list[int] = []

    with pytest.raises(Cancelled):
        import_images(
            source,
            out,
            limits=limits,
            progress=lambda done, total: told.append(done),
            should_stop=lambda: bool(told),
        )

    assert max(told) < 800
    assert not list(out.iterdir())


def test_a_cancelled_import_does_not_wait_for_a_slow_image(
    open_source: Callable[..., Source],
    two_classes: dict[str, bytes],
    picture: Picture,
    pack: Pack,
    out: Path,
    limits: Limits,
) -> None:
    data = picture(size=(2000, 2000), format="JPEG", progressive=True, quality=20)
    scan = data[data.rindex(b"\xff\xda") : -2]
    slow = data[:-2] + scan * (40_000_000 // len(scan)) + data[-2:]
    told: list[int] = []

    with pytest.raises(Cancelled):
        import_images(
            open_source(pack({**two_classes, "cat/slow.jpg": slow}, method=0), limits=limits),
            out,
            limits=limits,
            progress=lambda done, total: told.append(done),
            should_stop=lambda: len(told) > 1,
            allowance=Allowance(image_pixels=limits.image_pixels, cpu_seconds=1000, wall_seconds=1000),
        )


def test_what_was_in_the_folder_before_stays(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    out.mkdir()
    (out / "note").write_text("mine")

    with pytest.raises(BadInput):
        bring(pack({**two_classes, "cat/3.png": b""}), all_or_nothing=True)

    assert [path.name for path in out.iterdir()] == ["note"]


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.joblib", "images.zip"])
def test_pickles_are_refused_by_name_and_by_content(
    open_source: Callable[..., Source], name: str, tmp_path: Path, limits: Limits
) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"images": [1, 2, 3]}))

    with pytest.raises(BadInput) as caught:
        open_source(tmp_path / name, limits=limits)

    assert caught.value.code == "PICKLE_REFUSED"


def test_what_holds_no_dataset_says_what_one_looks_like(
    open_source: Callable[..., Source], pack: Pack, limits: Limits, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for path in (pack({"notes/readme.txt": b"hello"}), tmp_path / "empty"):
        with pytest.raises(BadInput) as caught:
            open_source(path, limits=limits)
        assert caught.value.code == "NOTHING_RECOGNISED"
        assert "cat/1.jpg" in caught.value.hint


def test_a_stated_format_is_held_to(
    open_source: Callable[..., Source], two_classes: dict[str, bytes], pack: Pack, limits: Limits
) -> None:
    path = pack(two_classes)

    assert open_source(path, format="class-folder", limits=limits).format == "class-folder"
    for format, code in (("parquet", "NOTHING_RECOGNISED"), ("tfrecord", "FORMAT_UNKNOWN")):
        with pytest.raises(BadInput) as caught:
            open_source(path, format=format, limits=limits)
        assert caught.value.code == code


def test_a_path_that_is_not_there_is_refused(
    open_source: Callable[..., Source], tmp_path: Path, limits: Limits
) -> None:
    with pytest.raises(BadInput) as caught:
        open_source(tmp_path / "nothing.zip", limits=limits)

    assert (caught.value.code, caught.value.item) == ("FILE_UNREADABLE", "nothing.zip")
