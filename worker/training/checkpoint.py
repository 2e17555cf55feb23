"""A training's state on disk after every epoch; knows files and arrays, not what trains.

Two files per epoch: the arrays (safetensors) and, written after them, a JSON document that holds their
SHA-256. A checkpoint without a valid document does not exist. The two newest are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.training.tensorfile import (
    AnyArray,
    UnreadableFile,
    decode,
    encode,
    read_verified,
    write_atomically,
)
from worker.training.tracking import file_name

KEPT = 2
DOCUMENT = re.compile(r"checkpoint-(\d+)\.json")


class CheckpointMismatch(ValueError):
    """The folder holds a run of other data, another recipe or another seed."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after `epoch`: `arrays` by name, and a JSON-ready `document` that says what run it is of."""

    epoch: int
    arrays: dict[str, AnyArray]
    document: dict[str, Any]


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Writes the checkpoint durably, then drops all but the two newest."""
    stem = f"checkpoint-{checkpoint.epoch:05d}"
    sha256 = write_atomically(directory / f"{stem}.safetensors", encode(checkpoint.arrays))
    document = {**checkpoint.document, "epoch": checkpoint.epoch, "sha256": sha256}
    write_atomically(directory / f"{stem}.json", [json.dumps(document, indent=1).encode()])
    for path in _documents(directory)[KEPT:]:
        path.unlink(missing_ok=True)
        path.with_suffix(".safetensors").unlink(missing_ok=True)


def newest(directory: Path) -> Checkpoint | None:
    """The newest checkpoint that can be read whole, with all tracked epochs before it; None when there is none."""
    for path in _documents(directory):
        try:
            return _read(directory, path)
        except UnreadableFile:
            continue  # a cut-off newest one is what the previous one is kept for
    return None


def last_epoch(names: Iterable[str]) -> int:
    """Of the checkpoints among files of these names; 0 when there is none, and whether they can be read is not asked."""
    documents = (DOCUMENT.fullmatch(name) for name in names)
    return max((int(found[1]) for found in documents if found), default=0)


def _read(directory: Path, path: Path) -> Checkpoint:
    try:
        document = json.loads(path.read_bytes())
        epoch, sha256, history = int(document["epoch"]), str(document["sha256"]), list(document["history"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(f"{path.name} is not a checkpoint's document") from error
    arrays, _ = decode(read_verified(path.with_suffix(".safetensors"), sha256))
    if len(history) != epoch:
        raise UnreadableFile(f"{path.name} tells of {len(history)} tracked epochs, not {epoch}")
    for number, tracked_sha256 in enumerate(history, start=1):
        read_verified(directory / file_name(number), str(tracked_sha256))
    return Checkpoint(epoch, arrays, document)


def _documents(directory: Path) -> list[Path]:
    """Documents of all checkpoints, newest first."""
    return sorted(directory.glob("checkpoint-*.json"), reverse=True)
