"""The artifact store: named bytes, each with the seal beside it by which every reader sees that they are whole.

The seal of `KEY` is the object `KEY.seal`. What was stored by versions without seals has none and is read unchecked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from backend.audit.errors import Damaged, NotFound, Unavailable
from backend.store.objects import Disk, Objects, Stored
from backend.store.recent import Recent
from backend.store.seals import Broken, Buffer, Seal, seal

SEAL = ".seal"
SEALS_BYTES = 64 * 2**20
"""Seals kept in memory: they are a thousandth of the artifacts that are read in parts."""

Read = TypeVar("Read")

log = logging.getLogger(__name__)


class Artifacts:
    """Bytes by key (`datasets/…/thumbs.pack`). They appear whole or not at all; thread-safe.

    Every method raises Unavailable (ARTIFACTS_AWAY, DISK_FULL) when the store fails; the reading ones NotFound
    (ARTIFACT_MISSING) when there is no such key, and Damaged (ARTIFACT_CORRUPT), logged with the key, instead of
    bytes that are not those that were stored.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        """Below the seals: for whoever copies both."""
        self._seals = Recent(SEALS_BYTES, _weight)

    @classmethod
    def open(cls, location: str, data: Path) -> Artifacts:
        """The store at `location`: s3://bucket/prefix, a folder, or (empty) the folder `artifacts` in `data`."""
        return cls(Objects.open(location, data))

    def put(self, key: str, data: bytes | Path, *, replace: bool = False) -> bool:
        """Store the bytes, or the file's, under the key; give whether anything was written.

        Without `replace` an existing one stays as it is (False): a job delivered twice publishes once.
        """
        if not replace and self.exists(key):
            return False
        sealed = bytes(seal(data))
        # First, so that nobody finds the bytes without it.
        first = self.objects.put(key + SEAL, sealed, replace=replace)
        written = self.objects.put(key, data, replace=replace)
        if written and not first:
            # Another writer's, who came second, or died in between.
            self.objects.put(key + SEAL, sealed, replace=True)
        self._seals.drop(key)
        return written

    def get(self, key: str) -> bytes:
        """All bytes of the artifact."""
        return self._again(key, lambda: self._whole(key))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes `start` up to (not with) `end`."""
        return self.get_ranges(key, [(start, end)])[0]

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of each (start, end); neighbouring ranges share a request."""
        return self._again(key, lambda: self._ranges(key, ranges))

    def _again(self, key: str, read: Callable[[], Read]) -> Read:
        """Read twice before calling it damaged: it may have been replaced since its seal was read."""
        try:
            return read()
        except Damaged:
            self._seals.drop(key)
        with _logged(key):
            return read()

    def _whole(self, key: str) -> bytes:
        sealed, data = self._seal(key), self.objects.get(key)
        if sealed is not None:
            with self._compared(key, sealed):
                sealed.check_whole(data)
        return data

    def _ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        if not any(end > start for start, end in ranges):
            return [b""] * len(ranges)
        sealed: Seal | None = self._seals.get(key, lambda: self._seal(key))
        if sealed is None:
            try:
                return self.objects.get_ranges(key, ranges)
            except NotFound:
                # Nothing is there yet, so nothing is known of its seal either.
                self._seals.drop(key)
                raise
        wanted = sorted({sealed.around(start, end) for start, end in ranges if end > start})
        with self._compared(key, sealed):
            whole = dict(zip(wanted, self.objects.get_ranges(key, wanted), strict=True))
            for (start, end), data in whole.items():
                if len(data) != end - start:
                    raise Broken("it is cut off")
                sealed.check(start, data)
        found = []
        for start, end in ranges:
            begin = sealed.around(start, end)[0]
            data = whole[sealed.around(start, end)] if end > start else b""
            found.append(data[start - begin : end - begin])
        return found

    def chunks(self, key: str) -> Iterator[Buffer]:
        """All bytes of the artifact, some megabytes at a time; of one version, even when it is replaced meanwhile."""
        with _logged(key):
            sealed = self._seal(key)
            pieces = self.objects.chunks(key)
            if sealed is None:
                yield from pieces
                return
            with self._compared(key, sealed):
                yield from sealed.checked(pieces)

    def copied(self, key: str, damaged: Callable[[str], None]) -> Iterator[Buffer]:
        """As `chunks`, but what is damaged is given as it is, and its key told and logged: for whoever keeps a copy."""
        found: list[Broken] = []
        try:
            sealed = self._seal(key)
        except Damaged as error:
            sealed, found = None, [Broken(str(error.__cause__))]
        pieces = self.objects.chunks(key)
        yield from pieces if sealed is None else sealed.checked(pieces, found.append)
        if found:
            log.error("the artifact %s is damaged: %s are not what was stored", key, found[0])
            damaged(key)

    def state(self, key: str) -> Literal["whole", "damaged", "unsealed"]:
        """What reading every byte of the artifact shows. Raises NotFound and Unavailable."""
        try:
            sealed = self._seal(key)
            if sealed is None:
                self.size(key)
                return "unsealed"
            with self._compared(key, sealed):
                for _ in sealed.checked(self.objects.chunks(key)):
                    pass
        except Damaged:
            return "damaged"
        return "whole"

    def download(self, key: str, path: Path) -> None:
        """Write the artifact to a file, which appears only when whole; missing folders are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("wb") as file:
                for chunk in self.chunks(key):
                    file.write(chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def download_folder(self, prefix: str, folder: Path) -> None:
        """Write everything under the prefix into the folder, at its key's remainder."""
        for key in self.list(prefix):
            self.download(key, folder / key.removeprefix(prefix).lstrip("/"))

    def upload_folder(
        self,
        folder: Path,
        prefix: str,
        *,
        replace: bool = True,
        before_each: Callable[[], None] = lambda: None,
    ) -> None:
        """Store every file of the folder under the prefix, in the order of their names.

        With `replace=False` files whose key exists are not sent again (for files that never change). `before_each`
        raises to keep the rest from being stored.
        """
        there = set() if replace else set(self.list(prefix))
        for path in sorted(folder.rglob("*")):
            key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
            if path.is_file() and key not in there:
                before_each()
                self.put(key, path, replace=True)

    def adopt(self, key: str, path: Path) -> None:
        """As `put`, without a seal: whoever hands it over keeps a digest of its own.

        Where the store is a folder on the file's disk it shares the bytes with it, at no cost. So the file may be
        removed afterwards, but never written to.
        """
        self.objects.adopt(key, path)

    def local_path(self, key: str) -> Path | None:
        """Where the artifact lies as a file of this machine, to be read only and unchecked; None for a bucket."""
        return self.objects.local_path(key)

    def exists(self, key: str) -> bool:
        """Whether there is an artifact of exactly this key."""
        return self.objects.exists(key)

    def size(self, key: str) -> int:
        """The artifact's size in bytes."""
        return self.objects.size(key)

    def list(self, prefix: str) -> list[str]:
        """The keys under the prefix (whole path segments), sorted."""
        return [stored.key for stored in self.stored(prefix)]

    def stored(self, prefix: str) -> Sequence[Stored]:
        """As `list`, with each artifact's size and age."""
        return [stored for stored in self.objects.stored(prefix) if not stored.key.endswith(SEAL)]

    def delete(self, prefix: str) -> None:
        """Remove the artifact of this key and everything under it; what is not there is no error."""
        self.objects.delete(prefix)
        self.objects.delete(prefix + SEAL)

    def ping(self) -> None:
        """Raise Unavailable (ARTIFACTS_AWAY) unless the store answers, and a folder can be written."""
        self.objects.ping()

    def disk(self) -> Disk | None:
        """The disk where the artifacts lie; None for a bucket, which has no end that we could see."""
        return self.objects.disk()

    def free_bytes(self) -> int | None:
        """Free space where the artifacts lie; None for a bucket."""
        disk = self.disk()
        return None if disk is None else disk.free_bytes

    def _seal(self, key: str) -> Seal | None:
        try:
            return Seal.read(self.objects.get(key + SEAL))
        except NotFound:
            return None
        except Broken as broken:
            # Of what is not there nothing is damaged: a writer may have died before its bytes arrived.
            self.size(key)
            raise _damaged(key, broken) from broken

    @contextmanager
    def _compared(self, key: str, sealed: Seal) -> Iterator[None]:
        """Damaged, not Unavailable, when what is read in the block is other than what was sealed."""
        try:
            yield
        except Broken as broken:
            raise _damaged(key, broken) from broken
        except Unavailable as error:
            # A store refuses to read behind an object's end.
            if not isinstance(error, Damaged) and self.size(key) < sealed.size:
                raise _damaged(key, Broken("it is cut off")) from error
            raise


@contextmanager
def _logged(key: str) -> Iterator[None]:
    try:
        yield
    except Damaged as damaged:
        log.error("the artifact %s is damaged: %s are not what was stored", key, damaged.__cause__)
        raise


def _damaged(key: str, broken: Broken) -> Damaged:
    return Damaged(
        "ARTIFACT_CORRUPT",
        "A stored file is not what it was when it was written.",
        hint="Restore it from a backup, or make it anew: import the dataset or start the audit again.",
        item=key,
    )


def _weight(sealed: Seal | None) -> int:
    return 100 + (0 if sealed is None else len(sealed.digests))
