"""Predictions are read from every form, in the order of samples and classes; what is wrong with them has its code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.embedding import read_embedding
from worker.ingest.predictions import Predictions, read_predictions

CLASSES = ["cat", "dog", "=fox"]
NAMES = ["a.png", "b.png", "c.png", "d.png"]
PROBABILITY_NC = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0]], np.float32)
Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make


def read(path: Path, *, logits: bool = False) -> Predictions:
    return read_predictions(path, names_N=NAMES, classes=CLASSES, logits=logits, limits=Limits())


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def parquet(columns: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def csv(header: str, rows: list[list[Any]]) -> bytes:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), "", ""]).encode()


SHUFFLED_N = [2, 0, 3, 1]
ORDER_C = [1, 2, 0]
GOOD = {
    "plain.npy": npy(PROBABILITY_NC.astype(np.float64)),
    "by-column.npy": npy(np.asfortranarray(PROBABILITY_NC)),
    "named.npz": npz(given_label=np.zeros(4), true_label=np.zeros(4), predicted_probabilities=PROBABILITY_NC),
    "whatever.npz": npz(x=PROBABILITY_NC),
    "shuffled.npz": npz(probs=PROBABILITY_NC[SHUFFLED_N][:, ORDER_C], index=np.array(SHUFFLED_N),
                        classes=np.array(CLASSES)[ORDER_C]),
    "logits.npz": npz(logits=np.log(np.maximum(PROBABILITY_NC, 1e-30)) + 5),
    "numbers.csv": "\n".join(",".join(map(str, row)) for row in PROBABILITY_NC).encode(),
    "by-name.csv": csv("name,dog,=fox,cat,label", [[NAMES[n], *PROBABILITY_NC[n][ORDER_C], "dog"] for n in SHUFFLED_N]),
    "by-index.csv": csv("p_dog;p_=fox;p_cat;index".replace(";", ","),
                        [[*PROBABILITY_NC[n][ORDER_C], n] for n in SHUFFLED_N]),
    "numbered.tsv": csv("0,1,2", PROBABILITY_NC.tolist()).replace(b",", b"\t"),
    "columns.parquet": parquet({"file_name": [NAMES[n] for n in SHUFFLED_N],
                                **{CLASSES[c]: PROBABILITY_NC[SHUFFLED_N, c] for c in ORDER_C}}),
    "lists.parquet": parquet({"probabilities": PROBABILITY_NC.tolist()}),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_every_form_gives_the_same_predictions(write: Write, name: str) -> None:
    found = read(write(name, GOOD[name]))
    np.testing.assert_allclose(found.probability_NC, PROBABILITY_NC, atol=1e-6)
    assert found.probability_NC.dtype == np.float32


def test_what_was_taken_for_granted_is_said(write: Write) -> None:
    assert len(read(write("plain.npy", GOOD["plain.npy"])).notes) == 2
    assert read(write("by-name.csv", GOOD["by-name.csv"])).notes == ()


def test_stated_logits_become_probabilities(write: Write) -> None:
    found = read(write("x.npy", npy(np.array([[1000.0, 0, 0]] * 4))), logits=True)
    np.testing.assert_array_equal(found.probability_NC[:, 0], 1)


def test_half_precision_is_forgiven_its_rounding(write: Write) -> None:
    found = read(write("half.npy", npy((PROBABILITY_NC * 0.998).astype(np.float16))))
    np.testing.assert_allclose(found.probability_NC.sum(axis=1), 1, atol=1e-6)


def _with(row: int, column: int, value: float) -> bytes:
    changed_NC = PROBABILITY_NC.copy()
    changed_NC[row, column] = value
    return npy(changed_NC)


def _header(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(48)


def _torch_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")
    return file.getvalue()


ROWS = PROBABILITY_NC.tolist()
BAD: dict[str, tuple[str, bytes, str, str | None]] = {
    "not a number": ("x.npy", _with(2, 1, np.nan), "PROBS_INVALID", "sample 2"),
    "infinite": ("x.npy", _with(0, 0, np.inf), "PROBS_INVALID", "sample 0"),
    "rows that do not sum to 1": ("x.npy", _with(1, 1, 0.5), "PROBS_INVALID", "sample 1"),
    "logits that nobody stated": ("x.npy", npy(np.log(PROBABILITY_NC + 0.01)), "PROBS_INVALID", "sample 0"),
    "a class too few": ("x.npy", npy(PROBABILITY_NC[:, :2]), "PROBS_INVALID", None),
    "a sample too few": ("x.npy", npy(PROBABILITY_NC[:3]), "LABEL_COUNT", None),
    "objects": ("x.npy", npy(np.array([[{}]] * 4), allow_pickle=True), "NPY_REJECTED", None),
    "words": ("x.npy", npy(np.array([["a"] * 3] * 4)), "NPY_REJECTED", None),
    "complex": ("x.npy", npy(PROBABILITY_NC.astype(complex)), "NPY_REJECTED", None),
    "a vector": ("x.npy", npy(np.zeros(4)), "NPY_REJECTED", None),
    "a huge shape": ("x.npy", _header("(4000000000, 3000)"), "NPY_REJECTED", None),
    "a negative shape": ("x.npy", _header("(-4, -3)"), "NPY_REJECTED", None),
    "a header that is code": ("x.npy", _header("__import__('os').getpid()"), "NPY_REJECTED", None),
    "cut short": ("x.npy", npy(PROBABILITY_NC)[:-5], "NPY_REJECTED", None),
    "text called npy": ("x.npy", b"hello world", "NPY_REJECTED", None),
    "several matrices": ("x.npz", npz(a=PROBABILITY_NC, b=PROBABILITY_NC), "NPY_REJECTED", None),
    "text called npz": ("x.npz", b"hello world", "ARCHIVE_UNREADABLE", None),
    "a pickle": ("x.pkl", b"\x80\x04.", "PICKLE_REFUSED", None),
    "a pickle called npy": ("x.npy", b"\x80\x04.", "PICKLE_REFUSED", None),
    "a pytorch file": ("x.bin", _torch_file(), "PICKLE_REFUSED", None),
    "an empty file": ("x.csv", b"", "FILE_EMPTY", None),
    "a ragged line": ("x.csv", b"cat,dog,=fox\n.1,.8,.1\n.5,.5\n", "CSV_PARSE", "line 3"),
    "a column twice": ("x.csv", b"cat,dog,cat\n", "CSV_PARSE", "line 1"),
    "UTF-16": ("x.csv", "cat,dog,=fox\n".encode("utf-16"), "CSV_PARSE", "line 1"),
    "NUL": ("x.csv", b"cat,dog,=fox\n.1,.8,.1\n.1,\0,.1", "CSV_PARSE", "line 3"),
    "a broken letter": ("x.csv", b"name,cat,dog,=fox\n\xff\xfe\xff,.1,.8,.1\n", "CSV_PARSE", "line 2"),
    "a word among numbers": ("x.csv", csv("cat,dog,=fox", [*ROWS[:2], [".1", "high", ".8"], ROWS[3]]),
                             "NOT_A_NUMBER", "line 4"),
    "an unknown class": ("x.csv", csv("cat,dog,wolf", ROWS), "LABEL_UNKNOWN", None),
    "an unknown name": ("x.csv", csv("name,cat,dog,=fox", [["e.png", *row] for row in ROWS]), "SAMPLE_UNKNOWN", "line 2"),
    "a sample twice": ("x.csv", csv("index,cat,dog,=fox", [[index, *row] for index, row in zip([0, 1, 1, 2], ROWS, strict=True)]),
                       "DUPLICATE_SAMPLE", "line 4"),
    "an index too far": ("x.csv", csv("index,cat,dog,=fox", [[index, *row] for index, row in zip([0, 1, 2, 4], ROWS, strict=True)]),
                         "SAMPLE_UNKNOWN", "line 5"),
    "a number beyond single precision": ("x.csv", b"cat,dog,=fox\n" + b".1,.8,1e300\n" * 4, "PROBS_INVALID", None),
    "lists beyond single precision": ("x.parquet", parquet({"p": [[1e300, 0, 0]] * 4}), "PROBS_INVALID", None),
    "damaged Parquet": ("x.parquet", GOOD["columns.parquet"][:-30] + bytes(30), "PARQUET_INVALID", None),
    "text called Parquet": ("x.parquet", b"hello world", "PARQUET_INVALID", None),
    "uneven lists": ("x.parquet", parquet({"p": [[1.0, 0, 0], [1.0], [1.0, 0, 0, 0, 0], [1.0, 0, 0]]}), "NPY_REJECTED", None),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_used_is_refused_with_its_code(write: Write, what: str) -> None:
    name, data, code, item = BAD[what]
    with pytest.raises(BadInput) as refused:
        read(write(name, data))
    assert refused.value.code == code, refused.value.as_dict()
    assert item is None or refused.value.item == item
    assert "/" not in f"{refused.value.message}{refused.value.hint}", "a path of this machine"


def test_the_folder_that_all_samples_lie_in_may_be_left_out_of_their_names(write: Write) -> None:
    path = write("by-name.csv", GOOD["by-name.csv"])
    names = [f"set/train/{name}" for name in NAMES]
    found = read_predictions(path, names_N=names, classes=CLASSES, logits=False, limits=Limits())
    np.testing.assert_allclose(found.probability_NC, PROBABILITY_NC, atol=1e-6)


def test_an_embedding_is_read_alike_and_must_say_something(write: Write) -> None:
    vector_NF = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    path = write("x.npz", npz(embedding=vector_NF[SHUFFLED_N], name=np.array(NAMES)[SHUFFLED_N]))
    np.testing.assert_array_equal(read_embedding(path, names_N=NAMES, limits=Limits()), vector_NF)
    for bad in (np.ones((4, 5)), np.where(np.arange(5) == 2, np.nan, vector_NF)):
        with pytest.raises(BadInput) as refused:
            read_embedding(write("x.npy", npy(bad)), names_N=NAMES, limits=Limits())
        assert refused.value.code == "EMBEDDING_INVALID"


def test_one_name_of_two_samples_is_ambiguous(write: Write) -> None:
    path = write(
        "x.csv", csv("name,cat,dog,=fox", [[name, *row] for name, row in zip(NAMES, ROWS, strict=True)])
    )
    with pytest.raises(BadInput) as refused:
        read_predictions(
            path, names_N=["a.png", "a.png", "c.png", "d.png"], classes=CLASSES, logits=False, limits=Limits()
        )
    assert refused.value.code == "NAME_AMBIGUOUS"


def test_an_npz_that_unpacks_to_far_more_than_it_holds_is_refused_unread(write: Write) -> None:
    bomb = npz(probs=np.zeros((4_000_000, 3), np.float32))
    with pytest.raises(BadInput) as refused:
        read(write("x.npz", bomb))
    assert refused.value.code in ("ARCHIVE_BOMB", "LABEL_COUNT")
