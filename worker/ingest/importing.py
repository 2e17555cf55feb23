"""From a recognised source to packed, validated images: decodes it and writes what the store keeps.

Knows sources and decoders; nothing of formats, databases or artifacts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, TimeoutError
from pathlib import Path

from backend.settings import Limits
from worker.ingest.decoder import Decoded
from worker.ingest.decoding import Allowance, DecoderPool, Unreadable
from worker.ingest.source import Cancelled, Entry, Refusal, Source
from worker.ingest.writing import Imported, Onto, Writer

_BATCH_IMAGES = 64
_BATCH_BYTES = 4 << 20
_TELL_SECONDS = 0.25  # progress and the wish to stop travel through a database: not more often than this


def import_images(
    source: Source,
    directory: Path,
    *,
    limits: Limits,
    limit: int | None = None,
    all_or_nothing: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    allowance: Allowance | None = None,
    onto: Onto | None = None,
) -> Imported:
    """Decodes the source's first `limit` entries and writes the packs and the training pixels into `directory`.

    Images that cannot be read are listed in the report and left out, unless `all_or_nothing`: then the first
    of them is raised. `progress(done, total)` counts entries. With `onto` they come behind that dataset's samples.
    Raises BadInput (a damaged container; TOO_FEW, or NOTHING_NEW) or Cancelled once `should_stop()`; then nothing
    that it wrote is left.
    """
    directory.mkdir(parents=True, exist_ok=True)
    writer = Writer(directory, source.classes, limits, all_or_nothing, onto)
    try:
        allowed = allowance or Allowance(
            image_pixels=limits.image_pixels,
            cpu_seconds=limits.image_cpu_seconds,
            memory_bytes=limits.image_memory_bytes,
        )
        with DecoderPool(allowed) as pool:
            _pump(source.entries(limit), pool, writer, _Teller(progress, should_stop, source.total, limit))
        return writer.finish(source)
    except BaseException:
        writer.discard()
        raise


class _Teller:
    """Tells the progress, and hears the wish to stop, no more often than is useful."""

    def __init__(
        self,
        progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
        total: int,
        limit: int | None,
    ) -> None:
        self._progress, self._should_stop = progress, should_stop
        self._total = total if limit is None else min(limit, total)
        self._next = 0.0

    def tell(self, done: int, *, last: bool = False) -> None:
        if time.monotonic() < self._next and not last:
            return
        if self._should_stop():
            raise Cancelled
        self._progress(min(done, self._total), self._total)
        self._next = time.monotonic() + _TELL_SECONDS


def _pump(entries: Iterator[Entry | Refusal], pool: DecoderPool, writer: Writer, teller: _Teller) -> None:
    """Keeps every decoder busy with the batches ahead while the finished ones are written in order."""
    waiting: deque[tuple[list[Entry], Future[list[Decoded | Unreadable]]]] = deque()

    def write_next() -> None:
        batch, future = waiting.popleft()
        while True:
            try:
                outcomes = future.result(timeout=_TELL_SECONDS)
                break
            except TimeoutError:
                teller.tell(writer.seen)
        for entry, outcome in zip(batch, outcomes, strict=True):
            writer.add(entry, outcome)
        teller.tell(writer.seen)

    for batch in _batches(entries, writer, teller):
        waiting.append((batch, pool.submit([entry.data for entry in batch])))
        while len(waiting) > pool.processes + 2:
            write_next()
        teller.tell(writer.seen)
    while waiting:
        write_next()
    teller.tell(writer.seen, last=True)


def _batches(entries: Iterator[Entry | Refusal], writer: Writer, teller: _Teller) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if isinstance(entry, Refusal):
            writer.refuse(entry)
            continue
        if not writer.admits(entry):
            teller.tell(writer.seen)
            continue
        if batch and size + len(entry.data) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry.data)
        if len(batch) == _BATCH_IMAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
