"""A seal notices every byte that is not the one that was sealed, wherever it lies and however it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.store import seals
from backend.store.seals import SMALLEST_CHUNK, Broken, Seal, seal

SIZES = (0, 1, SMALLEST_CHUNK - 1, SMALLEST_CHUNK, SMALLEST_CHUNK + 1, 3 * SMALLEST_CHUNK + 7)


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_passes_whole_and_in_pieces_of_any_size(size: int, tmp_path: Path) -> None:
    data = np.random.default_rng(size).bytes(size)
    sealed = seal(data)
    sealed.check_whole(data)
    for length in (1000, SMALLEST_CHUNK, 2 * SMALLEST_CHUNK + 1, 10 * SMALLEST_CHUNK):
        assert b"".join(sealed.checked(in_pieces(data, length))) == data
    (tmp_path / "file").write_bytes(data)
    assert seal(tmp_path / "file") == sealed
    assert Seal.read(bytes(sealed)) == sealed


@pytest.mark.parametrize("size", SIZES[1:])
def test_no_flipped_bit_and_no_other_length_passes(size: int) -> None:
    rng = np.random.default_rng(size)
    data = rng.bytes(size)
    sealed = seal(data)
    edges = {at for at in (0, 1, SMALLEST_CHUNK - 1, SMALLEST_CHUNK, size - 1) if at < size}
    for at in [*edges, *rng.integers(0, size, 40).tolist()]:
        wrong = flipped(data, at, at % 8)
        with pytest.raises(Broken):
            sealed.check_whole(wrong)
        with pytest.raises(Broken):
            list(sealed.checked(in_pieces(wrong, 5000)))
    for other in (data[:-1], data + b"\0", b""):
        with pytest.raises(Broken):
            sealed.check_whole(other)
        with pytest.raises(Broken):
            list(sealed.checked([other]))


def test_nothing_damaged_is_handed_out_before_it_is_noticed() -> None:
    data = np.random.default_rng(0).bytes(4 * SMALLEST_CHUNK)
    pieces = seal(data).checked(in_pieces(flipped(data, 2 * SMALLEST_CHUNK + 5), 2 * SMALLEST_CHUNK))
    assert next(pieces) == data[: 2 * SMALLEST_CHUNK]
    with pytest.raises(Broken):
        next(pieces)


def test_a_range_is_read_with_the_chunks_that_it_touches() -> None:
    sealed = seal(bytes(3 * SMALLEST_CHUNK + 7))
    assert sealed.around(5, 6) == (0, SMALLEST_CHUNK)
    assert sealed.around(SMALLEST_CHUNK - 1, SMALLEST_CHUNK + 1) == (0, 2 * SMALLEST_CHUNK)
    assert sealed.around(SMALLEST_CHUNK, 2 * SMALLEST_CHUNK) == (SMALLEST_CHUNK, 2 * SMALLEST_CHUNK)
    assert sealed.around(3 * SMALLEST_CHUNK, 3 * SMALLEST_CHUNK + 7) == (3 * SMALLEST_CHUNK, sealed.size)


def test_no_flipped_or_missing_byte_of_the_seal_itself_passes() -> None:
    written = bytes(seal(np.random.default_rng(0).bytes(2 * SMALLEST_CHUNK)))
    for at in range(len(written)):
        with pytest.raises(Broken):
            Seal.read(flipped(written, at))
    for length in (0, 10, len(written) - 1):
        with pytest.raises(Broken):
            Seal.read(written[:length])


def test_the_chunks_of_a_large_artifact_are_larger_and_its_seal_stays_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seals, "MOST_CHUNKS", 4)
    data = np.random.default_rng(0).bytes(9 * SMALLEST_CHUNK)
    sealed = seal(data)
    assert sealed.chunk_bytes == 4 * SMALLEST_CHUNK
    assert len(sealed.digests) == 3 * seals.DIGEST_BYTES
    sealed.check_whole(data)
    with pytest.raises(Broken):
        sealed.check_whole(flipped(data, len(data) - 1))
