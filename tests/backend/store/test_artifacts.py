"""Artifacts behave the same in a folder and in an S3 bucket, and never give bytes that rotted; packs give single items."""

from __future__ import annotations

import io
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from backend.audit.errors import Damaged, NotFound, Unavailable
from backend.store import objects
from backend.store.artifacts import SEAL, Artifacts
from backend.store.packs import Pack
from tests.bucket import new_bucket, s3_environment


def _point_at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_environment(address).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    """An empty store of each kind."""
    if request.param == "folder":
        return Artifacts.open(str(tmp_path / "kept"), tmp_path)
    address = request.getfixturevalue("s3_address")
    _point_at(address, monkeypatch)
    return Artifacts.open(f"s3://{new_bucket(address)}/some/prefix", tmp_path)


def test_bytes_and_files_come_back_equal(store: Artifacts, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(300_000)
    (tmp_path / "file").write_bytes(data)
    assert store.put("a/bytes", data)
    assert store.put("a/file", tmp_path / "file")
    assert store.put("a/empty", b"")
    assert store.get("a/bytes") == store.get("a/file") == data
    assert store.get("a/empty") == b""
    assert store.size("a/file") == len(data)
    assert store.get_range("a/file", 1000, 1010) == data[1000:1010]
    assert store.get_range("a/file", 7, 7) == b""
    ranges = [(299_990, 300_000), (0, 5), (40, 40), (3, 9)]
    assert store.get_ranges("a/file", ranges) == [data[start:end] for start, end in ranges]
    assert store.get_ranges("a/file", [(1, 1)]) == [b""]
    store.download("a/file", tmp_path / "deep/er/copy")
    assert (tmp_path / "deep/er/copy").read_bytes() == data


def test_what_exists_stays_unless_replaced(store: Artifacts) -> None:
    assert store.put("key", b"first")
    assert not store.put("key", b"second")
    assert store.get("key") == b"first"
    assert store.put("key", b"third", replace=True)
    assert store.get("key") == b"third"


def test_of_many_that_write_at_once_one_wins_and_says_so(store: Artifacts) -> None:
    won: list[int] = []
    begin = threading.Barrier(8)

    def write(number: int) -> None:
        begin.wait()
        if store.put("key", bytes([number]) * 10_000):
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("key") == bytes(won) * 10_000


def test_large_objects_travel_in_parts(
    store: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "MULTIPART_BYTES", 2**20)
    monkeypatch.setattr(objects, "CHUNK_BYTES", 5 * 2**20)
    data = np.random.default_rng(0).bytes(11 * 2**20)
    (tmp_path / "large").write_bytes(data)
    assert store.put("large", tmp_path / "large")
    assert not store.put("large", b"x" * (2**20 + 1))
    assert store.get_range("large", 10 * 2**20, 10 * 2**20 + 50) == data[10 * 2**20 : 10 * 2**20 + 50]
    store.download("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


def test_listing_and_deleting_go_by_whole_segments(store: Artifacts) -> None:
    for key in ("runs/a/x", "runs/a/deep/y", "runs/ab/z", "runs/a.txt"):
        store.put(key, b"1")
    assert store.list("runs/a") == ["runs/a/deep/y", "runs/a/x"]
    assert store.exists("runs/a/x")
    assert not store.exists("runs/a")
    store.delete("runs/a")
    store.delete("runs/none")
    assert store.list("runs") == ["runs/a.txt", "runs/ab/z"]
    store.delete("runs/a.txt")
    assert store.list("") == ["runs/ab/z"]


def test_a_folder_is_mirrored_there_and_back(store: Artifacts, tmp_path: Path) -> None:
    folder = tmp_path / "training"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"1")
    (folder / "deep/b").write_bytes(b"2")
    store.upload_folder(folder, "runs/r/checkpoint")
    (folder / "a").write_bytes(b"changed")
    (folder / "c").write_bytes(b"3")
    store.upload_folder(folder, "runs/r/checkpoint", replace=False)
    assert store.get("runs/r/checkpoint/a") == b"1"
    store.upload_folder(folder, "runs/r/checkpoint/")
    store.download_folder("runs/r/checkpoint", tmp_path / "back")
    back = {path.relative_to(tmp_path / "back").as_posix(): path for path in (tmp_path / "back").rglob("*")}
    assert {name: path.read_bytes() for name, path in back.items() if path.is_file()} == {
        "a": b"changed",
        "deep/b": b"2",
        "c": b"3",
    }


def test_a_missing_key_is_not_found_and_names_no_path(store: Artifacts, tmp_path: Path) -> None:
    for attempt in (
        lambda: store.get("no/such"),
        lambda: store.get_range("no/such", 0, 1),
        lambda: store.get_ranges("no/such", [(0, 1)]),
        lambda: store.download("no/such", tmp_path / "copy"),
        lambda: store.size("no/such"),
        lambda: Pack(store, "no/such"),
    ):
        with pytest.raises(NotFound) as caught:
            attempt()
        assert str(tmp_path) not in str(caught.value.as_dict())
    assert not (tmp_path / "copy").exists()


def test_a_folder_says_how_much_is_free_and_is_closed_to_others(tmp_path: Path) -> None:
    free = Artifacts.open("", tmp_path).free_bytes()
    assert free is not None
    assert free > 0
    assert (tmp_path / "artifacts").stat().st_mode & 0o077 == 0


def test_a_bucket_that_is_away_is_unavailable_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _point_at("http://127.0.0.1:1", monkeypatch)
    store = Artifacts.open("s3://nowhere", tmp_path)
    assert store.free_bytes() is None
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        store.get("key")
    assert caught.value.code == "ARTIFACTS_AWAY"
    assert time.monotonic() - began < 20


def test_a_pack_gives_each_item_and_the_many_in_the_order_asked(store: Artifacts) -> None:
    items = [bytes([number]) * (number * 37 % 11) for number in range(50)]
    offset_M = np.cumsum([0, *map(len, items)]).astype(np.int64)
    file = io.BytesIO()
    np.save(file, offset_M)
    store.put("d/thumbs.pack", b"".join(items))
    store.put("d/thumbs.offsets.npy", file.getvalue())
    pack = Pack(store, "d/thumbs")
    assert len(pack) == 50
    assert [pack.read(index) for index in range(50)] == items
    wanted = [49, 0, 7, 7, 12]
    assert pack.read_many(wanted) == [items[index] for index in wanted]
    for outside in (-1, 50):
        with pytest.raises(NotFound):
            pack.read(outside)


def test_the_offsets_are_read_once_per_store(store: Artifacts) -> None:
    file = io.BytesIO()
    np.save(file, np.array([0, 1], np.int64))
    store.put("d/thumbs.pack", b"x")
    store.put("d/thumbs.offsets.npy", file.getvalue())
    assert Pack(store, "d/thumbs").read(0) == b"x"
    store.delete("d/thumbs.offsets.npy")
    assert Pack(store, "d/thumbs").read(0) == b"x"


def test_an_adopted_file_may_go_and_adopting_twice_is_adopting_once(store: Artifacts, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"bytes")
    store.adopt("uploads/a", path)
    store.adopt("uploads/a", path)
    path.unlink()
    path.touch()
    assert store.get("uploads/a") == b"bytes"
    where = store.local_path("uploads/a")
    assert where is None or where.read_bytes() == b"bytes"


def flip(store: Artifacts, key: str, at: int) -> None:
    """As a disk does that rots: below the store."""
    data = bytearray(store.objects.get(key))
    data[at] ^= 1
    store.objects.put(key, bytes(data), replace=True)


@pytest.mark.parametrize("at", [0, 20_000, -1])
@pytest.mark.parametrize("what", ["", SEAL])
def test_a_flipped_byte_is_noticed_however_it_is_read_and_named_in_the_log(
    store: Artifacts, tmp_path: Path, what: str, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    data = np.random.default_rng(0).bytes(50_000)
    store.put("datasets/d/images.pack", data)
    store.put("datasets/d/other", data)
    assert store.get_range("datasets/d/images.pack", 5, 9) == data[5:9]
    flip(store, f"datasets/d/images.pack{what}", at if not what else at % 40)
    if what:
        # Another process, which has not read the seal before.
        store = Artifacts(store.objects)
    place = at % 50_000
    for attempt in (
        lambda: store.get("datasets/d/images.pack"),
        lambda: store.get_range("datasets/d/images.pack", place, place + 1),
        lambda: store.get_ranges("datasets/d/images.pack", [(0, 9), (place, place + 1), (40_000, 50_000)]),
        lambda: list(store.chunks("datasets/d/images.pack")),
        lambda: store.download("datasets/d/images.pack", tmp_path / "copy"),
    ):
        caplog.clear()
        with pytest.raises(Damaged) as caught:
            attempt()
        assert (caught.value.code, caught.value.item) == ("ARTIFACT_CORRUPT", "datasets/d/images.pack")
        assert caught.value.hint
        assert "datasets/d/images.pack" in caplog.text
        assert str(tmp_path) not in str(caught.value.as_dict())
    assert list(tmp_path.glob("copy*")) == []
    assert store.state("datasets/d/images.pack") == "damaged"
    assert store.state("datasets/d/other") == "whole"
    assert store.get("datasets/d/other") == data


def test_a_damaged_chunk_keeps_nobody_from_the_others(store: Artifacts) -> None:
    data = np.random.default_rng(0).bytes(50_000)
    store.put("pack", data)
    flip(store, "pack", 20_000)
    assert store.get_ranges("pack", [(0, 100), (40_000, 50_000)]) == [data[:100], data[40_000:]]


@pytest.mark.parametrize("length", [0, 16_384, 49_999, 50_001])
def test_what_was_cut_off_or_grew_is_noticed(store: Artifacts, length: int) -> None:
    data = np.random.default_rng(0).bytes(50_000)
    store.put("key", data)
    store.objects.put("key", (data + b"x")[:length], replace=True)
    with pytest.raises(Damaged):
        store.get("key")
    with pytest.raises(Damaged):
        list(store.chunks("key"))
    if length < 50_000:
        with pytest.raises(Damaged):
            store.get_range("key", 49_000, 50_000)


def test_what_older_versions_stored_is_read_as_before(
    store: Artifacts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.objects.put("old", b"0123456789")
    assert store.get("old") == b"0123456789"
    assert store.get_ranges("old", [(2, 4), (0, 1)]) == [b"23", b"0"]
    store.download("old", tmp_path / "copy")
    assert store.state("old") == "unsealed"
    store.put("old", b"new", replace=True)
    assert store.state("old") == "whole"
    assert store.get_range("old", 0, 3) == b"new"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_seals_are_neither_listed_nor_left_behind(store: Artifacts) -> None:
    store.put("runs/r/a", b"1")
    store.put("runs/r/deep/b", b"2")
    store.put("single", b"3")
    assert store.list("") == ["runs/r/a", "runs/r/deep/b", "single"]
    store.delete("single")
    store.delete("runs/r/a")
    store.delete("runs")
    assert store.objects.stored("") == []


def test_what_another_process_replaced_is_read_by_its_new_seal(store: Artifacts) -> None:
    store.put("key", b"first" * 10_000)
    assert store.get_range("key", 0, 5) == b"first"
    Artifacts(store.objects).put("key", b"second" * 10_000, replace=True)
    assert store.get_range("key", 0, 6) == b"second"


def test_a_writer_that_died_before_its_bytes_arrived_is_in_nobodys_way(store: Artifacts) -> None:
    store.objects.put(f"key{SEAL}", b"of bytes that never came")
    with pytest.raises(NotFound):
        store.get_range("key", 0, 1)
    assert store.put("key", b"bytes")
    assert store.get("key") == store.get_range("key", 0, 5) == b"bytes"


def test_a_pack_gives_what_is_whole_beside_what_is_damaged(store: Artifacts) -> None:
    items = [bytes([number]) * 20_000 for number in range(5)]
    file = io.BytesIO()
    np.save(file, np.cumsum([0, *map(len, items)]).astype(np.int64))
    store.put("d/thumbs.pack", b"".join(items))
    store.put("d/thumbs.offsets.npy", file.getvalue())
    pack = Pack(store, "d/thumbs")
    assert pack.read_each([4, 0]) == [items[4], items[0]]
    flip(store, "d/thumbs.pack", 49_000)
    with pytest.raises(Damaged):
        pack.read_many([4, 2, 0])
    assert pack.read_each([4, 2, 0]) == [items[4], None, items[0]]
