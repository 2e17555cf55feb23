"""One reader for every table: what is in a cell, and on which line, is the same in CSV, JSON Lines and Parquet."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.audit.errors import BadInput
from backend.settings import Limits
from tests.worker.ingest.written import table
from worker.ingest.sheets import Sheet, read_sheet

ROWS = [
    {"name": "a.png", "label": "3.0"},
    {"name": "ü, b.png", "label": None},
    {"name": " c ", "label": "7.0"},
]


def sheet(tmp_path: Path, name: str, data: bytes, as_text: tuple[str, ...] | None = None) -> Sheet:
    path = tmp_path / name
    path.write_bytes(data)
    return read_sheet(path, Limits(), as_text=as_text)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_cells_are_the_same_in_every_form(kind: str, tmp_path: Path) -> None:
    read = sheet(tmp_path, f"x.{kind}", table(ROWS, kind))
    assert read.header == ["name", "label"]
    assert read.cells("name") == ["a.png", "ü, b.png", "c"]
    assert read.cells("label") == ["3", None, "7"]
    assert read.line(1) == {"parquet": "row 1", "jsonl": "line 2"}.get(kind, "line 3")


def test_a_number_among_words_stays_as_it_is_written(tmp_path: Path) -> None:
    read = sheet(tmp_path, "x.csv", b"label,other\n3.0,1.5\ncat,2.0\n")
    assert (read.cells("label"), read.cells("other")) == (["3.0", "cat"], ["1.5", "2.0"])


def test_blank_lines_are_no_rows_and_lines_are_still_those_of_the_file(tmp_path: Path) -> None:
    read = sheet(tmp_path, "x.csv", b"\r\n\nname;label\n\na;b\n\n\nc;d\n\n")
    assert read.cells("name") == ["a", "c"]
    assert [read.line(row) for row in range(2)] == ["line 5", "line 8"]
    lines = sheet(tmp_path, "x.jsonl", b'\n{"name": "a"}\n\n{"label": 3}\n')
    assert (lines.cells("name"), lines.cells("label")) == (["a", None], [None, "3"])
    assert [lines.line(row) for row in range(2)] == ["line 2", "line 4"]


def test_a_cell_may_hold_a_line_break_in_quotes(tmp_path: Path) -> None:
    read = sheet(tmp_path, "x.csv", b'\nname,label\n"a\nb",cat\n\n"c ""d""",dog\r\n"e\r\nf",fox\ng,hen\n')
    assert read.cells("name") == ["a\nb", 'c "d"', "e\r\nf", "g"]
    assert [read.line(row) for row in range(4)] == ["line 3", "line 6", "line 7", "line 9"]


def test_numbers_are_numbers_where_nobody_asked_for_text_and_nested_things_are_left_out_where_all_is(
    tmp_path: Path,
) -> None:
    data = b'{"index": 1, "p": [0.5, 0.5], "q": 0.25}\n{"index": 0, "p": [1, 0], "q": 1}\n'
    typed = sheet(tmp_path, "x.jsonl", data, ("index",))
    assert typed.table.to_pydict() == {"index": ["1", "0"], "p": [[0.5, 0.5], [1, 0]], "q": [0.25, 1]}
    assert sheet(tmp_path, "x.jsonl", data).header == ["index", "q"]


@pytest.mark.parametrize(
    ("data", "code", "item"),
    [
        (b"a,b\n1,2\n\n3\n", "CSV_PARSE", "line 4"),
        (b"\na,a\n", "CSV_PARSE", "line 2"),
        (b'a,b\n"1\n\n",2\n3\n', "CSV_PARSE", "line 5"),
        (b'a,b\n1,2\n\n1,"2\n3,4\n', "CSV_PARSE", "line 4"),
    ],
)
def test_what_is_broken_is_named_with_its_line(data: bytes, code: str, item: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        sheet(tmp_path, "x.csv", data)
    assert (caught.value.code, caught.value.item) == (code, item)
