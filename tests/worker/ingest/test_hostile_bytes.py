"""Whatever the bytes are, the importer answers with one of our errors and leaves nothing behind."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest import written
from tests.worker.ingest.damage import damaged
from worker.ingest.decoding import Allowance, DecoderPool
from worker.ingest.opening import opened_source
from worker.ingest.source import Entry, Refusal, Wish

LIMITS = Limits(members=100, member_bytes=1 << 20, expanded_bytes=1 << 24)
FEW = settings().max_examples
"""A hundred, or as many as the profile says: `make fuzz` runs these tests for minutes."""

CORPUS = Path(__file__).with_name("corpus")
"""Files that once showed something: each is still read or refused."""

DATA = written.digits(8)
FOLDERS = written.class_folders(DATA)
PARQUET = written.hugging_face(DATA)["data/train-00000-of-00001.parquet"]


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FOLDERS.items():
            archive.writestr(name, data)
    return out.getvalue()


SEEDS = {
    ".zip": _zip(),
    ".parquet": PARQUET,
    ".tar": written.tar(FOLDERS),
    ".tar.gz": written.tar(FOLDERS, mode="w:gz"),
}

INSIDE = {
    **{f"table {kind}": written.manifest(DATA, kind) for kind in ("csv", "jsonl", "parquet")},
    **{f"webdataset {label}": written.webdataset(DATA, label=label) for label in ("cls", "json")},
    "webdataset shard": {
        f"{n}.{end}": data
        for n in range(4)
        for end, data in (("png", written.png(DATA.image[n])), ("json", b'{"label": "%d"}' % n))
    },
    "cifar binary": written.cifar100_binary(DATA),
    "cifar python": written.cifar10_python(DATA, 2),
    "cifar python 5": written.cifar100_python(DATA, 5),
    "idx": written.idx(DATA, packed=False),
    "idx gzipped": written.idx(DATA, packed=True),
    "arrays": written.arrays(DATA),
    "coco": written.coco(DATA),
}


def refusal_of(path: Path) -> BadInput | None:
    """Reads a source to its end; any other exception than ours is the test's failure."""
    try:
        with opened_source(path, wish=Wish("all"), limits=LIMITS) as source:
            entries = [*source.entries(), *source.sample(3)]
            list(source.identities())
    except BadInput as error:
        return error
    assert {type(entry) for entry in entries} <= {Entry, Refusal}
    return None


def read_or_refuse(content: bytes, suffix: str) -> None:
    """The file is read to its end or refused in our words, without a path in them and without a file left."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        refusal = refusal_of(path)
        assert refusal is None or folder not in str(refusal.as_dict())
        assert [found.name for found in Path(folder).iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", sorted(SEEDS))
@given(draws=st.data())
@settings(max_examples=2 * FEW, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_containers_are_read_or_refused(suffix: str, draws: st.DataObject) -> None:
    read_or_refuse(draws.draw(damaged(SEEDS[suffix])), suffix)


@pytest.mark.parametrize("form", sorted(INSIDE))
@given(draws=st.data())
@settings(max_examples=FEW // 2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_files_of_every_format_are_read_or_refused(form: str, draws: st.DataObject) -> None:
    """One file damaged in a tar that is sound: its checksums stand in no way."""
    members = dict(INSIDE[form])
    # What says how the rest is to be read, rather than the images themselves.
    names = [name for name in members if not name.endswith(".png")]
    name = draws.draw(st.sampled_from(names))
    members[name] = draws.draw(
        st.one_of(damaged(members[name]), damaged(members[name][:300]), st.binary(max_size=40))
    )
    read_or_refuse(written.tar(members), ".tar")


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_what_once_escaped_escapes_no_more(path: Path) -> None:
    read_or_refuse(path.read_bytes(), path.suffix)


@given(content=st.binary(max_size=300), suffix=st.sampled_from(["", ".zip", ".parquet", ".tar"]))
@settings(max_examples=FEW, deadline=None)
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
