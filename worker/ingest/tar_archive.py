"""Tar files, gzipped or not: listed and checked once, then read member by member, never extracted to a name.

A gzipped one is unpacked into an unnamed file first, held to the limits as it grows, so that its members can be
read in any order.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import Reader, check_sizes, unsafe_entry
from worker.ingest.names import check_name, check_unique, is_ignored, shown
from worker.ingest.zip_archive import SMALL_BYTES, bomb, unreadable

_PIECE_BYTES = 1 << 20
_HEADER_BYTES = 1 << 20
"""No header needs more, long names and attributes included; tarfile would read what it says into memory."""
_BLOCK = 512
# What tarfile and gzip raise on hostile bytes.
_MALFORMED = (
    tarfile.TarError,
    ValueError,
    OSError,
    EOFError,
    OverflowError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    zlib.error,
)


class TarArchive:
    """A tar's members; raises BadInput for every archive row of the table of bad inputs.

    `file` is a seekable file of the tar that stays open, and belongs to the caller.
    """

    packed = True

    def __init__(self, file: BinaryIO, limits: Limits, *, what: str = "a tar") -> None:
        self._file, self.what = file, what
        places, folders = _listing(file, limits)
        check_unique([*places, *folders])
        self._places = {name: place for name, place in places.items() if not is_ignored(name)}
        self.sizes = {name: size for name, (_, size) in self._places.items()}
        self.ignored = len(places) - len(self.sizes)
        check_sizes(self.sizes, limits)

    def checksum(self, name: str) -> int | None:
        """A tar keeps none of its members' contents."""
        return None

    def place(self, name: str) -> tuple[int, int]:
        """The first byte of a member in the tar, and how many they are."""
        return self._places[name]

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The file is open already."""
        yield self

    def read(self, name: str) -> bytes:
        """A member's bytes."""
        start, size = self._places[name]
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) != size:
            raise unreadable("A file in the archive is cut short.", name)
        return data

    def open(self, name: str) -> BinaryIO:
        """A member as a seekable file of its own."""
        start, size = self._places[name]
        return io.BufferedReader(_Part(self._file, start, size), _PIECE_BYTES >> 4)


def gunzipped(source: BinaryIO, limits: Limits, *, compressed: int, scratch: Path | None = None) -> IO[bytes]:
    """What a gzip file holds, in an unnamed temporary file (in `scratch`) that the caller closes.

    `compressed` is the size of the source in bytes. Raises BadInput ARCHIVE_BOMB, LIMIT_EXCEEDED or
    ARCHIVE_UNREADABLE as soon as it is known.
    """
    out = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  the caller closes it
    made = 0
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
            while piece := unpacked.read(_PIECE_BYTES):
                made += len(piece)
                if made > limits.expanded_bytes:
                    raise BadInput(
                        "LIMIT_EXCEEDED",
                        "The files are too large together.",
                        limit=limits.expanded_bytes,
                        found=f"more than {limits.expanded_bytes}",
                    )
                if made > SMALL_BYTES and made > limits.ratio * compressed:
                    raise bomb(None, limits.ratio, made / max(1, compressed))
                out.write(piece)
        out.seek(0)
    except (OSError, EOFError, zlib.error) as error:
        out.close()
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of our own disk, not of the archive
        raise unreadable("The compressed file is damaged or cut short.") from error
    except BaseException:
        out.close()
        raise
    return out


def _listing(file: BinaryIO, limits: Limits) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Where each file's bytes lie (start, size), and the folders' names; every name is checked."""
    places: dict[str, tuple[int, int]] = {}
    folders: list[str] = []
    seen: set[str] = set()
    try:
        size = file.seek(0, 2)
        file.seek(0)
        with tarfile.TarFile(fileobj=_Headers(file), mode="r") as archive:  # type: ignore[arg-type]
            while (info := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile keeps each for ever; we keep what we need
                if len(seen) > 2 * limits.members:
                    raise BadInput("LIMIT_EXCEEDED", "Too many files.", limit=limits.members)
                name = _checked_name(info, limits)
                if not name:
                    continue
                if name in seen:
                    check_unique([name, name])
                seen.add(name)
                if info.isdir():
                    folders.append(name)
                elif info.offset_data + info.size > size:
                    raise unreadable("A file in the archive is cut short.", name)
                else:
                    places[name] = (info.offset_data, info.size)
            end = archive.offset
    except _MALFORMED as error:
        raise unreadable("The archive is damaged, or not a tar.") from error
    _check_end(file, end)
    return places, folders


def _checked_name(info: tarfile.TarInfo, limits: Limits) -> str:
    """The member's name; empty for the folder that everything lies in. `tar c .` puts ./ before every name."""
    name = info.name
    while name.startswith("./"):
        name = name[2:]
    name = name.rstrip("/") if info.isdir() else name
    if name in ("", ".") and info.isdir():
        return ""
    check_name(name, name_bytes=limits.name_bytes)
    if info.sparse is not None or info.type == tarfile.GNUTYPE_SPARSE:
        raise BadInput(
            "ARCHIVE_METHOD",
            "The archive holds a sparse file, which is not read here.",
            hint="Pack it without --sparse.",
            item=shown(name),
        )
    if not (info.isreg() or info.isdir()) or stat.S_IFMT(info.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise unsafe_entry(name)
    return name


def _check_end(file: BinaryIO, end: int) -> None:
    """A tar ends with blocks of zeros; tarfile also stops, in silence, at the first header it cannot read."""
    file.seek(end)
    block = file.read(_BLOCK)
    if len(block) != _BLOCK or any(block):
        raise unreadable("The archive is damaged, or its end is missing.")


class _Headers:
    """The file as tarfile may see it while it lists: no header makes it read more than a header can hold."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise ValueError("a header that is no header")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Part(io.RawIOBase):
    """Bytes `start` to `start + size` of a file, as a file that shares the other's position with nobody."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(min(len(buffer), max(0, self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = max(0, place + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
