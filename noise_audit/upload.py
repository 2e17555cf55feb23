"""A path on this machine becomes an upload: a folder is packed into one zip, bytes travel by tus 1.0."""

from __future__ import annotations

import base64
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from noise_audit.digest import PIECE_BYTES, Digest

CHUNK_BYTES = PIECE_BYTES
"""One PATCH: large enough to be fast, small enough to lose little when a connection breaks."""
RETRIES = 15
"""In a row, with up to five seconds between them: a server that is started again may be away for a minute."""
TUS = {"Tus-Resumable": "1.0.0"}

Progress = Callable[[int, int], None]
"""Called with (bytes sent, bytes in all)."""


@contextmanager
def as_file(path: Path) -> Iterator[Path]:
    """The file itself, or a folder's files in one stored (not compressed: images are) zip."""
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    with tempfile.TemporaryDirectory(prefix="noise-audit-") as folder:
        packed = Path(folder) / f"{path.resolve().name or 'dataset'}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for file in sorted(path.rglob("*")):
                relative = file.relative_to(path)
                hidden = any(part.startswith(".") for part in relative.parts)
                if file.is_file() and not file.is_symlink() and not hidden:
                    archive.write(file, relative.as_posix())
        yield packed


def send(http: httpx.Client, file: Path, progress: Progress = lambda sent, total: None) -> tuple[str, str]:
    """Upload one file in chunks, going on after a broken connection; returns the upload's id and what was sent's digest."""
    total = file.stat().st_size
    metadata = {"filename": file.name, "filetype": "application/octet-stream"}
    encoded = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items()
    )
    created = http.post(
        "/api/uploads", headers={**TUS, "Upload-Length": str(total), "Upload-Metadata": encoded}
    )
    location = httpx.URL(created.headers["Location"]).path
    offset, failures, hashed, unsure = 0, 0, 0, False
    digest = Digest()
    # Hashing lets go of the interpreter: it costs no time beside the sending.
    with file.open("rb") as source, ThreadPoolExecutor(1) as hashing:
        while offset < total:
            try:
                if unsure:
                    # How far did it come? The server may still be away when it is asked.
                    offset, unsure = int(http.head(location, headers=TUS).headers["Upload-Offset"]), False
                    continue
                source.seek(offset)
                chunk = source.read(CHUNK_BYTES - offset % CHUNK_BYTES)
                if offset == hashed:
                    hashing.submit(digest.add, chunk)
                    hashed += len(chunk)
                answer = http.patch(
                    location,
                    content=chunk,
                    headers={
                        **TUS,
                        "Upload-Offset": str(offset),
                        "Content-Type": "application/offset+octet-stream",
                    },
                )
                offset, failures = int(answer.headers["Upload-Offset"]), 0
            except httpx.TransportError:
                failures, unsure = failures + 1, True
                if failures > RETRIES:
                    raise
                time.sleep(min(5.0, 0.2 * 2**failures))
            progress(offset, total)
    return location.rstrip("/").rsplit("/", 1)[-1], digest.text()
