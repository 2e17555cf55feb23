"""A seal: the digests of an artifact's chunks, by which a reader knows that the bytes are those that were written.

Pure; knows bytes, and nothing of where they lie.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DIGEST_BYTES = 16
"""Of SHA-256, its first: bytes that rot are what is looked for, and nobody who could write the seal as well."""
SMALLEST_CHUNK = 16 * 2**10
"""Whoever reads one thumbnail reads the chunks that it touches: about as much as a disk gives at once anyway."""
MOST_CHUNKS = 2**19
"""The chunks of larger artifacts are larger, so that no seal is over 8 MiB: it is kept in memory."""
READ_BYTES = 8 * 2**20
MAGIC = b"na-seal1"
_HEAD = struct.Struct("<8sQQ")

Buffer = bytes | memoryview


class Broken(Exception):
    """The bytes are not those that were sealed; the message says where."""


def _raised(broken: Broken) -> None:
    raise broken


@dataclass(frozen=True)
class Seal:
    """Of an artifact of `size` bytes: the digest of each chunk of `chunk_bytes`, one after the other."""

    size: int
    chunk_bytes: int
    digests: bytes

    def __bytes__(self) -> bytes:
        said = _HEAD.pack(MAGIC, self.size, self.chunk_bytes) + self.digests
        return said + _digest(said)

    @classmethod
    def read(cls, data: bytes) -> Seal:
        """The seal that was written as these bytes. Raises Broken when it is damaged itself."""
        said, check = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
        if len(said) < _HEAD.size or _digest(said) != check or not said.startswith(MAGIC):
            raise Broken("its seal")
        _, size, chunk_bytes = _HEAD.unpack_from(said)
        return cls(size, chunk_bytes, said[_HEAD.size :])

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The whole chunks that the bytes `start` up to `end` touch."""
        last = min(self.size, -(-end // self.chunk_bytes) * self.chunk_bytes)
        return start // self.chunk_bytes * self.chunk_bytes, last

    def check(self, start: int, data: Buffer) -> None:
        """Raise Broken unless these whole chunks, which begin at `start`, are those that were sealed."""
        view = memoryview(data)
        for offset in range(0, len(view), self.chunk_bytes):
            number = (start + offset) // self.chunk_bytes
            want = self.digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
            if _digest(view[offset : offset + self.chunk_bytes]) != want:
                raise Broken(f"bytes {start + offset} and on")

    def check_whole(self, data: Buffer) -> None:
        """Raise Broken unless these are all of the artifact's bytes."""
        self._check_size(len(data))
        self.check(0, data)

    def checked(
        self, pieces: Iterable[Buffer], broken: Callable[[Broken], None] = _raised
    ) -> Iterator[memoryview]:
        """All of the artifact's bytes, in whole chunks once each is checked. Raises Broken.

        Unless `broken` is told instead and does not raise: then the bytes are given as they are.
        """
        size = 0
        for start, chunks in self._aligned(pieces):
            size = start + len(chunks)
            try:
                self.check(start, chunks)
            except Broken as error:
                broken(error)
            yield chunks
        try:
            self._check_size(size)
        except Broken as error:
            broken(error)

    def _aligned(self, pieces: Iterable[Buffer]) -> Iterator[tuple[int, memoryview]]:
        """The same bytes in whole chunks, and where each lot begins."""
        held, position = b"", 0
        for piece in pieces:
            view = memoryview(held + piece) if held else memoryview(piece)
            whole = len(view) // self.chunk_bytes * self.chunk_bytes
            yield position, view[:whole]
            position, held = position + whole, bytes(view[whole:])
        yield position, memoryview(held)

    def _check_size(self, found: int) -> None:
        if found != self.size:
            raise Broken(f"{found} bytes instead of {self.size}")


def seal(data: bytes | Path) -> Seal:
    """The seal of these bytes, or of the file's."""
    if isinstance(data, Path):
        size = data.stat().st_size
        chunk_bytes = _chunk_bytes(size)
        with data.open("rb") as file:
            pieces = iter(lambda: file.read(READ_BYTES), b"")
            return Seal(size, chunk_bytes, b"".join(_digests(piece, chunk_bytes) for piece in pieces))
    chunk_bytes = _chunk_bytes(len(data))
    return Seal(len(data), chunk_bytes, _digests(data, chunk_bytes))


def _chunk_bytes(size: int) -> int:
    """A power of two, at most READ_BYTES up to artifacts of 4 TiB."""
    chunk_bytes = SMALLEST_CHUNK
    while size > chunk_bytes * MOST_CHUNKS:
        chunk_bytes *= 2
    return chunk_bytes


def _digests(data: bytes, chunk_bytes: int) -> bytes:
    view = memoryview(data)
    return b"".join(_digest(view[at : at + chunk_bytes]) for at in range(0, len(view), chunk_bytes))


def _digest(data: Buffer) -> bytes:
    return hashlib.sha256(data).digest()[:DIGEST_BYTES]
