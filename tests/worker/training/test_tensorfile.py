"""Files in the safetensors format: read by its library, reading its files, whole or not at all."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.training.tensorfile import UnreadableFile, decode, encode, read_verified, write_atomically

ARRAYS = {
    "weights": np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32),
    "half": np.arange(7, dtype=np.float16),
    "double": np.array([np.pi, np.inf]),
    "labels": np.arange(-3, 4, dtype=np.int64),
    "classes": np.array([0, 65535], dtype=np.uint16),
    "state": np.arange(256, dtype=np.uint8),
    "flags": np.array([True, False]),
    "scalar": np.array(7, dtype=np.int64),
    "empty": np.zeros((0, 3), dtype=np.float32),
}


def test_the_formats_own_library_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    write_atomically(path, encode(ARRAYS, {"epoch": "3"}))
    read = safetensors.numpy.load_file(path)
    assert set(read) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    with safetensors.safe_open(path, framework="np") as file:
        assert file.metadata() == {"epoch": "3"}


def test_we_read_what_the_formats_own_library_writes() -> None:
    arrays, metadata = decode(safetensors.numpy.save(ARRAYS, {"by": "library"}))
    assert metadata == {"by": "library"}
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_file_cut_short_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableFile):
        decode(b"".join(encode(ARRAYS))[:length])


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_called_unreadable(content: bytes) -> None:
    for candidate in (content, struct.pack("<Q", len(content)) + content):
        try:
            decode(candidate)
        except UnreadableFile:
            continue


def test_an_array_that_claims_more_than_the_file_holds_is_unreadable() -> None:
    header = b'{"a":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}'
    with pytest.raises(UnreadableFile, match="beyond the end"):
        decode(struct.pack("<Q", len(header)) + header + b"\0" * 16)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_atomically(path, [b"old"])
    path.with_name(".state.part").mkdir()  # the place of the temporary file is taken: writing must fail
    with pytest.raises(OSError, match="directory"):
        write_atomically(path, [b"new"])
    assert path.read_bytes() == b"old"


def test_bytes_that_changed_are_not_accepted(tmp_path: Path) -> None:
    path = tmp_path / "state"
    sha256 = write_atomically(path, [b"content"])
    assert read_verified(path, sha256) == b"content"
    path.write_bytes(b"c0ntent")
    with pytest.raises(UnreadableFile, match="not what was written"):
        read_verified(path, sha256)
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_verified(tmp_path / "absent", sha256)
