"""Archives written forwards, read back by the standard library, with the length that was announced."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile

import pytest

from backend.audit.forms.archive import (
    Member,
    Summed,
    gathered,
    tar_bytes,
    tar_chunks,
    whole,
    zip_bytes,
    zip_chunks,
)

FILES = {"a.txt": b"one", "empty": b"", "ü/" + "long" * 40 + ".png": b"x" * 3000, "b/c.bin": b"\x00" * 512}
MEMBERS = [whole(name, data) for name, data in FILES.items()]


def test_a_zip_has_the_announced_length_and_every_file() -> None:
    data = b"".join(zip_chunks(MEMBERS))
    assert len(data) == zip_bytes(MEMBERS)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_a_tar_has_the_announced_length_and_every_file() -> None:
    data = b"".join(tar_chunks(MEMBERS))
    assert len(data) == tar_bytes(MEMBERS)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|") as archive:
        found = {}
        for info in archive:
            file = archive.extractfile(info)
            assert file is not None
            found[info.name] = file.read()
    assert found == FILES


def test_the_announced_length_holds_beyond_the_limits_of_old_zips() -> None:
    many = [whole(f"{number}", b"") for number in range(65_600)]
    assert sum(map(len, zip_chunks(many))) == zip_bytes(many)
    beyond = 3 << 30
    assert sum(map(len, zip_chunks(MEMBERS, start=beyond))) == zip_bytes(MEMBERS, start=beyond)


def test_the_same_files_give_the_same_bytes() -> None:
    assert b"".join(zip_chunks(MEMBERS)) == b"".join(zip_chunks(MEMBERS))
    assert b"".join(tar_chunks(MEMBERS)) == b"".join(tar_chunks(MEMBERS))


def test_the_sums_name_each_file_and_its_hash() -> None:
    summed = Summed(lambda: iter(MEMBERS))
    data = b"".join(zip_chunks(summed))
    assert len(data) == zip_bytes(summed)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = archive.read("SHA256SUMS").decode().splitlines()
    assert dict(line.split("  ", 1)[::-1] for line in lines) == {
        name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()
    }


def test_a_file_of_unknown_size_leaves_the_length_open_and_a_tar_refuses_it() -> None:
    unknown = [Member("later", None, lambda: [b"abc", b"def"])]
    assert zip_bytes(unknown) is None
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_chunks(unknown)))) as archive:
        assert archive.read("later") == b"abcdef"
    with pytest.raises(ValueError, match="later"):
        list(tar_chunks(unknown))


def test_small_chunks_are_gathered_without_a_byte_lost() -> None:
    chunks = [bytes([number % 251]) * 1000 for number in range(1000)]
    together = list(gathered(chunks))
    assert b"".join(together) == b"".join(chunks)
    assert len(together) == 4
