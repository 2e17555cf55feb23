"""Each way in which a zip can be wrong gets its code before anything is written."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.source import Source
from worker.ingest.writing import Imported
from worker.ingest.zip_archive import ZipArchive

Pack = Callable[..., Path]
Bring = Callable[..., Imported]


def refused(path: Path, bring: Bring, out: Path) -> BadInput:
    """Imports what must be refused, and checks that nothing of it is left anywhere."""
    before = {found for found in path.parent.parent.rglob("*") if out not in (found, *found.parents)}
    with pytest.raises(BadInput) as caught:
        bring(path)
    assert not out.exists() or not list(out.iterdir())
    assert {found for found in path.parent.parent.rglob("*") if out not in (found, *found.parents)} == before
    assert str(path.parent) not in str(caught.value.as_dict())
    return caught.value


def patched(
    path: Path, member: str, *, central: Mapping[int, bytes], local: Mapping[int, bytes] | None = None
) -> Path:
    """Overwrites bytes of a member's central record and local header, by offset in each."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
        start = archive.start_dir
    data = bytearray(path.read_bytes())
    name = member.encode()
    place = data.index(b"PK\x01\x02", start)
    while data[place + 46 : place + 46 + len(name)] != name:
        place = data.index(b"PK\x01\x02", place + 4)
    for base, changes in ((place, central), (info.header_offset, local or {})):
        for offset, value in changes.items():
            data[base + offset : base + offset + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"just some text, renamed\n" * 50, b"PK\x03\x04 and nothing that follows", b"PK\x05\x06"],
    ids=["empty", "text", "a zip's first bytes", "a cut end record"],
)
def test_what_is_no_zip_is_unreadable(content: bytes, tmp_path: Path, bring: Bring, out: Path) -> None:
    path = tmp_path / "source" / "upload.zip"
    path.parent.mkdir()
    path.write_bytes(content)

    assert refused(path, bring, out).code == "ARCHIVE_UNREADABLE"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_zip_is_unreadable(
    kept: float, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = pack(two_classes)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])

    assert refused(path, bring, out).code == "ARCHIVE_UNREADABLE"


def test_a_member_whose_checksum_is_wrong_refuses_the_whole(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = patched(pack(two_classes), "dog/2.png", central={16: b"\x00\x01\x02\x03"})

    error = refused(path, bring, out)

    assert (error.code, error.item) == ("ARCHIVE_UNREADABLE", "dog/2.png")


def test_flipped_bytes_in_a_member_refuse_the_whole(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = pack(two_classes, method=zipfile.ZIP_STORED)
    data = path.read_bytes()
    path.write_bytes(data.replace(two_classes["cat/1.png"][40:60], bytes(20)))

    error = refused(path, bring, out)

    assert (error.code, error.item) == ("ARCHIVE_UNREADABLE", "cat/1.png")


def test_an_encrypted_zip_is_refused(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    flags = struct.pack("<H", 1)
    path = patched(pack(two_classes), "cat/1.png", central={8: flags}, local={6: flags})

    assert refused(path, bring, out).code == "ARCHIVE_ENCRYPTED"


@pytest.mark.parametrize(
    "method", [9, 12, 14, 93, 98], ids=["Deflate64", "bzip2", "LZMA", "Zstandard", "PPMd"]
)
def test_other_methods_than_deflate_are_refused(
    method: int, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    number = struct.pack("<H", method)
    path = patched(pack(two_classes), "cat/1.png", central={10: number}, local={8: number})

    assert refused(path, bring, out).code == "ARCHIVE_METHOD"


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.png",
        "cat/../../evil.png",
        "/etc/evil.png",
        "C:/evil.png",
        "C:\\evil.png",
        "cat\\evil.png",
        "cat/./e.png",
    ],
)
def test_names_that_lead_elsewhere_are_refused(
    name: str, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    assert refused(pack({**two_classes, name: b"x"}), bring, out).code == "UNSAFE_PATH"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_devices_and_pipes_are_refused(
    kind: int, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = pack(two_classes)
    info = zipfile.ZipInfo("cat/link.png")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, "/etc/passwd")

    assert refused(path, bring, out).code == "UNSAFE_ENTRY"


@pytest.mark.parametrize(
    "name",
    ["cat/1.png", "CAT/1.PNG", "cat/é.png"],
    ids=["equal", "equal but for case", "equal but for composition"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(
    name: str, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = pack({**two_classes, "cat/e\u0301.png": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"y")

    assert refused(path, bring, out).code == "DUPLICATE_NAME"


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\x07", "\n", "\x7f"])
def test_names_with_control_or_bidirectional_characters_are_refused(
    character: str, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    error = refused(pack({**two_classes, f"cat/a{character}b.png": b"x"}), bring, out)

    assert error.code == "BAD_NAME"
    assert error.item is not None
    assert character not in error.item


def test_a_name_that_hides_its_end_behind_nul_is_refused(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    path = patched(pack(two_classes), "cat/1.png", central={46: b"cat/1\x00png"}, local={30: b"cat/1\x00png"})

    assert refused(path, bring, out).code == "BAD_NAME"


def test_a_bomb_is_refused_by_its_ratio(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    error = refused(pack({**two_classes, "cat/bomb.png": bytes(200 << 20)}), bring, out)

    assert (error.code, error.item, error.limit) == ("ARCHIVE_BOMB", "cat/bomb.png", 200)


def test_many_small_bombs_are_one_bomb(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    members = {f"cat/{number}.png": bytes(1 << 20) for number in range(3, 20)}

    assert refused(pack(members), bring, out).code == "ARCHIVE_BOMB"


def test_members_that_share_their_bytes_are_refused(tmp_path: Path, bring: Bring, out: Path) -> None:
    """Fifield's construction: many records of the central directory point at one compressed kernel."""
    kernel = zlib.compress(b"noise" * 40, 9, wbits=-15)
    crc = zlib.crc32(b"noise" * 40)
    sizes = struct.pack("<LLL", crc, len(kernel), 200)
    body, central, offsets = b"", b"", []
    names = [b"cat/1.png", b"dog/2.png"]
    for name in names:  # the first member's bytes are the second's local header and bytes
        offsets.append(len(body))
        body += (
            b"PK\x03\x04"
            + struct.pack("<HHHHH", 20, 0, 8, 0, 33)
            + sizes
            + struct.pack("<HH", len(name), 0)
            + name
        )
    body += kernel
    for name, offset in zip(names, offsets, strict=True):
        central += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
        central += struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, offset) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 2, 2, len(central), len(body), 0)
    path = tmp_path / "source" / "overlap.zip"
    path.parent.mkdir()
    path.write_bytes(body + central + end)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == 2  # zipfile sees nothing wrong

    error = refused(path, bring, out)

    assert (error.code, error.item) == ("ARCHIVE_BOMB", "cat/1.png")


@pytest.mark.parametrize("suffix", ["zip", "tar.gz", "7z"])
def test_an_archive_in_the_archive_is_refused(
    suffix: str, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x", "y")

    assert (
        refused(pack({**two_classes, f"cat/inner.{suffix}": inner.getvalue()}), bring, out).code
        == "ARCHIVE_BOMB"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("members", 3),
        ("member_bytes", 300),
        ("expanded_bytes", 1000),
        ("name_bytes", 8),
        ("upload_bytes", 500),
    ],
)
def test_limits_hold(
    open_source: Callable[..., Source], field: str, value: int, two_classes: dict[str, bytes], pack: Pack
) -> None:
    with pytest.raises(BadInput) as caught:
        open_source(pack(two_classes), limits=Limits.model_validate({field: value}))

    assert caught.value.code == "LIMIT_EXCEEDED"
    assert caught.value.limit == value


def test_a_long_list_of_files_is_refused_before_it_is_read_into_memory(pack: Pack) -> None:
    path = pack({f"cat/{number}.png": b"" for number in range(300)})

    with pytest.raises(BadInput) as caught:
        ZipArchive(path, Limits(members=100))

    assert caught.value.code == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_a_member_of_another_size_than_declared_is_refused(
    change: int, two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    size = struct.pack("<L", len(two_classes["dog/1.png"]) + change)
    path = patched(pack(two_classes), "dog/1.png", central={24: size}, local={22: size})

    error = refused(path, bring, out)

    assert (error.code, error.item) == ("SIZE_MISMATCH", "dog/1.png")


def test_a_listing_that_disagrees_with_the_member_is_refused(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring, out: Path
) -> None:
    smaller = struct.pack("<L", 10)
    assert (
        refused(patched(pack(two_classes), "dog/1.png", central={24: smaller}), bring, out).code
        == "SIZE_MISMATCH"
    )
    assert (
        refused(
            patched(pack(two_classes), "dog/1.png", central={}, local={30: b"cow/1.png"}), bring, out
        ).code
        == "ARCHIVE_UNREADABLE"
    )


def test_members_come_back_whole_from_every_kind_of_good_zip(
    two_classes: dict[str, bytes], tmp_path: Path, limits: Limits
) -> None:
    streamed = io.BytesIO()

    class Unseekable(io.RawIOBase):
        """Makes zipfile write sizes behind the data, as it does into a pipe."""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return streamed.write(data)

    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in two_classes.items():
            archive.writestr(name, data)
    zip64 = io.BytesIO()
    with zipfile.ZipFile(zip64, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("cat")
        for name, data in two_classes.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
        archive.comment = b"a comment"
    for content in (streamed.getvalue(), zip64.getvalue(), b"#!/bin/sh\n" + streamed.getvalue()):
        path = tmp_path / "good.zip"
        path.write_bytes(content)
        members = ZipArchive(path, limits)
        with members.reading() as reader:
            assert {name: reader.read(name) for name in members.sizes} == two_classes
            with reader.open("cat/1.png") as file:
                file.seek(5)
                assert file.read() == two_classes["cat/1.png"][5:]


def test_what_the_operating_system_left_behind_is_ignored_and_counted(
    two_classes: dict[str, bytes], pack: Pack, bring: Bring
) -> None:
    rubbish = {
        "__MACOSX/cat/._1.png": b"x",
        "cat/.DS_Store": b"x",
        "dog/Thumbs.db": b"x",
        ".git/config": b"x",
    }

    imported = bring(pack({**two_classes, **rubbish, "README.txt": b"hello", "cat/notes.txt": b"hello"}))

    assert imported.report["imported"] == 4
    assert imported.report["ignored"] == 6
    assert imported.report["unreadable"] == []
