"""A table → the bytes of a CSV, JSON, JSON Lines or Parquet file, the same each time. No storage, no clock."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

Format = Literal["csv", "json", "jsonl", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""How a cell begins that spreadsheets take for a formula (full-width signs included)."""
MANIFEST_KEY = b"noise_audit"
CHUNK_BYTES = 1 << 20
PARQUET_COMPRESSION = "none"
"""Of what is streamed: images are compressed already, and features hardly shrink."""
ROWS_AT_ONCE = 100_000
"""Rows of JSON made at a time, so that a million of them stay bounded."""


def write(table: pa.Table, format: Format, manifest: dict[str, Any] | None) -> bytes:
    """The file's bytes. CSV and JSON Lines hold no manifest (it is beside them); JSON and Parquet carry theirs."""
    if format == "csv":
        return to_csv(table)
    if format == "jsonl":
        return to_jsonl(table)
    if format == "json":
        return to_json(table, manifest)
    return to_parquet(table, manifest)


def to_csv(table: pa.Table) -> bytes:
    """RFC 4180 with a header line, UTF-8. Text that looks like a formula gets a leading apostrophe.

    That makes text lossy, so the JSON and Parquet twins hold it as it is. Numbers are never touched.
    """
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(position, field.name, neutralised(table.column(position)))
    file = io.BytesIO()
    pyarrow.csv.write_csv(table, file)
    return file.getvalue()


def is_plain(table: pa.Table) -> bool:
    """Whether CSV would hold every cell as it is."""
    texts = [column for column in table.columns if pa.types.is_string(column.type)]
    return not any(pc.any(pc.match_substring_regex(column, FORMULA)).as_py() for column in texts)


def neutralised(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column whose cells no spreadsheet runs as a formula."""
    risky = pc.fill_null(pc.match_substring_regex(column, FORMULA), False)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


def to_json(table: pa.Table, manifest: dict[str, Any] | None) -> bytes:
    """`{"manifest": …, "rows": [{…}, …]}`, one row per line; what is no number is null."""
    return b"".join(
        [b'{"manifest": ', json_bytes(manifest), b', "rows": [\n', _rows(table, b",\n"), b"\n]}\n"]
    )


def to_jsonl(table: pa.Table) -> bytes:
    """One JSON object per line and row; what is no number is null."""
    return _rows(table, b"\n") + b"\n"


def _rows(table: pa.Table, between: bytes) -> bytes:
    file = io.BytesIO()
    for start in range(0, table.num_rows, ROWS_AT_ONCE):
        file.write(between if start else b"")
        file.write(between.join(row.encode() for row in _json_rows(table.slice(start, ROWS_AT_ONCE))))
    return file.getvalue()


def _json_rows(table: pa.Table) -> list[str]:
    """Each row as a JSON object, put together by column: four times faster than row by row."""
    parts: list[Any] = []
    for position, name in enumerate(table.column_names):
        parts += [f"{', ' if position else '{'}{json.dumps(name)}: ", _json_cells(table.column(position))]
    rows: list[str] = pc.binary_join_element_wise(*parts, "}", "").to_pylist()
    return rows


def _json_cells(column: pa.ChunkedArray) -> pa.Array:
    cells = column.combine_chunks()
    if pa.types.is_string(column.type):
        coded = cells.dictionary_encode()
        words = [json.dumps(word, ensure_ascii=False) for word in coded.dictionary.to_pylist()]
        text = pa.array(words, pa.string()).take(coded.indices)
    else:
        if pa.types.is_floating(column.type):
            cells = pc.if_else(pc.is_finite(cells), cells, None)
        # Arrow writes the shortest text that gives the same number back, in its own precision.
        text = cells.cast(pa.string())
    return pc.fill_null(text, "null")


def to_parquet(table: pa.Table, manifest: dict[str, Any] | None) -> bytes:
    """Parquet with the manifest as JSON in the schema's metadata under `noise_audit`."""
    file = io.BytesIO()
    about = None if manifest is None else {MANIFEST_KEY: json_bytes(manifest)}
    pyarrow.parquet.write_table(table.replace_schema_metadata(about), file)
    return file.getvalue()


def parquet_chunks(schema: pa.Schema, groups: Iterable[pa.Table]) -> Iterator[bytes]:
    """A Parquet file of row groups that are made one at a time: only one is in memory."""
    # Parquet's end says where its groups lie, so it is written to a file without a name and read from the front.
    with tempfile.TemporaryFile(prefix="noise-audit-") as file:
        with pyarrow.parquet.ParquetWriter(
            file, schema, compression=PARQUET_COMPRESSION, write_page_checksum=True
        ) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=max(1, group.num_rows))
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def describe_file(manifest: dict[str, Any], filename: str, data: bytes) -> dict[str, Any]:
    """The manifest together with the name, size and SHA-256 of exactly these bytes."""
    return {**manifest, "file": {"name": filename, "bytes": len(data), "sha256": sha256(data)}}


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def json_bytes(value: Any) -> bytes:
    """One JSON document; numbers that JSON does not have are refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=False).encode()
