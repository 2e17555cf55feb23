"""From a path to a recognised source: which container it is, then which format; knows no pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import arrays, cifar, class_folders, coco, idx, manifest, parquet, webdataset
from worker.ingest.members import (
    ARCHIVE_SUFFIXES,
    PARQUET_SUFFIX,
    Folder,
    Members,
    SingleFile,
    nested_archive,
)
from worker.ingest.names import PICKLE_SUFFIXES, shown
from worker.ingest.parquet_schema import invalid
from worker.ingest.source import COLUMNS, Recognised, Wish
from worker.ingest.tar_archive import TarArchive, gunzipped
from worker.ingest.zip_archive import ZipArchive, unreadable

Recognise = Callable[[Members, Wish, Limits], Recognised | None]

FORMATS: Mapping[str, Recognise] = {
    "cifar": cifar.recognise,
    "idx": idx.recognise,
    "arrays": arrays.recognise,
    "webdataset": webdataset.recognise,
    "coco": coco.recognise,
    "manifest": manifest.recognise,
    "parquet": parquet.recognise,
    "class-folder": class_folders.recognise,
}
"""Each format's recogniser, the surest signs first: members, wish, limits → a source, or None."""

_TAR_MAGIC_AT = 257
_OTHER_ARCHIVES = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
}
_PICKLE_MAGIC = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@contextmanager
def opened_source(
    path: Path,
    *,
    name: str | None = None,
    wish: Wish | None = None,
    format: str = "auto",
    limits: Limits,
    scratch: Path | None = None,
) -> Iterator[Recognised]:
    """Recognises a file or a folder, and checks it as a whole before anything is kept; it is read inside the block.

    `name` is what its owner calls it, of which only the ending counts. `format` is auto or one of `FORMATS`; a gzipped archive is unpacked into an unnamed file in `scratch` (the
    system's folder for such when None). Raises BadInput with the codes of the table of bad inputs.
    """
    wish = wish or Wish()
    if format != "auto" and format not in FORMATS:
        raise BadInput(
            "FORMAT_UNKNOWN",
            "This format is not known.",
            limit=", ".join(["auto", *FORMATS]),
            found=shown(format),
        )
    for word in wish.columns:
        if word not in COLUMNS:
            raise BadInput(
                "COLUMN_UNKNOWN",
                "A column can be said for these words only.",
                limit=", ".join(COLUMNS),
                found=shown(word),
            )
    with ExitStack() as stack:
        members = _members(path, name or path.name, limits, scratch, stack)
        yield _recognised(members, wish, format, limits)


def _recognised(members: Members, wish: Wish, format: str, limits: Limits) -> Recognised:
    wanted = FORMATS if format == "auto" else {format: FORMATS[format]}
    found = next((source for one in wanted.values() if (source := one(members, wish, limits))), None)
    for name in members.sizes if members.packed else ():
        if name.casefold().endswith(ARCHIVE_SUFFIXES) and (found is None or name not in found.opens):
            raise nested_archive(name)
    if found is None:
        raise _nothing(members, format)
    if wish.columns and found.columns is None:
        raise BadInput(
            "COLUMN_UNKNOWN",
            f"This was recognised as {found.format}, which has no columns to choose.",
            hint="Leave the columns out.",
            found=shown(", ".join(wish.columns)),
        )
    return found


def _nothing(members: Members, format: str) -> BadInput:
    refused = [name for name in members.sizes if name.casefold().endswith(PICKLE_SUFFIXES)]
    if refused:
        return _pickle(shown(refused[0]))
    return BadInput(
        "NOTHING_RECOGNISED",
        f"There are no labelled images that can be recognised in {members.what}."
        if format == "auto"
        else f"There is no {format} dataset in {members.what}.",
        hint="Put each class's images in a folder named after the class: cat/1.jpg, dog/2.jpg. "
        "Or lay a labels.csv with the columns image and label beside the images.",
    )


def _members(path: Path, name: str, limits: Limits, scratch: Path | None, stack: ExitStack) -> Members:
    if path.is_dir():
        return Folder(path, limits)
    if not path.is_file():
        raise BadInput("FILE_UNREADABLE", "There is no such file or folder.", item=shown(name))
    size = path.stat().st_size
    if size > limits.upload_bytes:
        raise BadInput("LIMIT_EXCEEDED", "The file is too large.", limit=limits.upload_bytes, found=size)
    file = stack.enter_context(path.open("rb"))
    head = file.read(512)
    suffix = PurePosixPath(name).suffix.casefold()
    if head.startswith(_PICKLE_MAGIC) or suffix in PICKLE_SUFFIXES:
        raise _pickle(None)
    if head.startswith(b"PAR1"):
        return SingleFile(path, f"data{PARQUET_SUFFIX}")
    if suffix == PARQUET_SUFFIX:
        raise invalid("This is not a Parquet file.")
    if head.startswith(b"\x1f\x8b"):
        file.seek(0)
        unpacked = stack.enter_context(gunzipped(file, limits, compressed=size, scratch=scratch))
        return TarArchive(cast(BinaryIO, unpacked), limits, what="a gzipped tar")
    if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar" or suffix == ".tar":
        return TarArchive(file, limits)
    for magic, method in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise BadInput(
                "ARCHIVE_METHOD",
                f"This archive is packed with {method}, which is not read here.",
                hint="Pack it as a zip, a tar or a tar.gz.",
                limit="zip, tar, tar.gz",
                found=method,
            )
    if size and not head.startswith(b"PK"):
        raise unreadable("This is no zip, tar, tar.gz, npz or Parquet file.")
    return ZipArchive(path, limits)


def _pickle(item: str | None) -> BadInput:
    return BadInput(
        "PICKLE_REFUSED",
        "Pickled files can run code when they are opened, so they never are.",
        hint="Send the images in class folders in a zip, or as Parquet or npz.",
        item=item,
    )
