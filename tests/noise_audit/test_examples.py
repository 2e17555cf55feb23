"""docs/python.md is what somebody copies: each of its examples runs, in order, against a server as a user starts it."""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from noise_audit import Client
from tests.installation import Installation, installation

pytestmark = pytest.mark.slow

DOCUMENT = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
CLASSES = ["cat", "dog", "fox"]


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-examples-"))
    folder.chmod(0o755)
    with installation(folder) as started:
        yield started
    shutil.rmtree(folder, ignore_errors=True)


def pets(path: Path, begin: int = 0, end: int | None = None) -> None:
    """Digits that go by the names of animals, a sixth of them by a wrong one."""
    digits, rng = load_digits(n_class=3), np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        pairs = list(enumerate(zip(digits.images, digits.target, strict=True)))
        for index, (image_HW, digit) in pairs[begin:end]:
            png = io.BytesIO()
            Image.fromarray((image_HW * 15).astype(np.uint8)).save(png, "PNG")
            label = (digit + rng.integers(1, 3)) % 3 if rng.random() < 1 / 6 else digit
            archive.writestr(f"{CLASSES[label]}/{index}.png", png.getvalue())


def test_every_example_runs_and_gives_what_the_text_says(
    running: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOISE_AUDIT_URL", running.url)
    monkeypatch.setenv("XDG_CONFIG_HOME", running.environment["XDG_CONFIG_HOME"])
    pets(tmp_path / "pets.zip", end=500)
    pets(tmp_path / "more-pets.zip", begin=490)
    (tmp_path / "labels.csv").write_text("index,label\n0,owl\n")
    (tmp_path / "notes.zip").write_text("no archive")
    said: dict[str, Any] = {}
    for number, example in enumerate(EXAMPLES):
        exec(compile(example, f"docs/python.md, example {number + 1}", "exec"), said)
    output = capsys.readouterr().out
    assert "ARCHIVE_UNREADABLE" in output
    assert "404 NOT_FOUND" in output
    assert "100%" in output
    assert "new, 10 there already" in output
    assert said["corrected"]["classes"] == [*CLASSES, "owl"]
    assert (said["settled"]["recorded"], said["settled"]["progress"]["adjudicated"]) == (1, 1)
    with Client() as client:
        assert not client.review(said["more"]["id"])["blind"]
        assert [(each["index"], each["status"]) for each in client.reviewed(said["more"]["id"])] == [
            (0, "adjudicated")
        ]
    results, issues = said["results"], said["issues"]
    assert isinstance(results, pd.DataFrame)
    assert isinstance(said["table"], pa.Table)
    assert isinstance(said["figure"], go.Figure)
    assert (tmp_path / "loss.html").stat().st_size > 1000
    # cleanlab's words: flagged only, most suspect first; low quality is suspect.
    assert len(issues) == said["run"]["flagged"] > 20
    assert (np.diff(results["noise_posterior"].loc[issues]) <= 0).all()
    assert results["flagged"].loc[issues].all()
    assert said["quality"].min() >= 0
    assert said["quality"].max() <= 1
    assert said["quality"][issues].mean() < said["quality"].mean() - 0.3
    manifest = json.loads((tmp_path / "pets-cleaned.zip.manifest.json").read_text())
    assert manifest == said["manifest"]
    with zipfile.ZipFile(tmp_path / "pets-cleaned.zip") as archive:
        names = archive.namelist()
    first, second = said["first"], said["second"]
    kept = {name.rsplit("/")[-1] for name in names if "/" in name}
    assert f"cat/{results['name'][first].rsplit('/')[-1]}" in names
    assert results["name"][second].rsplit("/")[-1] not in kept
