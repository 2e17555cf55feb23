"""Each kind of bad input gets its code, whatever it is packed in, and nothing is written anywhere.

Two tables: what refuses a delivery as a whole, and what costs one item while the rest is kept. Zips that lie in
their listing are in test_zip_archive.py, images in test_decoder.py.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest import written
from tests.worker.ingest.written import as_folder, npy, tar
from worker.ingest import Entry, Refusal, Wish, cifar_pickle
from worker.ingest.opening import opened_source

DATA = written.digits(16)
LIMITS = Limits(members=300, member_bytes=1 << 20, expanded_bytes=1 << 23, upload_bytes=1 << 23)
FOLDERS = written.class_folders(DATA)
PNG = FOLDERS["train/zero/0000.png"]


def tar_entry(name: str, kind: bytes = tarfile.REGTYPE, **fields: Any) -> bytes:
    """A tar of class folders with one entry more, which is not as it should be."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for good, data in FOLDERS.items():
            info = tarfile.TarInfo(good)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo(name)
        info.type = kind
        for field, value in fields.items():
            setattr(info, field, value)
        archive.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


def with_header(size: int) -> bytes:
    """A tar whose only header says that so many bytes of attributes follow."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, size
    return info.tobuf() + b"\0" * 1024


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def table(text: str | bytes, name: str = "labels.csv") -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return zipped({"images/1.png": PNG, "images/2.png": PNG, name: data})


def coco(**changes: Any) -> bytes:
    return zipped({"1.png": PNG, "2.png": PNG, "labels.json": coco_json(**changes)})


def coco_json(**changes: Any) -> bytes:
    made = {
        "images": [{"id": place, "file_name": f"{place}.png"} for place in (1, 2)],
        "annotations": [{"image_id": place, "category_id": place} for place in (1, 2)],
        "categories": [{"id": place, "name": f"c{place}"} for place in (1, 2)],
        **changes,
    }
    return json.dumps(made).encode()


def npz(**arrays: Any) -> bytes:
    good = {"image": DATA.image, "label": np.array(DATA.label)}
    return zipped(
        {
            f"{key}.npy": array if isinstance(array, bytes) else npy(array)
            for key, array in {**good, **arrays}.items()
        }
    )


def npy_header(header: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def idx(**changes: bytes) -> bytes:
    members = written.idx(DATA, packed=False)
    names = {"images": "train-images-idx4-ubyte", "labels": "train-labels-idx1-ubyte"}
    return zipped({**members, **{names[key]: value for key, value in changes.items()}})


def batch(value: Any, protocol: int = 2) -> bytes:
    return tar(
        {
            **written.cifar10_python(DATA, 2),
            "cifar-10-batches-py/data_batch_1": value
            if isinstance(value, bytes)
            else pickle.dumps(value, protocol),
        }
    )


class Malicious:
    """Runs a command when it is unpickled, if anybody ever did."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("this must never be seen",))


ROWS = DATA.image.transpose(0, 3, 1, 2).reshape(16, -1)
WHOLE: dict[str, tuple[str, bytes, str]] = {
    # containers
    "an empty file": ("a.zip", b"", "ARCHIVE_UNREADABLE"),
    "an empty tar": ("a.tar", b"", "ARCHIVE_UNREADABLE"),
    "text": ("a.zip", b"this is a text", "ARCHIVE_UNREADABLE"),
    "text called tar": ("a.tar", b"this is a text" * 100, "ARCHIVE_UNREADABLE"),
    "text called tar.gz": ("a.tar.gz", b"this is a text", "ARCHIVE_UNREADABLE"),
    "a cut tar": ("a.tar", tar(FOLDERS)[:9000], "ARCHIVE_UNREADABLE"),
    "a tar without an end": ("a.tar", tar(FOLDERS).rstrip(b"\0"), "ARCHIVE_UNREADABLE"),
    "a tar cut between two files": ("a.tar", tar(FOLDERS)[: 512 * 3], "ARCHIVE_UNREADABLE"),
    "a tar with a damaged header": ("a.tar", tar(FOLDERS)[:1024] + b"!" * 512 + tar(FOLDERS)[1536:], "ARCHIVE_UNREADABLE"),
    "a cut gzip": ("a.tar.gz", gzip.compress(tar(FOLDERS))[:-9], "ARCHIVE_UNREADABLE"),
    "a gzip with a wrong checksum": ("a.tar.gz", gzip.compress(tar(FOLDERS))[:-8] + b"\0" * 8, "ARCHIVE_UNREADABLE"),
    "a tar header that asks for a gigabyte": ("a.tar", with_header(1 << 30), "ARCHIVE_UNREADABLE"),
    "bzip2": ("a.tar.bz2", tar(FOLDERS, mode="w:bz2"), "ARCHIVE_METHOD"),
    "xz": ("a.tar.xz", tar(FOLDERS, mode="w:xz"), "ARCHIVE_METHOD"),
    "7z": ("a.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 100, "ARCHIVE_METHOD"),
    "a sparse file": ("a.tar", tar_entry("train/one/x.png", tarfile.GNUTYPE_SPARSE), "ARCHIVE_METHOD"),
    **{
        f"the name {name!r}": ("a.tar", tar_entry(name), "UNSAFE_PATH")
        for name in ("../x.png", "a/../../x.png", "/etc/x.png", "C:\\x.png", "a\\b.png", "a//b.png")
    },
    **{
        f"an entry of type {kind!r}": ("a.tar", tar_entry("one/x.png", kind, linkname="/etc/passwd"), "UNSAFE_ENTRY")
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    },
    "a name twice": ("a.tar", tar_entry("train/zero/0000.png"), "DUPLICATE_NAME"),
    "a name twice but for case": ("a.tar", tar_entry("train/ZERO/0000.png"), "DUPLICATE_NAME"),
    "a name twice but for composition": (
        "a.tar",
        tar({"a/e\u0301.png": PNG, "b/1.png": PNG, "a/\u00e9.png": PNG}),
        "DUPLICATE_NAME",
    ),
    "a control character": ("a.tar", tar_entry("train/one/x\x07.png"), "BAD_NAME"),
    "a bidirectional character": ("a.tar", tar_entry("train/one/\u202egnp.exe.png"), "BAD_NAME"),
    "a long name": ("a.tar", tar_entry("train/one/" + "x" * 300 + ".png"), "LIMIT_EXCEEDED"),
    "too many files": ("a.tar", tar({f"a/{place}.png": b"" for place in range(400)}), "LIMIT_EXCEEDED"),
    "a large file": ("a.tar", tar_entry("train/one/x.png", size=1 << 21), "LIMIT_EXCEEDED"),
    "a large archive": ("a.tar.gz", gzip.compress(np.random.default_rng(0).bytes(1 << 12) * 2100), "LIMIT_EXCEEDED"),
    "a bomb": ("a.tar.gz", gzip.compress(b"\0" * (7 << 20)), "ARCHIVE_BOMB"),
    "an archive in a tar": ("a.tar", tar({**FOLDERS, "train/one/x.zip": b"PK"}), "ARCHIVE_BOMB"),
    "a tar in a tar that is no shard": ("a.tar", tar({**FOLDERS, "more.tar": tar(FOLDERS)}), "ARCHIVE_BOMB"),
    "a gzip in a zip": ("a.zip", zipped({**FOLDERS, "x.gz": b"\x1f\x8b"}), "ARCHIVE_BOMB"),
    "a bomb of a gzip in IDX": (
        "a.zip",
        zipped({**written.idx(DATA, packed=True), "train-images-idx4-ubyte.gz": gzip.compress(b"\0" * (7 << 20))}),
        "ARCHIVE_BOMB",
    ),
    "a damaged shard": ("a.zip", zipped({"train-0.tar": written.webdataset(DATA)["train-000000.tar"][:3000]}), "ARCHIVE_UNREADABLE"),
    # pickles
    "a pickle": ("a.pkl", pickle.dumps([1]), "PICKLE_REFUSED"),
    "a pickle called zip": ("a.zip", pickle.dumps([1]), "PICKLE_REFUSED"),
    "pickles alone": ("a.zip", zipped({"data/x.pkl": b"x", "data/y.pt": b"y"}), "PICKLE_REFUSED"),
    "a batch that runs code": ("a.tar", batch({"data": Malicious(), "labels": [1]}), "PICKLE_REFUSED"),
    "a batch that asks for a module": ("a.tar", batch(b"\x80\x02cos\nsystem\nq\x00."), "PICKLE_REFUSED"),
    "a batch with another opcode": ("a.tar", batch(b"\x80\x02(ios\nsystem\n."), "PICKLE_REFUSED"),
    "a cut batch": ("a.tar", batch(pickle.dumps({b"data": ROWS}, 2)[:500]), "ARCHIVE_UNREADABLE"),
    "a batch that is a list": ("a.tar", batch([1, 2]), "ARCHIVE_UNREADABLE"),
    "a batch of objects": ("a.tar", batch({b"data": np.array([{}], object), b"labels": [1]}), "ARCHIVE_UNREADABLE"),
    "a batch of floats": ("a.tar", batch({b"data": ROWS.astype(float), b"labels": DATA.label}), "ARCHIVE_UNREADABLE"),
    "a batch that claims a terabyte": ("a.tar", batch(b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"."), "ARCHIVE_UNREADABLE"),
    "a batch with fewer labels": ("a.tar", batch({b"data": ROWS, b"labels": DATA.label[:-1]}), "LABEL_COUNT"),
    "a batch of other sizes": ("a.tar", batch({b"data": ROWS[:, :300], b"labels": DATA.label}), "SIZE_MISMATCH"),
    "a binary batch that ends within a record": (
        "a.tar",
        tar({**written.cifar10_binary(DATA), "cifar-10-batches-bin/data_batch_2.bin": b"x" * 3000}),
        "SIZE_MISMATCH",
    ),
    # IDX and arrays
    "fewer labels than images": ("a.zip", idx(labels=struct.pack(">HBBI", 0, 8, 1, 2) + b"\0\1"), "LABEL_COUNT"),
    "an IDX that is cut": ("a.zip", idx(images=struct.pack(">HBB4I", 0, 8, 4, 12, 32, 32, 3) + b"x"), "SIZE_MISMATCH"),
    "an IDX of impossible size": ("a.zip", idx(images=struct.pack(">HBB4I", 0, 8, 4, *[2**32 - 1] * 4)), "SIZE_MISMATCH"),
    "an IDX of nothing": ("a.zip", idx(images=struct.pack(">HBB4I", 0, 8, 4, 12, 0, 32, 3)), "IMAGE_FORMAT"),
    "an IDX of floats": ("a.zip", idx(images=struct.pack(">HBB4I", 0, 13, 4, 12, 32, 32, 3)), "ARCHIVE_METHOD"),
    "one-hot labels with two ones": (
        "a.zip",
        zipped({"x.npy": npy(np.zeros((4, 8, 8), np.uint8)), "y.npy": npy(np.ones((4, 2), np.uint8))}),
        "NPY_REJECTED",
    ),
    "an IDX that is none": ("a.zip", idx(images=b"hello"), "ARCHIVE_UNREADABLE"),
    "IDX images without labels": (
        "a.zip",
        zipped({name: data for name, data in written.idx(DATA, packed=False).items() if "labels" not in name}),
        "LABEL_MISSING",
    ),
    "an array of objects": ("a.npz", npz(label=np.array([{}] * 16, object)), "NPY_REJECTED"),
    "an array of a negative shape": ("a.npz", npz(image=npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 8, 8)}")), "NPY_REJECTED"),
    "an array of a huge shape": ("a.npz", npz(image=npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 9, 9)}")), "NPY_REJECTED"),
    "an array whose header is code": ("a.npz", npz(image=npy_header("__import__('os').system('true')")), "NPY_REJECTED"),
    "an array whose header has no end": ("a.npz", npz(image=npy_header("(" * 60000)), "NPY_REJECTED"),
    "arrays of differing length": ("a.npz", npz(label=np.arange(15)), "LABEL_COUNT"),
    "images that are no images": ("a.npz", npz(image=np.zeros((16, 5, 5, 5), np.uint8)), "IMAGE_FORMAT"),
    "one class in an array": ("a.npz", npz(label=np.zeros(16, int)), "TOO_FEW"),
    # tables
    "a ragged CSV": ("a.zip", table("image,label\n1,a\n2\n"), "CSV_PARSE"),
    "a CSV in UTF-16": ("a.zip", table("image,label\n1,a\n".encode("utf-16")), "CSV_PARSE"),
    "a CSV in another encoding": ("a.zip", table("image,label\n1,\u00e4\n".encode("latin-1")), "CSV_PARSE"),
    "a CSV with NUL": ("a.zip", table("image,label\n1,\0\n"), "CSV_PARSE"),
    "a CSV with one header twice": ("a.zip", table("image,label,label\n1,a,b\n"), "CSV_PARSE"),
    "a CSV without a header": ("a.zip", table("1,2\n2,3\n"), "CSV_PARSE"),
    "a CSV with an open quote": ("a.zip", table('image,label\n1,"a\n2,b\n'), "CSV_PARSE"),
    "a CSV whose label cannot be told": ("a.zip", table("image,this,that\n1,a,x\n2,b,y\n"), "LABEL_MISSING"),
    "one class in a CSV": ("a.zip", table("image,label\n1,a\n2,a\n"), "TOO_FEW"),
    "JSON Lines without depth's end": ("a.zip", table('{"image":' + "[" * 100_000, "labels.jsonl"), "JSON_INVALID"),
    "JSON Lines with 1e999": ("a.zip", table('{"image": "1", "label": 1e999}', "labels.jsonl"), "JSON_INVALID"),
    "JSON Lines with NaN": ("a.zip", table('{"image": "1", "label": NaN}', "labels.jsonl"), "JSON_INVALID"),
    "JSON Lines with a key twice": ("a.zip", table('{"image": "1", "image": "2"}', "labels.jsonl"), "JSON_INVALID"),
    "JSON Lines that are no objects": ("a.zip", table("[1]\n", "labels.jsonl"), "JSON_INVALID"),
    "a whole number of 5 000 digits": ("a.zip", table('{"image": ' + "9" * 5000 + "}", "labels.jsonl"), "JSON_INVALID"),
    "a Parquet table that is none": ("a.zip", table(b"PAR1 nothing PAR1", "labels.parquet"), "PARQUET_INVALID"),
    "COCO without depth's end": ("a.zip", zipped({"1.png": PNG, "x.json": b'{"images":[],"annotations":[],"categories":' + b"[" * 100_000}), "JSON_INVALID"),
    "COCO with a category twice": ("a.zip", coco(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), "JSON_INVALID"),
    "COCO images without names": ("a.zip", coco(images=[{"id": 1}, {"id": 2}]), "JSON_INVALID"),
    "COCO of numbers": ("a.zip", coco(images=[1, 2]), "JSON_INVALID"),
    "COCO with one class": ("a.zip", coco(annotations=[{"image_id": 1, "category_id": 1}]), "TOO_FEW"),
    "nothing": ("a.zip", zipped({"readme.txt": b"hello"}), "NOTHING_RECOGNISED"),
}  # fmt: skip


@pytest.mark.parametrize("what", WHOLE)
def test_what_cannot_be_used_is_refused_as_a_whole(what: str, tmp_path: Path, out: Path) -> None:
    name, data, code = WHOLE[what]
    path = tmp_path / name
    path.write_bytes(data)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with pytest.raises(BadInput) as caught, opened_source(path, limits=LIMITS, scratch=scratch) as source:
        list(source.entries())

    assert caught.value.code == code, caught.value.as_dict()
    assert caught.value.message
    assert str(tmp_path) not in json.dumps(caught.value.as_dict())
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([name, "scratch"])
    assert not list(scratch.iterdir())


def test_a_pickle_that_claims_a_huge_memory_gets_none() -> None:
    assert cifar_pickle.load(b"\x80\x02}r" + struct.pack("<I", 1 << 31) + b".", "x") == {}


def test_the_line_of_a_table_is_named(tmp_path: Path) -> None:
    as_folder(tmp_path / "x", {"1.png": PNG, "2.png": PNG, "labels.csv": b"image,label\n1,a\n2,b,c\n"})

    with pytest.raises(BadInput) as caught, opened_source(tmp_path / "x", limits=LIMITS):
        pass

    assert caught.value.item == "labels.csv, line 3"


ITEMS: dict[str, tuple[bytes, dict[str, str]]] = {
    "a row whose image is not there": (table("image,label\n1,a\n2,b\n3,b\n"), {"3": "IMAGE_MISSING"}),
    "an image without a row": (
        zipped({"1.png": PNG, "2.png": PNG, "3.png": PNG, "x.csv": b"image,label\n1,a\n2,b\n"}),
        {"3.png": "LABEL_MISSING"},
    ),
    "a row without a label": (table("image,label\n1,a\n2,b\nimages/1.png,\n"), {"images/1.png": "DUPLICATE_NAME"}),
    "an empty label": (
        zipped({"1.png": PNG, "2.png": PNG, "3.png": PNG, "x.csv": b"image,label\n1,a\n2,b\n3,\n"}),
        {"3.png": "LABEL_MISSING"},
    ),
    "a path that leads out": (table("image,label\n1,a\n2,b\n../../etc/passwd,b\n"), {"../../etc/passwd": "IMAGE_MISSING"}),
    "annotations that say nothing, too much, or something unknown": (
        zipped({**{f"{n}.png": PNG for n in (1, 2, 3, 4, 5)}, "x.json": coco_json(
            images=[{"id": n, "file_name": f"{n}.png"} for n in (1, 2, 3, 4, 5, 6)],
            annotations=[{"image_id": i, "category_id": c} for i, c in ((1, 1), (2, 2), (3, 1), (3, 2), (4, 9))],
        )}),
        {"3.png": "LABEL_AMBIGUOUS", "4.png": "LABEL_UNKNOWN", "5.png": "LABEL_MISSING", "6.png": "IMAGE_MISSING"},
    ),
    "a label outside the names": (
        npz(label=np.array([7, *DATA.label[1:]]), classes=np.array(written.WORDS[:7])),
        {"000000.png": "LABEL_UNKNOWN"},
    ),
    "a label that is no number": (
        npz(label=np.array([np.nan, *DATA.label[1:]])),
        {"000000.png": "LABEL_UNKNOWN"},
    ),
    "a sample without a label": (
        tar({"1.png": PNG, "1.cls": b"a", "2.png": PNG, "2.cls": b"b", "3.png": PNG, "4.cls": b"b"}),
        {"3.png": "LABEL_MISSING", "4.cls": "IMAGE_MISSING"},
    ),
    "a pickle among the images": (zipped({**FOLDERS, "x/y.pkl": b"x"}), {"x/y.pkl": "PICKLE_REFUSED"}),
}  # fmt: skip


@pytest.mark.parametrize("what", ITEMS)
def test_what_cannot_be_used_costs_only_itself(what: str, tmp_path: Path) -> None:
    data, expected = ITEMS[what]
    path = tmp_path / "a.bin"
    path.write_bytes(data)

    with opened_source(path, wish=Wish("all"), limits=LIMITS) as source:
        items = list(source.entries())

    refused = {item.item: item.code for item in items if isinstance(item, Refusal)}
    assert {item: code for item, code in refused.items() if item in expected} == expected
    assert any(isinstance(item, Entry) for item in items)
