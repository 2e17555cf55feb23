"""The file that a backup is: a zip of tables and artifacts, and the manifest with the hash of each.

Knows the file alone; what goes into it is `backup`'s to say, what is made of it `restore`'s. Zip, because its
directory stands at the end: a file that was cut off cannot be opened.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from backend.audit.errors import BadInput

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK_BYTES = 2**20
Buffer = bytes | bytearray | memoryview
OLDEST_TIME = (1980, 1, 1, 0, 0, 0)
"""When a zip's members were made: not of interest, and so equal backups are equal to the byte."""


@dataclass(frozen=True)
class Part:
    """One member's size in bytes and the SHA-256 of its bytes."""

    size: int
    sha256: str


@dataclass(frozen=True)
class TablePart(Part):
    """Rows of one table, or of one of its partitions, in PostgreSQL's binary COPY format, ordered by the key."""

    table: str
    partition: str | None
    """The list value whose partition this is."""
    columns: list[str]
    key: list[str]

    @property
    def member(self) -> str:
        """Its name in the zip."""
        return f"tables/{self.table}" + (f"/{self.partition}" if self.partition else "")


@dataclass(frozen=True)
class ArtifactPart(Part):
    """One artifact."""

    key: str

    @property
    def member(self) -> str:
        """Its name in the zip."""
        return f"artifacts/{self.key}"


@dataclass(frozen=True)
class QueuedJob:
    """A job that waited or ran."""

    function: str
    queue: str
    key: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `revision` is that of the tables; `made_at` ISO 8601, UTC."""

    made_by: str
    made_at: str
    revision: str
    tables: list[TablePart] = field(default_factory=list)
    artifacts: list[ArtifactPart] = field(default_factory=list)
    jobs: list[QueuedJob] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of everything in it."""
        return sum(part.size for part in (*self.tables, *self.artifacts))


class Writer:
    """Writes the members of a new backup one after the other, hashing as it goes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def member(self, name: str, data: Iterable[Buffer], *, compress: bool) -> Part:
        """Append one member; images and weights are compressed already, rows are not."""
        info = zipfile.ZipInfo(name, OLDEST_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(info, "w", force_zip64=True) as member:
            for chunk in data:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return Part(size, digest.hexdigest())

    def manifest(self, manifest: Manifest) -> None:
        """The last member."""
        text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, ensure_ascii=False)
        self.member(MANIFEST, [text.encode()], compress=True)


class Reader:
    """Reads a backup; every byte that it hands out belongs to a member whose hash is checked at its end."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.manifest = self._read_manifest()

    def chunks(self, part: TablePart | ArtifactPart) -> Iterator[bytes]:
        """The member's bytes. Raises BadInput (BACKUP_DAMAGED) at its end when they are not those written."""
        digest = hashlib.sha256()
        with damage_named(part.member), self._archive.open(part.member) as member:
            while chunk := member.read(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
        if digest.hexdigest() != part.sha256:
            raise damaged(part.member)

    def _read_manifest(self) -> Manifest:
        with damage_named(MANIFEST):
            said = json.loads(self._archive.read(MANIFEST))
            made = said.pop("format")
            if made != FORMAT:
                raise BadInput(
                    "BACKUP_NEWER",
                    "The backup was written in a form that this version does not know.",
                    hint="Restore it with the version that made it, or a later one.",
                    found=made,
                    limit=FORMAT,
                )
            kinds = {"tables": TablePart, "artifacts": ArtifactPart, "jobs": QueuedJob}
            for name, kind in kinds.items():
                said[name] = [kind(**each) for each in said[name]]
            return Manifest(**said)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open a backup. Raises BadInput (BACKUP_DAMAGED, BACKUP_NEWER), and FileNotFoundError."""
    with damage_named(path.name):
        archive = zipfile.ZipFile(path)
    with archive:
        yield Reader(archive)


@contextmanager
def damage_named(item: str) -> Iterator[None]:
    """What the standard library says of a broken zip, in our words."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        TypeError,
        EOFError,
        UnicodeDecodeError,
        JSONDecodeError,
    ) as error:
        raise damaged(item) from error


def damaged(item: str) -> BadInput:
    """The refusal of a backup that is not as it was written."""
    return BadInput(
        "BACKUP_DAMAGED",
        "This is no backup of Noise Audit, or it was damaged or cut off.",
        hint="Use another copy of it; nothing was restored.",
        item=item,
    )
