"""Named arrays in one file, in the safetensors format, written so that a crash leaves the old file or the new.

Knows numpy arrays and files; must not know what the arrays mean. Nothing here can run code on reading.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000
"""The format's own limit."""


class UnreadableFile(ValueError):
    """The file is missing, cut short, or not in the format."""


def encode(
    arrays: Mapping[str, AnyArray], metadata: Mapping[str, str] = MappingProxyType({})
) -> list[bytes | memoryview]:
    """The file's bytes in pieces: header length (8 bytes, little-endian), JSON header, then each array's own memory."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    bodies: list[bytes | memoryview] = []
    offset = 0
    # Widest first, as the reference writer does, so that every array starts aligned.
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        if little.dtype not in _NAMES:
            raise ValueError(f"array {name!r} has the unsupported type {array.dtype}")
        header[name] = {
            "dtype": _NAMES[little.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + little.nbytes],
        }
        bodies.append(little.reshape(-1).view(np.uint8).data)
        offset += little.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little"), text, *bodies]


def decode(content: bytes) -> tuple[dict[str, AnyArray], dict[str, str]]:
    """Arrays and metadata of `encode`'s bytes; raises UnreadableFile."""
    try:
        length = int.from_bytes(content[:8], "little")
        if len(content) < 8 or length > min(_LONGEST_HEADER, len(content) - 8):
            raise UnreadableFile("the file is cut short")
        header = json.loads(content[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        body = memoryview(content)[8 + length :]
        arrays: dict[str, AnyArray] = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            if not 0 <= begin <= end <= len(body):
                raise UnreadableFile(f"array {name!r} reaches beyond the end of the file")
            arrays[name] = (
                np.frombuffer(body[begin:end], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"the file is not in the safetensors format: {error}") from error
    return arrays, metadata


def write_atomically(path: Path, pieces: Iterable[bytes | memoryview]) -> str:
    """Puts the pieces one after another at the path, durably and whole or not at all; returns their SHA-256 in hex."""
    temporary = path.with_name(f".{path.name}.part")
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest.hexdigest()


def read_verified(path: Path, sha256: str) -> bytes:
    """The file's bytes, if they are those that were written; raises UnreadableFile."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnreadableFile(f"{path.name} is not what was written")
    return content
