"""Whatever the bytes of a table or a matrix are that people send for a dataset, it is read or refused in our words."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest.damage import damaged
from tests.worker.ingest.written import npy, table
from worker.ingest.annotations import read_annotations
from worker.ingest.deciding import read_decisions
from worker.ingest.embedding import read_embedding
from worker.ingest.predictions import read_predictions
from worker.ingest.relabelling import read_labels

LIMITS = Limits(upload_bytes=1 << 20, members=100, expanded_bytes=1 << 24, classes=50)
FEW = settings().max_examples
CORPUS = Path(__file__).with_name("corpus_tables")
"""Files that once showed something; each is read by every reader."""

NAMES = [f"cat/{place}.png" for place in range(6)]
CLASSES = ["cat", "dog", "=fox"]
GIVEN_N = np.array([0, 1, 2, 0, 1, 2], np.int32)
MATRIX_NC = np.random.default_rng(0).dirichlet(np.ones(3), 6).astype(np.float32)
Read = Callable[[Path], object]
READERS: dict[str, Read] = {
    "labels": lambda path: read_labels(
        path, names_N=NAMES, classes=CLASSES, given_N=GIVEN_N, limits=LIMITS, new_classes=True
    ),
    "annotations": lambda path: read_annotations(path, names_N=NAMES, classes=CLASSES, limits=LIMITS),
    "decisions": lambda path: read_decisions(
        path, names_N=NAMES, classes=CLASSES, given_N=GIVEN_N, limits=LIMITS
    ),
    "predictions": lambda path: read_predictions(
        path, names_N=NAMES, classes=CLASSES, logits=False, limits=LIMITS
    ),
    "embedding": lambda path: read_embedding(path, names_N=NAMES, limits=LIMITS),
}


def rows(*columns: str) -> list[dict[str, Any]]:
    """A row for each sample with what these columns may hold."""
    made = {
        "index": lambda n: n,
        "name": lambda n: NAMES[n],
        "label": lambda n: CLASSES[n % 3],
        "decision": lambda n: ["keep", "relabel", "remove"][n % 3],
        "ann": lambda n: CLASSES[n % 2],
        "bob": lambda n: None if n else "dog",
        **{name: lambda n, at=at: float(MATRIX_NC[n, at]) for at, name in enumerate(CLASSES)},
    }
    return [{column: made[column](n) for column in columns} for n in range(6)]


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(np.asarray(array)))
    return out.getvalue()


def lists() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"index": list(range(6)), "probabilities": MATRIX_NC.tolist()}), out)
    return out.getvalue()


COLUMNS = {
    "labels": ("name", "label"),
    "annotations": ("index", "ann", "bob"),
    "decisions": ("name", "decision", "label"),
    "predictions": ("index", *CLASSES),
    "embedding": ("name", *CLASSES),
}
SEEDS: dict[str, list[tuple[str, bytes]]] = {
    what: [(f".{kind}", table(rows(*columns), kind)) for kind in ("csv", "tsv", "jsonl", "parquet")]
    for what, columns in COLUMNS.items()
}
for matrix in ("predictions", "embedding"):
    SEEDS[matrix] += [
        (".npy", npy(MATRIX_NC)),
        (".npz", npz(probs=MATRIX_NC, index=np.arange(6), classes=CLASSES)),
        (".parquet", lists()),
    ]


def read_or_refuse(read: Read, content: bytes, suffix: str) -> BadInput | None:
    """Any other exception than ours is the test's failure; ours names no path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(content)
        refusal = _refusal_of(read, path)
        assert refusal is None or folder not in str(refusal.as_dict())
    return refusal


def _refusal_of(read: Read, path: Path) -> BadInput | None:
    try:
        read(path)
    except BadInput as error:
        return error
    return None


@pytest.mark.parametrize("what", READERS)
@given(draws=st.data())
@settings(max_examples=FEW, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_tables_and_matrices_are_read_or_refused(what: str, draws: st.DataObject) -> None:
    suffix, seed = draws.draw(st.sampled_from(SEEDS[what]))
    content = draws.draw(st.one_of(damaged(seed), damaged(seed[:300]), st.binary(max_size=60)))
    read_or_refuse(READERS[what], content, suffix)


@pytest.mark.parametrize("what", READERS)
def test_the_seeds_are_sound(what: str) -> None:
    """Else only refusals would be damaged."""
    for suffix, content in SEEDS[what]:
        assert read_or_refuse(READERS[what], content, suffix) is None


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_what_once_escaped_escapes_no_more(what: str, path: Path) -> None:
    read_or_refuse(READERS[what], path.read_bytes(), path.suffix)
