"""Every page about a format has an example that can be copied, and what it makes is recognised as that format."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from backend.settings import Limits
from worker.ingest import Entry, Wish
from worker.ingest.opening import FORMATS, opened_source

PAGES = Path(__file__).parents[2] / "docs" / "formats"
NAMES = {"class-folders": "class-folder"}


@pytest.mark.parametrize("page", sorted(path.stem for path in PAGES.glob("[a-z]*.md")))
def test_an_example_can_be_copied(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PAGES / f"{page}.md").read_text()
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (command,) = re.findall(r"```\nnoise-audit import (.*?)\n```", text)
    path, *options = shlex.split(command)
    said = dict(zip(options[::2], options[1::2], strict=True))
    monkeypatch.chdir(tmp_path)
    exec(python, {})

    columns = dict([said["--column"].split("=")]) if "--column" in said else {}
    with opened_source(
        Path(path), wish=Wish(said.get("--split", "train"), columns), limits=Limits()
    ) as source:
        entries = list(source.entries())

    assert source.format == NAMES.get(page, page)
    assert len(entries) >= 200
    assert all(isinstance(entry, Entry) for entry in entries)
    assert len(source.classes) == 10


def test_every_format_has_a_page_and_the_index_names_them() -> None:
    index = (PAGES / "README.md").read_text()
    pages = set(re.findall(r"\]\(([a-z-]+)\.md\)", index))
    assert {NAMES.get(page, page) for page in pages} == FORMATS.keys()
    for name in FORMATS:
        assert f"`{name}`" in index
