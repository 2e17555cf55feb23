"""Named bytes in a local folder or an S3 bucket, the same on both; knows neither meanings nor what they should be."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from backend.audit.errors import NotFound, Unavailable

MULTIPART_BYTES = 64 * 2**20
"""Larger objects are sent in parts: one request may carry no more than 5 GiB, and is held in memory."""
CHUNK_BYTES = 8 * 2**20

log = logging.getLogger(__name__)


class Stored(NamedTuple):
    """An object as the store lists it; `size` in bytes."""

    key: str
    size: int
    modified_at: datetime


class Disk(NamedTuple):
    """A disk, in bytes."""

    total_bytes: int
    free_bytes: int


class Objects:
    """Bytes by key (`datasets/…/thumbs.pack`). Objects appear whole or not at all; thread-safe.

    Every method raises Unavailable (ARTIFACTS_AWAY, DISK_FULL) when the store fails, and the reading ones
    NotFound (ARTIFACT_MISSING) when there is no such key.
    """

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    @classmethod
    def open(cls, location: str, data: Path) -> Objects:
        """The store at `location`: s3://bucket/prefix, a folder, or (empty) the folder `artifacts` in `data`.

        S3 takes its credentials, region and endpoint from the usual AWS_* variables.
        """
        if location.startswith("s3://"):
            return cls(
                S3Store.from_url(
                    location,
                    # The default tries for three minutes, in which a browser would see nothing at all.
                    retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=20)},
                )
            )
        folder = Path(location) if location else data / "artifacts"
        if not folder.exists():
            # People's images: for nobody else on this machine.
            folder.mkdir(parents=True)
            folder.chmod(0o700)
        return cls(LocalStore(folder, automatic_cleanup=True))

    def put(self, key: str, data: bytes | Path, *, replace: bool = False) -> bool:
        """Store the bytes, or the file's, under the key; give whether anything was written.

        Without `replace` an existing object stays as it is (False): a job delivered twice publishes once.
        """
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        with _translated(key):
            if not replace and size <= MULTIPART_BYTES:
                try:
                    # One request, and the store itself decides who was first.
                    obstore.put(self._store, key, data, mode="create", use_multipart=False)
                except AlreadyExistsError:
                    return False
                return True
            if not replace and self.exists(key):
                # Parts cannot be conditional; whoever comes second writes the same bytes again.
                return False
            obstore.put(self._store, key, data, chunk_size=CHUNK_BYTES, max_concurrency=4)
            return True

    def get(self, key: str) -> bytes:
        """All bytes of the object."""
        with _translated(key):
            return bytes(obstore.get(self._store, key).bytes())

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes `start` up to (not with) `end`."""
        if start == end:
            return b""
        with _translated(key):
            return bytes(obstore.get_range(self._store, key, start=start, end=end))

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of each (start, end); neighbouring ranges share a request."""
        wanted = [(start, end) for start, end in ranges if end > start]
        if not wanted:
            return [b""] * len(ranges)
        with _translated(key):
            starts, ends = zip(*wanted, strict=True)
            found = iter(obstore.get_ranges(self._store, key, starts=starts, ends=ends))
            return [bytes(next(found)) if end > start else b"" for start, end in ranges]

    def chunks(self, key: str) -> Iterator[memoryview]:
        """All bytes of the object, some megabytes at a time; of one version, even when it is replaced meanwhile."""
        with _translated(key):
            for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK_BYTES):
                yield memoryview(chunk)

    def adopt(self, key: str, path: Path) -> None:
        """As `put`; where the store is a folder on the file's disk it shares the bytes with it, at no cost.

        So the file may be removed afterwards, but never written to.
        """
        target = self.local_path(key)
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except FileExistsError:
                return
            except OSError as error:
                log.debug("%s cannot be linked (%s), so it is copied", key, error)
            else:
                return
        self.put(key, path)

    def local_path(self, key: str) -> Path | None:
        """Where the object lies as a file of this machine, to be read only; None for a bucket."""
        if not isinstance(self._store, LocalStore) or self._store.prefix is None:
            return None
        return Path(self._store.prefix) / key

    def exists(self, key: str) -> bool:
        """Whether there is an object of exactly this key."""
        try:
            self.size(key)
        except NotFound:
            return False
        return True

    def size(self, key: str) -> int:
        """The object's size in bytes."""
        with _translated(key):
            return int(obstore.head(self._store, key)["size"])

    def stored(self, prefix: str) -> list[Stored]:
        """The objects under the prefix (whole path segments) with size and age, sorted by key."""
        with _translated(prefix):
            found = (meta for chunk in obstore.list(self._store, prefix) for meta in chunk)
            return sorted(Stored(meta["path"], int(meta["size"]), meta["last_modified"]) for meta in found)

    def delete(self, prefix: str) -> None:
        """Remove the object of this key and everything under it; what is not there is no error."""
        keys = [stored.key for stored in self.stored(prefix)]
        if self.exists(prefix):
            keys.append(prefix)
        with _translated(prefix):
            for key in keys:
                try:
                    obstore.delete(self._store, key)
                except NotFoundError:
                    continue

    def ping(self) -> None:
        """Raise Unavailable (ARTIFACTS_AWAY) unless the store answers, and a folder can be written."""
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            if not os.access(self._store.prefix, os.W_OK | os.X_OK):
                raise Unavailable(
                    "ARTIFACTS_AWAY",
                    "The artifact folder is gone or cannot be written.",
                    hint="Mount it, or give the server's user its rights back.",
                )
        else:
            # One request, and whatever it answers, it answered.
            self.exists("probe")

    def disk(self) -> Disk | None:
        """The disk where the objects lie; None for a bucket, which has no end that we could see."""
        if isinstance(self._store, LocalStore) and self._store.prefix is not None:
            used = shutil.disk_usage(self._store.prefix)
            return Disk(used.total, used.free)
        return None


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Our errors for the store's; the message never carries a path of this machine."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound("ARTIFACT_MISSING", "This file is not in the artifact store.", item=key) from error
    except BaseError as error:
        if "os error 28" in str(error):
            raise Unavailable(
                "DISK_FULL", "The artifact store has no space left.", hint="Make space and try again."
            ) from error
        raise Unavailable(
            "ARTIFACTS_AWAY", "The artifact store does not answer.", hint="Try again in a moment.", item=key
        ) from error
