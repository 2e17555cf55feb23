"""Named files → the chunks of one zip or tar, whose length is known beforehand; the same bytes each time.

Holds one chunk in memory. Knows no datasets and no disk.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

CHUNK_BYTES = 1 << 18
"""Small files travel together in chunks of about this size."""
SUMS = "SHA256SUMS"
"""Lists every other file's hash, in the form that `sha256sum --check` reads."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can say: the clock must not change an export's bytes."""
_ZIP64_FROM = zipfile.ZIP64_LIMIT
_FILES_WITHOUT_ZIP64 = zipfile.ZIP_FILECOUNT_LIMIT
_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE


class Member(NamedTuple):
    """One file of an archive. `length` is None where only writing it tells (never in a tar)."""

    name: str
    length: int | None
    chunks: Callable[[], Iterable[bytes]]


def whole(name: str, data: bytes) -> Member:
    """A small file that is in memory already."""
    return Member(name, len(data), lambda: [data])


class Summed:
    """Members, and after them the file of their hashes, which is complete only when they have been written."""

    def __init__(self, members: Callable[[], Iterator[Member]]) -> None:
        self._members = members

    def __iter__(self) -> Iterator[Member]:
        lines: list[str] = []
        length = 0
        for member in self._members():
            length += len(_sum_line("0" * 64, member.name).encode())
            yield member._replace(chunks=partial(self._hashed, member, lines))
        yield Member(SUMS, length, lambda: ["".join(lines).encode()])

    @staticmethod
    def _hashed(member: Member, lines: list[str]) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in member.chunks():
            digest.update(chunk)
            yield chunk
        lines.append(_sum_line(digest.hexdigest(), member.name))


def _sum_line(digest: str, name: str) -> str:
    return f"{digest}  {name}\n"


class _Sink(io.RawIOBase):
    """Takes what a zipfile writes and gives it away; like a pipe, it only goes forward."""

    def __init__(self, start: int = 0) -> None:
        self._parts: list[bytes] = []
        self._at = start

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        raise io.UnsupportedOperation("seek")  # the base class's takes no offset from 2 GiB on

    def take(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def zip_chunks(members: Iterable[Member], *, start: int = 0) -> Iterator[bytes]:
    """A zip of stored (not compressed: images are) files. `start`: bytes that go before it."""
    sink = _Sink(start)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.file_size = member.length or 0
            with archive.open(info, "w") as file:
                for chunk in member.chunks():
                    file.write(chunk)
                    yield sink.take()
    yield sink.take()


def zip_bytes(members: Iterable[Member], *, start: int = 0) -> int | None:
    """The length of `zip_chunks`; None when it is not known."""
    at, directory, count = start, 0, 0
    for member in members:
        if member.length is None:
            return None
        name = len(member.name.encode())
        # A header after which the data comes, then the sizes behind the data; a second entry in the directory.
        directory += 46 + name + (12 if at > _ZIP64_FROM else 0)
        at += 30 + name + member.length + 16
        count += 1
    large = count > _FILES_WITHOUT_ZIP64 or at > _ZIP64_FROM or directory > _ZIP64_FROM
    return at - start + directory + (56 + 20 if large else 0) + 22


def tar_chunks(members: Iterable[Member]) -> Iterator[bytes]:
    """A tar in the POSIX form, which reads from front to end."""
    at = 0
    for member in members:
        header = _tar_header(member)
        yield header
        written = 0
        for chunk in member.chunks():
            written += len(chunk)
            yield chunk
        if written != member.length:
            raise ValueError(f"{member.name} has {written} bytes, not {member.length}")
        yield bytes(-written % _BLOCK)
        at += len(header) + written + -written % _BLOCK
    at += 2 * _BLOCK
    yield bytes(2 * _BLOCK + -at % _RECORD)


def tar_bytes(members: Iterable[Member]) -> int:
    """The length of `tar_chunks`."""
    at = 2 * _BLOCK
    for member in members:
        size = member.length or 0
        # Of the usual names, the header is one block: made twice, a million of them would take half a minute.
        usual = member.name.isascii() and len(member.name) <= tarfile.LENGTH_NAME and size < 8**11
        at += (_BLOCK if usual else len(_tar_header(member))) + size + -size % _BLOCK
    return at + -at % _RECORD


def _tar_header(member: Member) -> bytes:
    info = tarfile.TarInfo(member.name)
    if member.length is None:
        raise ValueError(f"a tar needs the size of {member.name} beforehand")
    info.size = member.length
    return info.tobuf(tarfile.PAX_FORMAT)


def gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of at least CHUNK_BYTES, the last one aside."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class Arranged(NamedTuple):
    """A file that is still to be written; `length` in bytes, where it is known."""

    length: int | None
    chunks: Iterable[bytes]


def zipped(members: Callable[[], Iterable[Member]], manifest: bytes) -> Arranged:
    """A zip of these files with `manifest.json` and `SHA256SUMS`."""

    def complete() -> Iterator[Member]:
        yield from members()
        yield whole("manifest.json", manifest)

    summed = Summed(complete)
    return Arranged(zip_bytes(summed), gathered(zip_chunks(summed)))
