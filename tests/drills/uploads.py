"""The drill of uploads: either side is killed while bytes travel, and what arrives is what was sent."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from backend.store import uploads
from noise_audit import Client
from tests.drills.reached import Reached
from tests.drills.steps import is_ready, wait_for
from tests.drills.topology import Topology

SIZE = 6 * 2**20
PIECE = 2**19
TUS = {"Tus-Resumable": "1.0.0"}


def uploads_resume(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of a backend, or the sender gone in mid-request, at any byte: it goes on and arrives with the same hash.

    Every tenth is sent by the Python client, in its own large pieces.
    """
    wrong: list[str] = []
    counts = {"backends killed": 0, "senders gone": 0, "bytes sent twice": 0}
    lock = threading.Lock()
    plans = [(number, random.Random(rng.randrange(2**31))) for number in range(times)]

    def drill(backend: int) -> None:
        for number, chance in plans[backend :: len(top.backends)]:
            try:
                how, twice = _one(top, backend, number, chance)
            except Exception as error:  # noqa: BLE001  whatever it is, this upload did not hold
                how, twice = "backends killed", 0
                wrong.append(f"upload {number}: {type(error).__name__}: {error}")
            with lock:
                counts[how] += 1
                counts["bytes sent twice"] += twice
            wait_for(lambda: is_ready(top, backend), 60)

    threads = [threading.Thread(target=drill, args=(backend,)) for backend in range(len(top.backends))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Reached(times, wrong, counts)


def _one(top: Topology, backend: int, number: int, rng: random.Random) -> tuple[str, int]:
    """One upload that is hit once; what was hit, and how many bytes travelled twice. Raises when other bytes arrive."""
    by_client = number % 10 == 9
    data = rng.randbytes(40 * 2**20 if by_client else SIZE)
    sender_goes = not by_client and number % 2 == 1
    arriving = threading.Event()

    def hit() -> None:
        # Not before the first bytes have arrived: until then nothing was promised.
        arriving.wait(60)
        time.sleep(rng.uniform(0.0, 0.3))
        top.backends[backend].kill()
        top.backends[backend].start()

    killer = threading.Thread(target=hit)
    if not sender_goes:
        killer.start()
    try:
        if by_client:
            upload_id, twice = _send_as_client(top, backend, data, arriving), 0
        else:
            upload_id, twice = _send(top, backend, data, rng, arriving, breaks_off=sender_goes)
    finally:
        arriving.set()
        if not sender_goes:
            killer.join()
    assert wait_for(lambda: is_ready(top, backend), 60), "the backend does not come back"
    if not sender_goes:
        # An upload whose last answer was cut off is completed when it is used.
        top.post("/api/datasets", {"upload_id": upload_id})
    found = hashlib.sha256(top.opened().get(uploads.key(upload_id))).digest()
    assert found == hashlib.sha256(data).digest(), "other bytes arrived"
    return ("senders gone" if sender_goes else "backends killed"), twice


def _send_as_client(top: Topology, backend: int, data: bytes, arriving: threading.Event) -> str:
    path = top.folder / f"sent-{backend}.zip"
    path.write_bytes(data)
    with Client(f"http://127.0.0.1:{top.ports[backend]}", top.token) as client:
        upload_id, _ = client._wire.send(Path(path), lambda sent, total: arriving.set())
    return upload_id


def _send(
    top: Topology,
    backend: int,
    data: bytes,
    rng: random.Random,
    arriving: threading.Event,
    *,
    breaks_off: bool,
) -> tuple[str, int]:
    """As a browser does, in small pieces; after whatever went wrong it asks how far it came."""
    filename, kind = (base64.b64encode(word).decode() for word in (b"pets.zip", b"application/zip"))
    about = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {filename},filetype {kind}"}
    with top.client(backend) as client:
        address = client.post("/api/uploads", headers={**TUS, **about}).headers["Location"]
    offset, sent = 0, 0
    gone = rng.randrange(len(data)) if breaks_off else None
    while offset < len(data):
        piece = data[offset : offset + PIECE]
        try:
            with top.client(backend) as client:
                if gone is not None and offset <= gone < offset + len(piece):
                    piece, gone = piece[: gone - offset], None
                    sent += len(piece)
                    _break_off(client, address, offset, piece)
                else:
                    sent += len(piece)
                    _patch(client, address, offset, piece)
                    arriving.set()
                offset = _offset(client, address)
        except (httpx.TransportError, httpx.HTTPStatusError):
            time.sleep(0.1)
            offset = _asked(top, backend, address)
    return address.rsplit("/", 1)[-1], sent - len(data)


def _patch(client: httpx.Client, address: str, offset: int, piece: bytes, **more: str) -> None:
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **more}
    client.patch(address, content=piece, headers={**TUS, **headers}).raise_for_status()


def _break_off(client: httpx.Client, address: str, offset: int, piece: bytes) -> None:
    """Promise a whole piece, send a part of it, and be gone."""

    def some() -> Iterator[bytes]:
        yield piece
        raise ConnectionAbortedError

    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    promised = {"Content-Length": str(len(piece) + 1000)}
    try:
        client.patch(address, content=some(), headers={**TUS, **headers, **promised})
    except ConnectionAbortedError:
        client.close()
        raise httpx.WriteError("broken off") from None


def _offset(client: httpx.Client, address: str) -> int:
    return int(client.head(address, headers=TUS).raise_for_status().headers["Upload-Offset"])


def _asked(top: Topology, backend: int, address: str) -> int:
    """How far it came; asked until the server is back and nobody else writes."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with top.client(backend) as client:
                return _offset(client, address)
        except (httpx.TransportError, httpx.HTTPStatusError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
