"""A pool of sandboxed decoder processes; knows their pipes and deaths, nothing of formats or datasets.

One image that hangs or kills its decoder costs itself: the decoder answers image by image, so the one it
was at is known, a fresh decoder goes on with the rest.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.ingest import decoder
from worker.ingest.decoder import CODES, PIXEL_SIDE, READY, RESULT, Decoded

_READ_BYTES = 1 << 16
_START_SECONDS = 60.0
_START_TRIES = 3
_MAX_THUMB_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one image may cost. Wall-clock time is a backstop for a decoder that waits instead of working."""

    image_pixels: int
    cpu_seconds: int = 10
    memory_bytes: int = 1_500_000_000
    wall_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an image has no pixels: a code of the table of bad inputs, and its size where the header said one."""

    code: str
    width: int = 0
    height: int = 0


class _Died(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Decoder:
    """One child process, started when needed, replaced when it dies."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self._closed = False
        self._starting = threading.Lock()  # so that no child starts behind the back of `stop`

    def decode(self, images: Sequence[bytes]) -> list[Decoded | Unreadable]:
        """One outcome per image, in order."""
        done: list[Decoded | Unreadable] = []
        while len(done) < len(images):
            process = self._send(images[len(done) :])
            try:
                while len(done) < len(images):
                    done.append(self._receive(process))
            except _Died as died:
                self.end()
                if self._closed:
                    raise RuntimeError("the decoder pool was closed while it worked") from None
                done.append(Unreadable(died.code))
        return done

    def stop(self) -> None:
        """From another thread: ends the child at once; whoever waits for it sees its end."""
        with self._starting:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def end(self) -> None:
        """Ends the child, waits for it and closes its pipes."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was left to write has nobody to read it
                    pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        limits = (self._allowance.cpu_seconds, self._allowance.memory_bytes, self._allowance.image_pixels)
        with self._starting:
            if self._closed:
                raise RuntimeError("the decoder pool is closed")
            self._process = process = subprocess.Popen(
                [sys.executable, "-I", str(Path(decoder.__file__)), *map(str, limits)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
            )
        self._buffer.clear()
        try:
            greeting = self._read(process, len(READY), time.monotonic() + _START_SECONDS)
        except _Died as died:
            self.end()
            raise RuntimeError("the image decoder does not start") from died
        if greeting != READY:
            self.end()
            raise RuntimeError("the image decoder does not answer as it should")
        return process

    def _send(self, images: Sequence[bytes]) -> subprocess.Popen[bytes]:
        """Hands over a batch. A decoder that died between batches is replaced: no image is to blame."""
        head = struct.pack(f"<{1 + len(images)}I", len(images), *map(len, images))
        for _ in range(_START_TRIES):
            process = self._running()
            assert process.stdin is not None
            try:
                process.stdin.write(head)
                for data in images:
                    process.stdin.write(data)
                process.stdin.flush()
            except BrokenPipeError:
                self.end()
            else:
                return process
        raise RuntimeError("the image decoder keeps dying before it is given work")

    def _receive(self, process: subprocess.Popen[bytes]) -> Decoded | Unreadable:
        deadline = time.monotonic() + self._allowance.wall_seconds
        head = RESULT.unpack(self._read(process, RESULT.size, deadline))
        code, conversions, width, height, pixel_width, pixel_height, channels, thumb_bytes = head
        if 0 < code < len(CODES):
            return Unreadable(CODES[code], width, height)
        shape = (pixel_height, pixel_width, channels)
        # A decoder that an image has taken over may say anything: believe only what can be true.
        if code or channels not in (1, 3) or max(shape) > PIXEL_SIDE or min(shape) < 1 or not thumb_bytes:
            raise _Died("IMAGE_CORRUPT")
        if thumb_bytes > _MAX_THUMB_BYTES or width * height > self._allowance.image_pixels:
            raise _Died("IMAGE_CORRUPT")
        pixels = self._read(process, pixel_height * pixel_width * channels, deadline)
        thumbnail = self._read(process, thumb_bytes, deadline)
        return Decoded(width, height, shape, pixels, thumbnail, conversions)

    def _read(self, process: subprocess.Popen[bytes], count: int, deadline: float) -> bytes:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        while len(self._buffer) < count:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise _Died("IMAGE_TIMEOUT")
            chunk = os.read(descriptor, _READ_BYTES)
            if not chunk:
                timed_out = process.wait() == -signal.SIGXCPU
                raise _Died("IMAGE_TIMEOUT" if timed_out else "IMAGE_CORRUPT")
            self._buffer += chunk
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


class DecoderPool:
    """Decodes batches in `processes` children at once; a context manager, at whose end all of them are gone."""

    def __init__(self, allowance: Allowance, processes: int | None = None) -> None:
        count = processes or min(16, os.cpu_count() or 1)
        self.processes = count
        self._decoders = [_Decoder(allowance) for _ in range(count)]
        self._idle: queue.SimpleQueue[_Decoder] = queue.SimpleQueue()
        for one in self._decoders:
            self._idle.put(one)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, images: Sequence[bytes]) -> Future[list[Decoded | Unreadable]]:
        """Starts on a batch; the future holds one outcome per image, in order."""
        return self._threads.submit(self._decode, images)

    def _decode(self, images: Sequence[bytes]) -> list[Decoded | Unreadable]:
        one = self._idle.get()
        try:
            return one.decode(images)
        finally:
            self._idle.put(one)

    def close(self) -> None:
        """Ends the children at once, also in the middle of an image."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for one in self._decoders:
            one.stop()
        self._threads.shutdown(wait=True)
        for one in self._decoders:
            one.end()
