"""Whatever the bytes are, the importer answers with one of our errors and leaves nothing behind."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.decoding import Allowance, DecoderPool
from worker.ingest.opening import opened_source
from worker.ingest.source import Entry, Refusal

LIMITS = Limits(members=100, member_bytes=1 << 20, expanded_bytes=1 << 24)


def _images() -> list[bytes]:
    images = []
    for seed in range(4):
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(
            out, "PNG"
        )
        images.append(out.getvalue())
    return images


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in enumerate(_images()):
            archive.writestr(f"{'ab'[place % 2]}/{place}.png", data)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"image": _images(), "label": ["x", "y", "x", "y"]}), out)
    return out.getvalue()


SEEDS = {".zip": _zip(), ".parquet": _parquet()}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """The file with bytes overwritten, cut out or doubled in a few places, most of them near its end (the index)."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.one_of(st.integers(0, len(data)), st.integers(max(0, len(data) - 250), len(data))))
        length = draw(st.integers(1, 8))
        kind = draw(st.sampled_from(["overwrite", "cut", "double"]))
        if kind == "overwrite":
            data[place : place + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "cut":
            del data[place : place + length]
        else:
            data[place:place] = data[place : place + length]
    return bytes(data)


def refusal_of(path: Path) -> BadInput | None:
    """Reads a source to its end; any other exception than ours is the test's failure."""
    try:
        with opened_source(path, limits=LIMITS) as source:
            entries = list(source.entries())
    except BadInput as error:
        return error
    assert {type(entry) for entry in entries} <= {Entry, Refusal}
    return None


@pytest.mark.parametrize("suffix", sorted(SEEDS))
@given(draws=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_containers_are_read_or_refused(suffix: str, draws: st.DataObject) -> None:
    content = draws.draw(damaged(SEEDS[suffix]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        refusal = refusal_of(path)
        assert refusal is None or folder not in str(refusal.as_dict())
        assert [found.name for found in Path(folder).iterdir()] == [path.name]


@given(content=st.binary(max_size=300), suffix=st.sampled_from(["", ".zip", ".parquet"]))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_are_refused(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        assert refusal_of(path) is not None


def test_damaged_images_are_decoded_or_refused_and_the_decoder_goes_on() -> None:
    seeds = []
    for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        out = io.BytesIO()
        Image.effect_noise((40, 40), 80).convert("RGB").save(out, format)
        seeds.append(out.getvalue())
    random = np.random.default_rng(0)
    images = []
    for round_ in range(600):
        data = bytearray(seeds[round_ % len(seeds)])
        for _ in range(random.integers(1, 6)):
            data[random.integers(0, min(len(data), 400))] = random.integers(0, 256)
        images.append(bytes(data))

    with DecoderPool(Allowance(image_pixels=1_000_000, cpu_seconds=2), 2) as pool:
        outcomes = pool.submit(images).result()

    codes = {getattr(outcome, "code", "decoded") for outcome in outcomes}
    assert len(outcomes) == 600
    assert {"decoded", "IMAGE_CORRUPT"} <= codes
    assert codes <= {
        "decoded",
        "IMAGE_CORRUPT",
        "IMAGE_FORMAT",
        "IMAGE_TOO_LARGE",
        "IMAGE_MULTIFRAME",
        "IMAGE_TIMEOUT",
    }
