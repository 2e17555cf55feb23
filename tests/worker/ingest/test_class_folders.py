"""Which folder is the class, which the split, and in which order the samples come."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.class_folders import recognise
from worker.ingest.listed import Listed
from worker.ingest.members import Reader
from worker.ingest.source import Entry, Source, Wish
from worker.ingest.writing import Imported


class Names:
    """Members that hold their own names; enough for a format that looks at names only."""

    what = "a test"
    ignored = 0
    packed = True

    def __init__(self, *names: str) -> None:
        self.sizes: Mapping[str, int] = dict.fromkeys(names, 1)

    def checksum(self, name: str) -> int | None:
        return None

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        yield self  # type: ignore[misc]

    def read(self, name: str) -> bytes:
        return name.encode()


def folders(*names: str, split: str = "train") -> Listed:
    source = recognise(Names(*names), Wish(split), Limits())
    assert source is not None
    return source


def labels(source: Listed, limit: int | None = None) -> list[tuple[str, str | None]]:
    return [(entry.label, entry.split) for entry in source.entries(limit) if isinstance(entry, Entry)]


@pytest.mark.parametrize("around", ["", "data/", "my data/images/"])
def test_the_class_is_the_first_folder_below_what_is_around_everything(around: str) -> None:
    source = folders(f"{around}cat/1.png", f"{around}cat/more/2.png", f"{around}dog/1.png")

    assert source.classes == ["cat", "dog"]
    assert Counter(labels(source)) == {("cat", None): 2, ("dog", None): 1}
    assert source.splits == {}


def test_split_folders_are_not_classes() -> None:
    names = [
        f"set/{split}/{label}/{n}.png" for split in ("Train", "test") for label in "ab" for n in range(3)
    ]

    assert folders(*names).splits == {"train": 6, "test": 6}
    assert folders(*names).classes == ["a", "b"]
    assert folders(*names).total == 6
    assert {split for _, split in labels(folders(*names))} == {"train"}
    assert {split for _, split in labels(folders(*names, split="test"))} == {"test"}
    assert [split for _, split in labels(folders(*names, split="all"))] == ["train"] * 6 + ["test"] * 6


def test_the_only_split_is_taken_whatever_it_is_called() -> None:
    source = folders("valid/a/1.png", "valid/b/1.png")

    assert (source.taken, source.total) == ("val", 2)


@pytest.mark.parametrize(
    "names", [("a/1.png", "b/1.png"), ("val/a/1.png", "val/b/1.png", "test/a/1.png", "test/b/1.png")]
)
def test_a_split_that_is_not_there_is_refused(names: tuple[str, ...]) -> None:
    wanted = "test" if names[0] == "a/1.png" else "train"
    with pytest.raises(BadInput) as caught:
        folders(*names, split=wanted)

    assert (caught.value.code, caught.value.found) == ("SPLIT_MISSING", wanted)


def test_classes_come_in_natural_order() -> None:
    assert folders("10/a.png", "9/a.png", "x/a.png", "1/a.png").classes == ["1", "9", "10", "x"]


def test_any_prefix_of_the_order_holds_the_classes_in_the_proportions_of_the_whole() -> None:
    sizes = {"a": 100, "b": 50, "c": 10}
    source = folders(*(f"{label}/{n}.png" for label, size in sizes.items() for n in range(size)))
    everything = labels(source)

    for limit in (16, 48, 96, 160):
        prefix = labels(source, limit)
        assert prefix == everything[:limit]
        for label, size in sizes.items():
            assert abs(prefix.count((label, None)) - size * limit / 160) <= 1


def test_within_a_class_images_come_in_natural_order() -> None:
    source = folders("a/img10.png", "a/img9.png", "a/img1.png", "b/x.png")
    names = [entry.name for entry in source.entries() if isinstance(entry, Entry) and entry.label == "a"]

    assert names == ["a/img1.png", "a/img9.png", "a/img10.png"]


def test_images_outside_class_folders_and_pickles_are_listed() -> None:
    source = folders("a/1.png", "b/1.png", "stray.jpg", "a/model.pkl")

    assert {(one.item, one.code) for one in source.refusals} == {
        ("stray.jpg", "LABEL_MISSING"),
        ("a/model.pkl", "PICKLE_REFUSED"),
    }


def test_class_names_are_composed() -> None:
    assert folders("caf\u0065\u0301/1.png", "b/1.png").classes == ["b", "café"]


@pytest.mark.parametrize("names", [("cat/1.png", "cat/2.png"), ("x/cat/1.png", "x/cat/2.png")])
def test_one_class_only_is_too_few(names: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        folders(*names)

    assert (caught.value.code, caught.value.item) == ("TOO_FEW", "cat")


def test_limits_on_classes_hold() -> None:
    with pytest.raises(BadInput, match="Too many classes"):
        recognise(Names("a/1.png", "b/1.png", "c/1.png"), Wish(), Limits(classes=2))
    with pytest.raises(BadInput, match="too long"):
        recognise(Names("a/1.png", "bbbbbb/1.png"), Wish(), Limits(label_characters=5))


def test_a_folder_on_disk_is_read_as_its_zip_is(
    two_classes: dict[str, bytes],
    pack: Callable[..., Path],
    bring: Callable[..., Imported],
    tmp_path: Path,
) -> None:
    for name, data in two_classes.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(data)

    from_folder, from_zip = bring(tmp_path / "folder"), bring(pack(two_classes))

    assert from_folder.names == from_zip.names == ["cat/1.png", "dog/1.png", "cat/2.png", "dog/2.png"]
    assert from_folder.content_hash == from_zip.content_hash
    assert from_folder.report["reason"] == "a folder with 2 class folders"


@pytest.mark.parametrize("kind", ["symlink", "folder symlink", "FIFO"])
def test_links_and_pipes_in_a_folder_are_refused(
    open_source: Callable[..., Source], kind: str, tmp_path: Path, limits: Limits
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.png").write_bytes(b"x")
    folder = tmp_path / "folder" / "cat"
    folder.mkdir(parents=True)
    if kind == "symlink":
        (folder / "1.png").symlink_to(tmp_path / "elsewhere" / "secret.png")
    elif kind == "folder symlink":
        (folder / "more").symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(folder / "1.png")

    with pytest.raises(BadInput) as caught:
        open_source(tmp_path / "folder", limits=limits)

    assert caught.value.code == "UNSAFE_ENTRY"


def test_a_file_that_changes_after_it_was_listed_is_refused(
    open_source: Callable[..., Source], two_classes: dict[str, bytes], tmp_path: Path, limits: Limits
) -> None:
    for name, data in two_classes.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    source = open_source(tmp_path, limits=limits)
    (tmp_path / "dog" / "1.png").write_bytes(b"grown " * 1000)

    with pytest.raises(BadInput) as caught:
        list(source.entries())

    assert (caught.value.code, caught.value.item) == ("SIZE_MISMATCH", "dog/1.png")
