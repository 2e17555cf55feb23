"""A job's folder for files it needs while it runs; what a killed job left is swept by the next worker.

A living job holds a lock on its folder, so that sweeping needs no list of who is alive.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "scratch"


@contextmanager
def scratch_folder(data: Path, name: str) -> Iterator[Path]:
    """A new, empty, locked folder below `data`; gone when the block ends. `name`: of one living job alone."""
    path = data / FOLDER / name
    # What a killed forerunner of the same name left.
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep(data: Path) -> int:
    """Remove the folders of jobs that are no more; says how many."""
    swept = 0
    for path in (data / FOLDER).glob("*"):
        lock = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
            swept += 1
        finally:
            os.close(lock)
    return swept
