"""Drills of files alone, in one process without threads (it forks): checkpoints under kills and failing writes.

`python -m tests.drills.files kills|writes TIMES SEED` prints one JSON document.
"""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from worker.training.checkpoint import Checkpoint, newest, save
from worker.training.tracking import Tracked, write_epoch

WEIGHTS = 20_000


def save_epoch(folder: Path, epoch: int, history: list[str]) -> list[str]:
    """What a training does at the end of an epoch."""
    loss_N = np.full(100, float(epoch), np.float32)
    history = [*history, write_epoch(folder, epoch, Tracked(loss_N, loss_N, np.zeros(100, int)))]
    save(folder, Checkpoint(epoch, {"weights": np.full(WEIGHTS, float(epoch))}, {"history": history}))
    return history


def kills(times: int, rng: random.Random) -> dict[str, object]:
    """kill -9 while checkpoints are saved; the newest readable one is never older than the last acknowledged."""
    wrong: list[str] = []
    saved = 0
    with tempfile.TemporaryDirectory(prefix="noise-audit-drill-") as name:
        folder = Path(name)
        for number in range(times):
            found = newest(folder)
            epoch, history = (found.epoch, list(found.document["history"])) if found else (0, [])
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                while True:
                    epoch += 1
                    history = save_epoch(folder, epoch, history)
                    os.write(writing, epoch.to_bytes(4, "big"))
            os.close(writing)
            time.sleep(rng.uniform(0.0, 0.12))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            said = os.read(reading, 1 << 16)
            os.close(reading)
            acknowledged = int.from_bytes(said[-4:], "big") if said else epoch
            saved += len(said) // 4
            found = newest(folder)
            if (found.epoch if found else 0) < acknowledged:
                wrong.append(f"kill {number}: epoch {acknowledged} was saved and cannot be read")
            elif found and (found.arrays["weights"] != found.epoch).any():
                wrong.append(f"kill {number}: the weights are not those of epoch {found.epoch}")
            if epoch > 200:
                for path in folder.iterdir():
                    path.unlink()
    return {"wrong": wrong, "counts": {"saved meanwhile": saved}}


def writes(times: int, rng: random.Random) -> dict[str, object]:
    """The n-th byte of a file cannot be written any more, for n from 0 on: said as an error, the former one stays."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wrong: list[str] = []
    failed = 0
    with tempfile.TemporaryDirectory(prefix="noise-audit-drill-") as name:
        folder = Path(name)
        history = save_epoch(folder, 1, [])
        size = max(path.stat().st_size for path in folder.iterdir())
        for number in range(times):
            room = int(size * number / times)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            try:
                save_epoch(folder, 2, history)
            except OSError as error:
                failed += error.errno in (errno.EFBIG, errno.ENOSPC)
            else:
                wrong.append(f"room for {room} bytes: nothing was said")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            found = newest(folder)
            if found is None or found.epoch != 1:
                wrong.append(f"room for {room} bytes: the former checkpoint is gone")
        save_epoch(folder, 2, history)
        found = newest(folder)
        if found is None or found.epoch != 2:
            wrong.append("after space was made it does not go on")
    return {"wrong": wrong, "counts": {"writes failed and told": failed}}


if __name__ == "__main__":
    what, times, seed = sys.argv[1:]
    drill = {"kills": kills, "writes": writes}[what]
    sys.stdout.write(json.dumps(drill(int(times), random.Random(int(seed)))))
