"""How long an import takes and how much memory, form by form, and how fast an upload is over loopback.

    python -m benchmarks.importing FOLDER [--forms parquet,zip,tar.gz,idx,npz] [--upload-gib 5] [--json FILE]

FOLDER holds CIFAR-10 as Parquet shards, train and test: 60 000 images. Each form is written from them beforehand, then
looked at (preflight) and imported in a process of its own; memory is the most that this process and its decoders had resident
together, ten times a second. The upload is the Python client's, to `noise-audit serve` in a process of its own,
digest included, until the server has moved and checked the bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

from backend.cli.running import postgres
from backend.settings import Limits, Settings
from backend.store import accounts
from backend.store.database import Database
from benchmarks.api import served
from benchmarks.data import labelled_images
from noise_audit import Client
from worker.ingest import Wish
from worker.ingest.importing import import_images
from worker.ingest.opening import opened_source
from worker.ingest.preflight import look

SECONDS, MEMORY_GIB, MB_PER_SECOND = 60.0, 1.5, 100.0
"""What an import of 60 000 images and an upload may cost."""
GIB = 2**30


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every image as it lies in the shards, in class folders below its split."""
    for shard in sorted(folder.glob("*.parquet")):
        number = 0
        for batch in parquet.ParquetFile(shard).iter_batches(columns=["image", "label"]):
            for row in batch.to_pylist():
                split = shard.name.split("-")[0]
                yield f"{split}/{row['label']}/{shard.stem}-{number:05d}.png", row["image"]["bytes"]
                number += 1


def write_parquet(folder: Path, at: Path) -> None:
    """The shards themselves."""
    at.mkdir()
    for shard in folder.glob("*.parquet"):
        shutil.copy(shard, at / shard.name)


def write_zip(folder: Path, at: Path) -> None:
    """Class folders, stored."""
    with zipfile.ZipFile(at, "w") as archive:
        for name, data in files(folder):
            archive.writestr(name, data)


def write_tar(folder: Path, at: Path) -> None:
    """Class folders, gzipped."""
    with tarfile.open(at, "w:gz", compresslevel=1) as archive:
        for name, data in files(folder):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def write_idx(folder: Path, at: Path) -> None:
    """Images in colour and their labels, not gzipped."""
    at.mkdir()
    for split, stem in (("train", "train"), ("test", "t10k")):
        image_NHWC, label_N = labelled_images(str(folder), split=split)
        head = struct.pack(">HBB4I", 0, 8, 4, *image_NHWC.shape)
        (at / f"{stem}-images-idx4-ubyte").write_bytes(head + image_NHWC.tobytes())
        labels = struct.pack(">HBBI", 0, 8, 1, len(label_N)) + label_N.astype(np.uint8).tobytes()
        (at / f"{stem}-labels-idx1-ubyte").write_bytes(labels)


def write_npz(folder: Path, at: Path) -> None:
    """Keras' four arrays."""
    (x_train, y_train), (x_test, y_test) = (labelled_images(str(folder), split=s) for s in ("train", "test"))
    np.savez(at, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


FORMS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "parquet": ("shards", write_parquet),
    "zip": ("cifar.zip", write_zip),
    "tar.gz": ("cifar.tar.gz", write_tar),
    "idx": ("idx", write_idx),
    "npz": ("cifar.npz", write_npz),
}


class Watch:
    """The most memory that this process and its children had resident at once, in bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._ended.wait(0.1):
            pids = {"self"}
            for task in Path("/proc/self/task").iterdir():
                with suppress(OSError):
                    pids.update((task / "children").read_text().split())
            resident = 0
            for pid in pids:
                with suppress(OSError):
                    resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            self.most = max(self.most, resident)


def one(path: Path) -> dict[str, Any]:
    """Preflight and import of a form in this process: seconds of each, images, and the memory of both."""
    limits = Limits()
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        began = time.perf_counter()
        with opened_source(path, wish=Wish("all"), limits=limits, scratch=Path(folder)) as source:
            report = look(source, limits)
        looked = time.perf_counter() - began
        began = time.perf_counter()
        with opened_source(path, wish=Wish("all"), limits=limits, scratch=Path(folder)) as source:
            imported = import_images(source, Path(folder) / "out", limits=limits)
        took = time.perf_counter() - began
    return {
        "images": len(imported.names),
        "preflight_seconds": round(looked, 1),
        "compared": report["duplicates"]["compared"],
        "import_seconds": round(took, 1),
        "images_per_second": round(len(imported.names) / took),
        "memory_gib": round(watch.most / GIB, 2),
    }


def imports(source: Path, forms: list[str], folder: Path) -> dict[str, Any]:
    """Every form, written, then imported by a process of its own."""
    found = {}
    for form in forms:
        name, write = FORMS[form]
        write(source, folder / name)
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.importing", "--one", str(folder / name)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[form] = json.loads(child.stdout)
        print(form, found[form])
    return found


def upload(gib: float, folder: Path) -> dict[str, Any]:
    """MB/s from the first byte sent to the answer that all of them are there."""
    settings = Settings(data=folder / "data", database_url="", artifacts="")
    settings.data.mkdir()
    path = folder / "upload.bin"
    block = np.random.default_rng(0).bytes(2**24)
    with path.open("wb") as file:
        for _ in range(round(gib * GIB / len(block))):
            file.write(block)
    with postgres(settings) as url:
        database = Database(url)
        with database.transaction() as session:
            owner = accounts.ensure_local_account(session).id
            token = accounts.new_api_token(session, owner, "benchmark")[1]
        database.dispose()
        with served(settings, token) as client, Client(str(client.base_url), token) as sender:
            began = time.perf_counter()
            sender.deliver(path)
            took = time.perf_counter() - began
    found = {
        "gib": round(path.stat().st_size / GIB, 2),
        "seconds": round(took, 1),
        "mb_per_second": round(path.stat().st_size / 1e6 / took),
    }
    print("upload", found)
    return found


def misses(found: dict[str, Any]) -> list[str]:
    """What is over its budget, in words."""
    over = []
    for form, figures in found["imports"].items():
        if figures["import_seconds"] > SECONDS:
            over.append(f"{form}: {figures['import_seconds']} s, budget {SECONDS}")
        if figures["memory_gib"] > MEMORY_GIB:
            over.append(f"{form}: {figures['memory_gib']} GiB, budget {MEMORY_GIB}")
    if found["upload"]["mb_per_second"] < MB_PER_SECOND:
        over.append(f"upload: {found['upload']['mb_per_second']} MB/s, budget {MB_PER_SECOND}")
    return over


def main() -> None:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--upload-gib", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(one(options.one)))
        return
    if options.folder is None:
        parser.error("name the folder with CIFAR-10's Parquet shards")
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-bench-"))
    folder.chmod(0o755)  # PostgreSQL's own user must be able to enter
    try:
        found = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "imports": imports(options.folder, options.forms.split(","), folder),
            "upload": upload(options.upload_gib, folder),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in misses(found):
        print(f"over budget: {line}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
