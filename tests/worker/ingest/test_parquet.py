"""Hugging Face style Parquet: columns, class names, shards, splits, and what is wrong with them."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.source import Entry, Refusal, Source
from worker.ingest.writing import Imported

Picture = Callable[..., bytes]
CLASSES = ["cat", "dog", "fox"]


def table(
    images: Sequence[bytes | None],
    labels: Sequence[Any],
    *,
    names: Sequence[str] | None = CLASSES,
    paths: Sequence[str | None] | None = None,
    image: str = "image",
    label: str = "label",
    label_type: pa.DataType | None = None,
) -> pa.Table:
    """A table as `datasets` writes it."""
    structs = [
        {"bytes": data, "path": None if paths is None else paths[place]} for place, data in enumerate(images)
    ]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    made = pa.table(
        {image: pa.array(structs, kind), label: pa.array(labels, label_type), "index": range(len(labels))}
    )
    features: dict[str, Any] = {image: {"_type": "Image"}, label: {"dtype": "int64", "_type": "Value"}}
    if names is not None:
        features[label] = {"names": list(names), "_type": "ClassLabel"}
        return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return made


@pytest.fixture
def pictures(picture: Picture) -> list[bytes]:
    return [picture(seed) for seed in range(6)]


@pytest.fixture
def shard(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, content: pa.Table, **options: Any) -> Path:
        path = tmp_path / "shards" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, path, **options)
        return path

    return write


def test_a_file_is_imported_in_its_order_with_its_class_names(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    path = shard("any name.parquet", table(pictures, [2, 0, 1, 0, 2, 0]), row_group_size=2)

    imported = bring(path)

    assert imported.classes == CLASSES
    assert imported.given_label_N.tolist() == [2, 0, 1, 0, 2, 0]
    assert imported.names == [f"{row:06d}" for row in range(6)]
    assert imported.report["recognised"] == "parquet"
    assert imported.report["class_counts"] == {"cat": 3, "dog": 1, "fox": 2}


def test_paths_in_the_image_column_are_names_while_they_are_unique_and_harmless(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    paths = ["a/1.png", "../2.png", "a/1.png", "bad\x00.png", None, "x" * 300]

    imported = bring(shard("train-0.parquet", table(pictures, [0, 1] * 3, paths=paths)).parent)

    assert imported.names == [
        "a/1.png",
        "../2.png",
        "train/000002",
        "train/000003",
        "train/000004",
        "train/000005",
    ]


def test_shards_of_a_folder_are_read_in_order_and_by_split(
    open_source: Callable[..., Source],
    pictures: list[bytes],
    shard: Callable[..., Path],
    bring: Callable[..., Imported],
    limits: Limits,
) -> None:
    for number in (10, 2):
        shard(
            f"data/train-{number}.parquet",
            table(pictures[:2], [number % 3, 0], paths=[f"{number}a", f"{number}b"]),
        )
    folder = shard("data/test-00000-of-00001.parquet", table(pictures, [0, 1] * 3)).parent.parent
    (folder / "README.md").write_text("notes")
    (folder / "logo").mkdir()
    (folder / "logo" / "picture.png").write_bytes(pictures[0])

    train = bring(folder)

    assert train.names == ["2a", "2b", "10a", "10b"]
    assert (train.report["splits"], train.report["taken"]) == ({"train": 4, "test": 6}, "train")
    assert bring(folder, split="test").report["imported"] == 6
    assert bring(folder, split="all").names[3:5] == ["10b", "test/000000"]
    assert [
        entry.split
        for entry in open_source(folder, split="all", limits=limits).entries()
        if isinstance(entry, Entry)
    ] == [
        *["train"] * 4,
        *["test"] * 6,
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_shards_in_a_zip_are_read_as_those_in_a_folder(
    method: int,
    pictures: list[bytes],
    shard: Callable[..., Path],
    bring: Callable[..., Imported],
    pack: Callable[..., Path],
) -> None:
    paths = [shard(f"train-{number}.parquet", table(pictures, [0, 1, 2] * 2)) for number in (0, 1)]

    from_zip = bring(pack({path.name: path.read_bytes() for path in paths}, method=method))

    assert from_zip.content_hash == bring(paths[0].parent).content_hash
    assert from_zip.report["duplicates"] == 6


def test_a_limit_takes_the_first_rows_across_shards(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    for number in (0, 1):
        folder = shard(f"train-{number}.parquet", table(pictures, [number, 1] * 3)).parent

    imported = bring(folder, limit=8)

    assert imported.given_label_N.tolist() == [0, 1, 0, 1, 0, 1, 1, 1]
    assert imported.report["total"] == 12


def test_missing_shards_are_noticed(
    open_source: Callable[..., Source], pictures: list[bytes], shard: Callable[..., Path], limits: Limits
) -> None:
    folder = shard("train-00001-of-00003.parquet", table(pictures, [0, 1] * 3)).parent

    assert "missing by their numbering: 2" in open_source(folder, limits=limits).reason


@pytest.mark.parametrize(
    ("labels", "kind", "classes", "indices"),
    [
        ([7, 10, 9, 7, 9, 10], pa.int64(), ["7", "9", "10"], [0, 2, 1, 0, 1, 2]),
        ([0, 1, 0, 1, 0, 1], pa.uint8(), ["0", "1"], [0, 1] * 3),
        (["b", "a", "b", "c10", "c9", "a"], pa.string(), ["a", "b", "c9", "c10"], [1, 0, 1, 3, 2, 0]),
        (["b", "a"] * 3, pa.dictionary(pa.int32(), pa.string()), ["a", "b"], [1, 0] * 3),
    ],
    ids=["sparse integers", "bytes", "words", "dictionary"],
)
def test_without_declared_classes_the_labels_name_themselves(
    labels: list[Any],
    kind: pa.DataType,
    classes: list[str],
    indices: list[int],
    pictures: list[bytes],
    shard: Callable[..., Path],
    bring: Callable[..., Imported],
) -> None:
    imported = bring(shard("x.parquet", table(pictures, labels, names=None, label_type=kind)))

    assert (imported.classes, imported.given_label_N.tolist()) == (classes, indices)


@pytest.mark.parametrize(("image", "label"), [("img", "fine_label"), ("png", "target"), ("photo", "Label")])
def test_columns_may_have_other_usual_names(
    image: str, label: str, pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    made = table(pictures, [0, 1] * 3, image=image, label=label, names=None)

    assert bring(shard("x.parquet", made)).report["imported"] == 6


def test_images_may_be_plain_bytes_and_the_finer_of_two_labels_counts(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    features = {
        name: {"names": ["x", "y", "z"][:count], "_type": "ClassLabel"}
        for name, count in (("coarse_label", 2), ("fine_label", 3))
    }
    made = pa.table({"coarse_label": [0, 1] * 3, "img": pictures, "fine_label": [2, 1, 0] * 2})
    made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})

    assert bring(shard("x.parquet", made)).given_label_N.tolist() == [2, 1, 0] * 2


def test_rows_without_image_or_label_are_listed_and_the_rest_is_kept(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported]
) -> None:
    images = [pictures[0], None, pictures[2][:60], *pictures[3:], pictures[0], pictures[1]]

    imported = bring(shard("x.parquet", table(images, [0, 1, 1, None, -1, 3, 1, 0])))

    assert [(one["item"], one["code"]) for one in imported.report["unreadable"]] == [
        ("000001", "IMAGE_CORRUPT"),
        ("000003", "LABEL_MISSING"),
        ("000004", "LABEL_MISSING"),
        ("000005", "LABEL_UNKNOWN"),
        ("000002", "IMAGE_CORRUPT"),
    ]
    assert imported.names == ["000000", "000006", "000007"]


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        ([-1] * 6, "LABEL_MISSING"),
        ([None] * 6, "LABEL_MISSING"),
        ([9] * 6, "LABEL_UNKNOWN"),
        ([1] * 6, "TOO_FEW"),
        ([1, None, -1, 7, 1, 1], "TOO_FEW"),
    ],
)
def test_labels_that_leave_nothing_to_compare_are_refused_at_once(
    open_source: Callable[..., Source],
    labels: list[int | None],
    code: str,
    pictures: list[bytes],
    shard: Callable[..., Path],
    limits: Limits,
) -> None:
    with pytest.raises(BadInput) as caught:
        open_source(shard("x.parquet", table(pictures, labels, label_type=pa.int64())), limits=limits)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pa.table({"words": ["a", "b"], "label": [0, 1]}), "PARQUET_INVALID"),
        (pa.table({"image": [b"a", b"b"], "note": ["x", "y"]}), "LABEL_MISSING"),
    ],
    ids=["no image", "no label"],
)
def test_a_file_without_the_columns_is_refused(
    open_source: Callable[..., Source],
    content: pa.Table,
    code: str,
    shard: Callable[..., Path],
    limits: Limits,
) -> None:
    with pytest.raises(BadInput) as caught:
        open_source(shard("x.parquet", content), limits=limits)

    assert caught.value.code == code


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[" * 100_000,
        b"\xff",
        b'{"info": 3}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a", "a"]}}}}',
    ],
    ids=["cut", "deep", "no text", "another shape", "a class twice"],
)
def test_a_broken_description_is_refused(
    open_source: Callable[..., Source],
    metadata: bytes,
    pictures: list[bytes],
    shard: Callable[..., Path],
    limits: Limits,
) -> None:
    made = table(pictures, [0, 1] * 3, names=None).replace_schema_metadata({"huggingface": metadata})

    with pytest.raises(BadInput) as caught:
        open_source(shard("x.parquet", made), limits=limits)

    assert caught.value.code == "PARQUET_INVALID"


def test_shards_with_other_classes_are_refused(
    open_source: Callable[..., Source], pictures: list[bytes], shard: Callable[..., Path], limits: Limits
) -> None:
    shard("train-0.parquet", table(pictures, [0, 1] * 3))
    folder = shard("train-1.parquet", table(pictures, [0, 1] * 3, names=["dog", "cat", "fox"])).parent

    with pytest.raises(BadInput) as caught:
        open_source(folder, limits=limits)

    assert caught.value.code == "PARQUET_INVALID"


@pytest.mark.parametrize("damage", ["pages", "footer", "cut", "text", "empty"])
def test_malformed_pages_and_footers_are_refused_and_nothing_is_kept(
    damage: str, pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported], out: Path
) -> None:
    path = shard("x.parquet", table(pictures * 20, [0, 1] * 60), compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    if damage == "pages":
        data[4:60] = b"\xff" * 56
    elif damage == "footer":
        data[-40:-8] = b"\xff" * 32
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[:] = b"words" * (damage == "text")
    path.write_bytes(data)

    with pytest.raises(BadInput) as caught:
        bring(path)

    assert caught.value.code == "PARQUET_INVALID"
    assert not out.exists() or not list(out.iterdir())


def test_a_flipped_byte_is_found_by_the_checksum_of_its_page(
    pictures: list[bytes], shard: Callable[..., Path], bring: Callable[..., Imported], out: Path
) -> None:
    content = table(pictures, [0, 1] * 3)
    path = shard("x.parquet", content, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    stored = (
        struct.pack("<L", len(pictures[4])) + pictures[4]
    )  # in the page; the statistics repeat it elsewhere
    data[data.index(stored) + 54] ^= 1
    path.write_bytes(data)

    with pytest.raises(BadInput) as caught:
        bring(path)

    assert caught.value.code == "PARQUET_INVALID"
    assert not list(out.iterdir())


def test_one_value_repeated_without_end_is_stopped_by_the_limit(
    open_source: Callable[..., Source], picture: Picture, shard: Callable[..., Path]
) -> None:
    """A dictionary page makes a file of kilobytes out of any number of equal rows."""
    path = shard("x.parquet", table([picture(size=(100, 100))] * 4000, [0, 1] * 2000))
    assert path.stat().st_size < 1 << 20

    with pytest.raises(BadInput) as caught:
        list(open_source(path, limits=Limits(expanded_bytes=1 << 24)).entries())

    assert caught.value.code == "LIMIT_EXCEEDED"


def test_rows_and_images_over_the_limits_are_refused(
    open_source: Callable[..., Source], pictures: list[bytes], shard: Callable[..., Path]
) -> None:
    path = shard("x.parquet", table(pictures, [0, 1] * 3))

    with pytest.raises(BadInput) as caught:
        open_source(path, limits=Limits(members=5))
    assert (caught.value.code, caught.value.found) == ("LIMIT_EXCEEDED", 6)
    entries = list(open_source(path, limits=Limits(member_bytes=100)).entries())
    assert {entry.code for entry in entries if isinstance(entry, Refusal)} == {"LIMIT_EXCEEDED"}
