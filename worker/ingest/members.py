"""Where the files of a dataset lie: in a zip, in a folder, or one alone; formats read them only through this."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.names import check_name, check_unique, is_ignored, shown

PARQUET_SUFFIX = ".parquet"

# fmt: off
ARCHIVE_SUFFIXES = (
    ".zip", ".jar", ".tar", ".tgz", ".gz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar", ".lz4", ".cab", ".iso",
)
# fmt: on
"""What holds other files. Inside a container only a format that knows it may open one."""


class Reader(Protocol):
    """Reads members while their container is open."""

    def read(self, name: str) -> bytes:
        """All bytes of a member; for small ones (`check_member_sizes`)."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A seekable file of a member, for formats that need random access; the caller closes it."""
        ...


class Members(Protocol):
    """The files of a container, already checked: names safe and unique, sizes within the limits.

    `sizes` holds bytes by name, without folders and without what the system left behind; `ignored` counts
    the latter. `what` names the container in words. `packed` says whether it is an archive.
    """

    @property
    def what(self) -> str: ...
    @property
    def sizes(self) -> Mapping[str, int]: ...
    @property
    def ignored(self) -> int: ...
    @property
    def packed(self) -> bool: ...

    def checksum(self, name: str) -> int | None:
        """The member's checksum, where the container's listing says one: equal files have equal ones."""
        ...

    def reading(self) -> AbstractContextManager[Reader]:
        """Opens the container for reading."""
        ...


def check_sizes(sizes: Mapping[str, int], limits: Limits) -> None:
    """Raises BadInput LIMIT_EXCEEDED for too many members, or too large ones together."""
    if len(sizes) > limits.members:
        raise BadInput("LIMIT_EXCEEDED", "Too many files.", limit=limits.members, found=len(sizes))
    total = sum(sizes.values())
    if total > limits.expanded_bytes:
        raise BadInput(
            "LIMIT_EXCEEDED", "The files are too large together.", limit=limits.expanded_bytes, found=total
        )


def check_member_sizes(members: Members, names: Iterable[str], limit: int) -> None:
    """Raises BadInput LIMIT_EXCEEDED for a member over `limit` bytes: what is read whole is held in memory."""
    for name in names:
        if members.sizes[name] > limit:
            raise BadInput(
                "LIMIT_EXCEEDED",
                "A file is too large.",
                item=shown(name),
                limit=limit,
                found=members.sizes[name],
            )


def nested_archive(name: str) -> BadInput:
    """What an archive in an archive gets."""
    return BadInput(
        "ARCHIVE_BOMB",
        "The archive holds another archive.",
        hint="Unpack the inner archive and pack the images themselves.",
        item=shown(name),
    )


class Folder:
    """A folder on this machine: regular files only, links are not followed."""

    what = "a folder"
    packed = False

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        found = dict(self._walk())
        check_unique(found)
        self.sizes = {name: size for name, size in found.items() if not is_ignored(name)}
        self.ignored = len(found) - len(self.sizes)
        check_sizes(self.sizes, limits)

    def _walk(self) -> Iterator[tuple[str, int]]:
        waiting = [("", self._root)]
        seen = 0
        while waiting:
            prefix, folder = waiting.pop()
            with os.scandir(folder) as listing:
                for item in listing:
                    name = prefix + item.name
                    seen += 1
                    if seen > 2 * self._limits.members:  # folders count too, or a tree of them has no end
                        raise BadInput("LIMIT_EXCEEDED", "Too many files.", limit=self._limits.members)
                    check_name(name, name_bytes=self._limits.name_bytes)
                    status = item.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append((name + "/", Path(item.path)))
                    elif stat.S_ISREG(status.st_mode):
                        yield name, status.st_size
                    else:
                        raise unsafe_entry(name)

    def checksum(self, name: str) -> int | None:
        """A folder keeps none."""
        return None

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The folder needs no opening."""
        yield self

    def read(self, name: str) -> bytes:
        """All bytes of a file; a file that changed since it was listed is refused."""
        with self.open(name) as file:
            data = file.read(self.sizes[name] + 1)
        if len(data) != self.sizes[name]:
            raise BadInput("SIZE_MISMATCH", "A file changed while it was read.", item=shown(name))
        return data

    def open(self, name: str) -> BinaryIO:
        """A listed file; `name` comes from our own listing of the folder, never from a user."""
        if name not in self.sizes:
            raise KeyError(name)
        try:
            descriptor = os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise BadInput(
                "FILE_UNREADABLE",
                "A file of the folder cannot be read.",
                hint="Check that it still exists and that the server may read it.",
                item=shown(name),
            ) from error
        return os.fdopen(descriptor, "rb")


class SingleFile:
    """One file that is a dataset by itself."""

    what = "a file"
    ignored = 0
    packed = False

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.sizes = {name: path.stat().st_size}

    def checksum(self, name: str) -> int | None:
        """A file alone has none."""
        return None

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """The file needs no opening beforehand."""
        yield self

    def read(self, name: str) -> bytes:
        """All its bytes."""
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """The file, whatever it is called."""
        if name not in self.sizes:
            raise KeyError(name)
        return self._path.open("rb")


def unsafe_entry(name: str) -> BadInput:
    """What a link, device or FIFO gets."""
    return BadInput(
        "UNSAFE_ENTRY",
        "The dataset holds a link, a device or a pipe.",
        hint="Put the files themselves there.",
        item=shown(name),
    )
