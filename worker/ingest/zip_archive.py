"""Zip files: everything a central directory can lie about is checked before a byte is unpacked.

Members are inflated one at a time into memory (or an unnamed temporary file), never extracted to a name.
"""

from __future__ import annotations

import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import Reader, check_sizes, unsafe_entry
from worker.ingest.names import check_name, check_unique, is_ignored, shown

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s24x3H12x")
_LOCAL = struct.Struct("<4s2xHHHHLLL2H")
_END_SEARCH_BYTES = _END.size + 0xFFFF  # the end record and the longest comment behind it

_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000  # traditional, strong, and an encrypted central directory
_SIZES_FOLLOW_FLAG = 0x8
_METHODS = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # the others need unbounded memory, or nobody writes them
SMALL_BYTES = 1 << 20
"""Below this a high ratio is a blank image, not a bomb; all members together are still held to the ratio."""

_PIECE_BYTES = 1 << 20
_SPOOL_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a member's compressed bytes lie, and what they must become."""

    start: int
    compressed: int
    size: int
    method: int
    crc: int


class ZipArchive:
    """A zip file's members; raises BadInput for every archive row of the table of bad inputs."""

    what = "a zip"
    packed = True

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        with path.open("rb") as file:
            self._count_members(file, limits)
            infos = _central_directory(file)
            self._places = _checked(file, infos, limits, archive_bytes=path.stat().st_size)
        self.sizes = {name: place.size for name, place in self._places.items() if not is_ignored(name)}
        self.ignored = len(self._places) - len(self.sizes)
        check_sizes(self.sizes, limits)

    @staticmethod
    def _count_members(file: BinaryIO, limits: Limits) -> None:
        """Walks the central directory without keeping it: zipfile would build an object for every record."""
        start, length = _central_range(file)
        if length > limits.members * (46 + 3 * limits.name_bytes):
            raise BadInput("LIMIT_EXCEEDED", "The archive's list of files is too long.", limit=limits.members)
        file.seek(start)
        listing = file.read(length)
        place = count = 0
        while place + _CENTRAL.size <= len(listing):
            signature, name, extra, comment = _CENTRAL.unpack_from(listing, place)
            if signature != b"PK\x01\x02":
                break
            place += _CENTRAL.size + name + extra + comment
            count += 1
            if count > limits.members * 2:  # folders are records too
                raise BadInput("LIMIT_EXCEEDED", "Too many files.", limit=limits.members)

    def checksum(self, name: str) -> int | None:
        """The CRC-32 of the listing."""
        return self._places[name].crc

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Opens the archive."""
        with self._path.open("rb") as file:
            yield _ZipReader(file, self._places)


class _ZipReader:
    def __init__(self, file: BinaryIO, places: dict[str, _Place]) -> None:
        self._file, self._places = file, places

    def read(self, name: str) -> bytes:
        """A member's bytes; raises ARCHIVE_UNREADABLE or SIZE_MISMATCH when they are not what was declared."""
        return b"".join(_inflate(self._file, name, self._places[name]))

    def open(self, name: str) -> BinaryIO:
        """A member as a seekable file without a name."""
        spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  the caller closes it
        try:
            for piece in _inflate(self._file, name, self._places[name]):
                spool.write(piece)
            spool.seek(0)
        except BaseException:
            spool.close()
            raise
        return spool  # type: ignore[return-value]


def _inflate(file: BinaryIO, name: str, place: _Place) -> Iterator[bytes]:
    """The member's bytes in pieces, held to the declared size and checksum."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if place.method == zipfile.ZIP_DEFLATED else None
    left, made, crc = place.compressed, 0, 0
    file.seek(place.start)
    while left or (inflater and inflater.unconsumed_tail):
        if inflater and inflater.unconsumed_tail:
            raw = inflater.unconsumed_tail
        else:
            raw = file.read(min(left, _PIECE_BYTES))
            left -= len(raw)
            if not raw:
                raise unreadable("A file in the archive is cut short.", name)
        try:
            piece = inflater.decompress(raw, _PIECE_BYTES) if inflater else raw
        except zlib.error as error:
            raise unreadable("A file in the archive is damaged.", name) from error
        made += len(piece)
        if made > place.size:
            raise _mismatch(name, place.size, f"more than {place.size}")
        crc = zlib.crc32(piece, crc)
        yield piece
        if inflater and inflater.eof and (left or inflater.unused_data):
            raise _mismatch(name, place.compressed, place.compressed - left - len(inflater.unused_data))
    if inflater and not inflater.eof:
        raise unreadable("A file in the archive is cut short.", name)
    if made != place.size:
        raise _mismatch(name, place.size, made)
    if crc != place.crc:
        raise unreadable("A file in the archive does not match its checksum.", name)


def unreadable(message: str, name: str | None = None) -> BadInput:
    """What a damaged archive gets."""
    return BadInput(
        "ARCHIVE_UNREADABLE",
        message,
        hint="Pack the dataset again, or repeat the upload.",
        item=None if name is None else shown(name),
    )


def _mismatch(name: str, declared: int, found: int | str) -> BadInput:
    return BadInput(
        "SIZE_MISMATCH",
        "A file in the archive has another size than the archive says.",
        hint="Pack the dataset again.",
        item=shown(name),
        limit=declared,
        found=found,
    )


def _central_range(file: BinaryIO) -> tuple[int, int]:
    """Where the central directory begins and how long it is, by the end record (zip64 too)."""
    size = file.seek(0, 2)
    tail_start = max(0, size - _END_SEARCH_BYTES)
    file.seek(tail_start)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise unreadable("This is not a zip file, or its end is missing." if size else "The file is empty.")
    *_, length, _start, _comment = _END.unpack_from(tail, found)
    end = tail_start + found
    if end >= _END64_LOCATOR.size:
        file.seek(end - _END64_LOCATOR.size)
        signature, _disk, at, _disks = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
        if signature == b"PK\x06\x07":
            end -= _END64_LOCATOR.size + _END64.size
            if at > size or end < 0:
                raise unreadable("The archive's list of files is damaged.")
            file.seek(end)  # where zipfile looks for it, whatever the locator says
            record = _END64.unpack(file.read(_END64.size))
            if record[0] == b"PK\x06\x06":
                length = record[8]
            else:
                end += _END64_LOCATOR.size + _END64.size
    if length > end:
        raise unreadable("The archive's list of files is damaged.")
    return end - length, length


def _central_directory(file: BinaryIO) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except UnicodeDecodeError as error:
        raise BadInput("BAD_NAME", "A file name in the archive is not valid text.") from error
    # zipfile raises all of these on hostile bytes.
    except (
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        OverflowError,
        ValueError,
        EOFError,
        struct.error,
        OSError,
        IndexError,
    ) as error:
        raise unreadable("The archive's list of files is damaged.") from error


def _checked(
    file: BinaryIO, infos: list[zipfile.ZipInfo], limits: Limits, *, archive_bytes: int
) -> dict[str, _Place]:
    """Every member's place, folders left out, after all that the listing itself can show to be wrong."""
    for info in infos:
        name = info.orig_filename  # `filename` ends at the first NUL
        check_name(name, name_bytes=limits.name_bytes)
        check_name(info.filename, name_bytes=limits.name_bytes)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise unsafe_entry(name)
        if info.flag_bits & _ENCRYPTED_FLAGS:
            raise BadInput(
                "ARCHIVE_ENCRYPTED",
                "The archive is encrypted.",
                hint="Pack it without a password.",
                item=shown(name),
            )
        if info.compress_type not in _METHODS:
            raise BadInput(
                "ARCHIVE_METHOD",
                "The archive uses a compression method that is not read here.",
                hint="Pack it as an ordinary zip (Deflate).",
                item=shown(name),
                limit="stored, Deflate",
                found=zipfile.compressor_names.get(info.compress_type, str(info.compress_type)),  # type: ignore[attr-defined]
            )
    check_unique(info.filename for info in infos)
    _check_ratio(infos, limits, archive_bytes)
    places = _places(file, infos)
    return {info.filename: place for info, place in zip(infos, places, strict=True) if not info.is_dir()}


def _check_ratio(infos: list[zipfile.ZipInfo], limits: Limits, archive_bytes: int) -> None:
    for info in infos:
        if info.file_size > SMALL_BYTES and info.file_size > limits.ratio * info.compress_size:
            raise bomb(info.filename, limits.ratio, info.file_size / max(1, info.compress_size))
    total = sum(info.file_size for info in infos)
    if total > SMALL_BYTES and total > limits.ratio * archive_bytes:
        raise bomb(None, limits.ratio, total / archive_bytes)


def bomb(name: str | None, limit: float, found: float) -> BadInput:
    """What unpacks to more than the ratio allows gets."""
    return BadInput(
        "ARCHIVE_BOMB",
        "The archive unpacks to far more than its own size.",
        item=None if name is None else shown(name),
        limit=limit,
        found=round(found, 1),
    )


def _places(file: BinaryIO, infos: list[zipfile.ZipInfo]) -> list[_Place]:
    """Reads every local header: it must agree with the listing, and no two members may share bytes."""
    central_start, _ = _central_range(file)
    places: list[_Place] = []
    spans: list[tuple[int, int, str]] = []
    for info in infos:
        if not 0 <= info.header_offset <= central_start - _LOCAL.size:
            raise unreadable("The archive's list of files points outside it.", info.filename)
        file.seek(info.header_offset)
        head = _LOCAL.unpack(file.read(_LOCAL.size))
        signature, flags, method, _time, _date, _crc, compressed, size, name_bytes, extra_bytes = head
        name = file.read(name_bytes)
        if signature != b"PK\x03\x04" or _text(name, flags) != info.orig_filename:
            raise unreadable("The archive's list of files does not agree with its contents.", info.filename)
        if method != info.compress_type or flags & _ENCRYPTED_FLAGS:
            raise unreadable("The archive's list of files does not agree with its contents.", info.filename)
        follow = flags & _SIZES_FOLLOW_FLAG or 0xFFFFFFFF in (compressed, size)
        if not follow and (compressed, size) != (info.compress_size, info.file_size):
            raise _mismatch(info.filename, info.file_size, size)
        start = info.header_offset + _LOCAL.size + name_bytes + extra_bytes
        places.append(_Place(start, info.compress_size, info.file_size, info.compress_type, info.CRC))
        spans.append((info.header_offset, start + info.compress_size, info.filename))
    spans = [*sorted(spans), (central_start, central_start, "")]
    for (_, end, first), (following, _, _) in pairwise(spans):
        if end > following:
            raise BadInput("ARCHIVE_BOMB", "Files in the archive share the same bytes.", item=shown(first))
    return places


def _text(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
