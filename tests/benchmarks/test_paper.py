"""The paper's table is filled cell by cell, and goes on where it was stopped."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
CELLS = "m-dyr-h:20,md-dyr-sh:90"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of shards as CIFAR-10's, of few small images."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 200), ("test", 40)):
        rows = []
        for index in range(count):
            content = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(content, "PNG")
            rows.append({"image": {"bytes": content.getvalue()}, "label": index % 10})
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / f"{split}-00000-of-00001.parquet")
    return tmp_path


def command(shards: Path, *more: str) -> list[str | Path]:
    return [
        sys.executable, "-m", "benchmarks.paper", shards, "--device", "cpu", "--epochs", "4", "--width", "4",
        "--results", shards / "results", *more,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_stopped_table_goes_on_and_a_finished_one_is_only_printed(shards: Path) -> None:
    with subprocess.Popen(
        command(shards, "--cells", CELLS), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        seen = [first.stderr.readline() for _ in range(6)]  # a whole cell and half of the next
        first.send_signal(signal.SIGTERM)
        rest = first.stderr.read()
    assert first.returncode == 130, [*seen, rest]
    told = sum("epoch" in line for line in [*seen, *rest.splitlines()])
    assert told < 8
    path = shards / "results" / "paper-cpu-4.json"
    assert set(json.loads(path.read_text())["cells"]) == {"m-dyr-h:20"}

    again = subprocess.run(
        command(shards, "--cells", CELLS), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told + again.stderr.count(": epoch ") == 8
    cells = json.loads(path.read_text())["cells"]
    assert set(cells) == {"m-dyr-h:20", "md-dyr-sh:90"}
    assert all(0 <= cell["last"] <= cell["best"] <= 100 for cell in cells.values())
    assert cells["md-dyr-sh:90"]["wrong"] == pytest.approx(0.81, abs=0.08)

    printed = subprocess.run(
        command(shards, "--cells", CELLS), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "epoch" not in printed.stderr
    assert f"{cells['m-dyr-h:20']['best']:.1f}    94.0" in printed.stdout

    other = subprocess.run(
        command(shards, "--seed", "1"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert other.returncode == 2
    assert "use another --results" in other.stderr
