"""A table read in a process of its own is the same table, refused in the same words, and nobody dies of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.audit.errors import BadInput
from worker.ingest.parquet_table import read_apart, read_parquet

COLUMNS = {
    "index": [0, 1, 2],
    "name": ["a", None, "ü"],
    "score": [0.5, 2.0, None],
    "box": [[1, 2], [], None],
    "word": pa.array(["x", "y", "x"]).dictionary_encode(),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table(COLUMNS), file)
    return file


@pytest.mark.parametrize("as_text", [None, ("index",)])
def test_it_is_the_same_table(path: Path, as_text: tuple[str, ...] | None) -> None:
    table = read_apart(path, 1 << 20, as_text)
    assert table.equals(read_parquet(path, 1 << 20, as_text))
    assert table.column_names == (["index", "name", "score", "word"] if as_text is None else list(COLUMNS))
    assert table["index"].to_pylist() == ["0", "1", "2"]


def test_it_is_refused_in_the_same_words(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(path.read_bytes()[:-20] + bytes(20))
    for file, most_bytes in ((broken, 1 << 20), (path, 10)):
        with pytest.raises(BadInput) as apart:
            read_apart(file, most_bytes, None)
        with pytest.raises(BadInput) as here:
            read_parquet(file, most_bytes, None)
        assert apart.value.as_dict() == here.value.as_dict()


def test_whatever_it_dies_of_is_an_error_of_the_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -ABRT $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    with pytest.raises(BadInput) as caught:
        read_apart(path, 1 << 20, None)
    assert caught.value.code == "PARQUET_INVALID"
