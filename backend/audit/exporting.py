"""A table → the bytes of a CSV, JSON or Parquet file, the same bytes each time. No storage, no clock."""

from __future__ import annotations

import hashlib
import io
import json
import math
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

Format = Literal["csv", "json", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""How a cell begins that spreadsheets take for a formula (full-width signs included)."""
MANIFEST_KEY = b"noise_audit"
ROWS_AT_ONCE = 20_000
"""Rows turned into Python objects at a time, so that a million rows of JSON stay bounded."""


def write(table: pa.Table, format: Format, manifest: dict[str, Any]) -> bytes:
    """The file's bytes. CSV holds no manifest (it has one beside it); JSON and Parquet carry theirs."""
    if format == "csv":
        return to_csv(table)
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


def neutralised(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column whose cells no spreadsheet runs as a formula."""
    risky = pc.fill_null(pc.match_substring_regex(column, FORMULA), False)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


def to_json(table: pa.Table, manifest: dict[str, Any]) -> bytes:
    """`{"manifest": …, "rows": [{…}, …]}`, one row per line; what is no number is null."""
    file = io.BytesIO()
    file.write(b'{"manifest": ' + _json(manifest) + b', "rows": [\n')
    first = True
    for position, field in enumerate(table.schema):
        if field.type == pa.float32():  # through its shortest text: 0.1, not 0.10000000149011612
            shortest = table.column(position).cast(pa.string()).cast(pa.float64())
            table = table.set_column(position, field.name, shortest)
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        for row in batch.to_pylist():
            file.write(b"" if first else b",\n")
            file.write(_json({key: _finite(value) for key, value in row.items()}))
            first = False
    file.write(b"\n]}\n")
    return file.getvalue()


def to_parquet(table: pa.Table, manifest: dict[str, Any]) -> bytes:
    """Parquet with the manifest as JSON in the schema's metadata under `noise_audit`."""
    file = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata({MANIFEST_KEY: _json(manifest)}), file)
    return file.getvalue()


def describe_file(manifest: dict[str, Any], filename: str, data: bytes) -> dict[str, Any]:
    """The manifest together with the name, size and SHA-256 of exactly these bytes."""
    return {**manifest, "file": {"name": filename, "bytes": len(data), "sha256": sha256(data)}}


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=False).encode()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
