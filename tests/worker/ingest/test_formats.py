"""The same images come back, pixel by pixel, with label and split, whichever form they were written in."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest import written
from tests.worker.ingest.written import WORDS, Labelled, as_folder, as_tar, as_zip
from worker.ingest import Entry, Wish
from worker.ingest.decoder import decode
from worker.ingest.opening import FORMATS, opened_source
from worker.ingest.writing import Imported

Write = Callable[[Path, Labelled], Path]

FORMS: dict[str, tuple[str, Write]] = {
    "class folders": ("class-folder", lambda at, d: as_folder(at, written.class_folders(d))),
    "class folders in a zip": ("class-folder", lambda at, d: as_zip(at, written.class_folders(d))),
    "class folders in a tar": ("class-folder", lambda at, d: as_tar(at, written.class_folders(d))),
    "class folders in a tar of .": (
        "class-folder",
        lambda at, d: as_tar(at, written.class_folders(d), before="./", mode="w:gz"),
    ),
    "csv": ("manifest", lambda at, d: as_zip(at, written.manifest(d, "csv"))),
    "tsv": ("manifest", lambda at, d: as_folder(at, written.manifest(d, "tsv"))),
    "json lines": ("manifest", lambda at, d: as_tar(at, written.manifest(d, "jsonl"))),
    "parquet table": ("manifest", lambda at, d: as_zip(at, written.manifest(d, "parquet"))),
    "parquet with images": ("parquet", lambda at, d: as_folder(at, written.hugging_face(d))),
    "parquet with images in a tar": ("parquet", lambda at, d: as_tar(at, written.hugging_face(d))),
    "webdataset shards": ("webdataset", lambda at, d: as_folder(at, written.webdataset(d))),
    "webdataset shards in a zip": ("webdataset", lambda at, d: as_zip(at, written.webdataset(d))),
    "webdataset with json": ("webdataset", lambda at, d: as_zip(at, written.webdataset(d, label="json"))),
    "cifar-10 binary": ("cifar", lambda at, d: as_tar(at, written.cifar10_binary(d), mode="w:gz")),
    "cifar-100 binary": ("cifar", lambda at, d: as_tar(at, written.cifar100_binary(d), mode="w:gz")),
    **{
        f"cifar-10 python {protocol}": (
            "cifar",
            lambda at, d, protocol=protocol: as_tar(at, written.cifar10_python(d, protocol), mode="w:gz"),
        )
        for protocol in (2, 4, 5)
    },
    "cifar-100 python": ("cifar", lambda at, d: as_zip(at, written.cifar100_python(d, 2))),
    "idx": ("idx", lambda at, d: as_folder(at, written.idx(d, packed=False))),
    "idx gzipped": ("idx", lambda at, d: as_folder(at, written.idx(d, packed=True))),
    "idx gzipped in a zip": ("idx", lambda at, d: as_zip(at, written.idx(d, packed=True))),
    "npz": ("arrays", lambda at, d: as_zip(at, written.arrays(d))),
    "npz with planes": (
        "arrays",
        lambda at, d: as_zip(at, written.arrays(d, lambda x: x.transpose(0, 3, 1, 2))),
    ),
    "npz of floats": (
        "arrays",
        lambda at, d: as_zip(at, written.arrays(d, lambda x: (x / 255).astype(np.float32))),
    ),
    "npz of one-hot labels": ("arrays", lambda at, d: as_zip(at, one_hot(written.arrays(d)))),
    "emnist": ("idx", lambda at, d: as_folder(at, emnist(d))),
    "npy files": ("arrays", lambda at, d: as_folder(at, written.arrays(d))),
    "coco": ("coco", lambda at, d: as_zip(at, written.coco(d))),
}


def one_hot(members: dict[str, bytes]) -> dict[str, bytes]:
    """The same arrays with a row of zeros and a one for each label."""
    for name in ("y_train.npy", "y_test.npy"):
        label_N1 = np.load(io.BytesIO(members[name]))
        members[name] = written.npy(np.eye(len(WORDS), dtype=np.float32)[label_N1[:, 0]])
    return members


def emnist(data: Labelled) -> dict[str, bytes]:
    """IDX files as EMNIST has them, rows and columns exchanged."""
    turned = replace(data, image=np.ascontiguousarray(data.image.swapaxes(1, 2)))
    members = written.idx(turned, packed=True)
    return {
        f"emnist-digits-{name.replace('t10k', 'test')}" if "ubyte" in name else name: data
        for name, data in members.items()
    }


@pytest.fixture(scope="module")
def data() -> Labelled:
    return written.digits()


def told(entries: Iterator[object]) -> Counter[tuple[bytes, str, str | None]]:
    """Pixels, label and split of every entry."""
    found: Counter[tuple[bytes, str, str | None]] = Counter()
    for entry in entries:
        assert isinstance(entry, Entry)
        found[decode(entry.data, 10_000).pixels, entry.label, entry.split] += 1
    return found


@pytest.mark.parametrize("form", FORMS)
def test_what_was_written_comes_back(form: str, data: Labelled, tmp_path: Path, limits: Limits) -> None:
    format, write = FORMS[form]
    path = write(tmp_path / "data", data)
    expected = Counter(
        (image.tobytes(), WORDS[label], split)
        for image, label, split in zip(data.image, data.label, data.split, strict=True)
    )

    with opened_source(path, wish=Wish("all"), limits=limits, scratch=tmp_path) as source:
        assert source.format == format
        assert source.reason
        assert source.classes == (WORDS if source.classes[0] == "zero" else sorted(WORDS))
        assert source.splits == {"train": 45, "test": 15}
        assert told(source.entries()) == expected
        assert source.counts == {
            split: Counter(WORDS[label] for label in data.part(split).label) for split in ("train", "test")
        }
        sampled = list(source.sample(7))
        assert len(sampled) >= 7
        assert not told(iter(sampled)) - expected
        identities = list(source.identities())
        assert len(identities) == 60
        assert len({one.digest for one in identities if one}) == sum(one is not None for one in identities)

    with opened_source(path, limits=limits, scratch=tmp_path) as source:
        assert (source.taken, source.total) == ("train", 45)
        assert {entry.split for entry in source.entries() if isinstance(entry, Entry)} == {"train"}
        assert told(source.entries(5)) == told(iter(list(source.entries())[:5]))


def test_what_is_turned_and_what_was_one_hot_is_said(data: Labelled, tmp_path: Path, limits: Limits) -> None:
    for form, word in (("emnist", "turned upright"), ("npz of one-hot labels", "labels in “y” (one-hot)")):
        with opened_source(FORMS[form][1](tmp_path / form, data), limits=limits) as source:
            assert word in source.reason


def test_emnists_own_lists_name_its_classes(data: Labelled, tmp_path: Path, limits: Limits) -> None:
    members = emnist(data) | {"emnist-digits-mapping.txt": b"0 48\n1 65 97\r\n2 66\n"}
    members.pop("classes.txt", None)
    with opened_source(as_folder(tmp_path / "good", members), limits=limits, wish=Wish("all")) as source:
        assert source.classes[:3] == ["0", "Aa", "B"]
        assert Counter(entry.label for entry in source.entries() if isinstance(entry, Entry)) == Counter(
            ["0", "Aa", "B"][label] for label in data.label if label < 3
        )
    for place, bad in enumerate((b"0 48\n1\n", b"0 x\n", b"0 48\n1 48\n", b"0 55296\n", b"0 99999999999\n")):
        wrong = as_folder(tmp_path / str(place), members | {"emnist-digits-mapping.txt": bad})
        with pytest.raises(BadInput) as caught, opened_source(wrong, limits=limits):
            pass
        assert (caught.value.code, caught.value.item) == ("BAD_NAME", "emnist-digits-mapping.txt")


def test_every_format_is_written_here() -> None:
    assert {format for format, _ in FORMS.values()} == FORMATS.keys()


def test_one_shard_alone_is_webdataset(
    data: Labelled, tmp_path: Path, bring: Callable[..., Imported]
) -> None:
    shard = written.webdataset(data, label="json", per_shard=100)["train-000000.tar"]
    (tmp_path / "train-000000.tar").write_bytes(shard)

    imported = bring(tmp_path / "train-000000.tar")

    assert imported.report["recognised"] == "webdataset"
    assert imported.names[:2] == ["0000.png", "0001.png"]
    assert len(imported.names) == 45


def test_the_coarse_labels_of_cifar_100_can_be_chosen(
    data: Labelled, tmp_path: Path, bring: Callable[..., Imported]
) -> None:
    path = as_zip(tmp_path / "cifar-100.zip", written.cifar100_binary(data))

    imported = bring(path, columns={"label": "coarse_labels"})

    assert imported.classes == ["even", "odd"]
    assert imported.report["columns"] == {"label": "coarse_labels"}


def test_splits_stay_with_their_samples(
    data: Labelled, tmp_path: Path, bring: Callable[..., Imported], out: Path
) -> None:
    imported = bring(as_zip(tmp_path / "data.zip", written.arrays(data)), split="all")

    assert Counter(imported.split) == {"train": 45, "test": 15}
    image_NHWC = np.load(out / "pixels.npy")
    np.testing.assert_array_equal(image_NHWC[:45], data.part("train").image)
    assert [imported.classes[label] for label in imported.given_label_N[45:]] == [
        WORDS[label] for label in data.part("test").label
    ]
