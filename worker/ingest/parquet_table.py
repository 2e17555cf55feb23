"""A Parquet file of plain columns as one Arrow table; knows no meaning of a column.

`python -m worker.ingest.parquet_table IN OUT WISH` reads one in a process of its own. Where a description contradicts
itself in a way that nobody thought of, pyarrow ends the process; no server should die of somebody's file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from worker.ingest.names import shown
from worker.ingest.parquet import record_batches
from worker.ingest.parquet_schema import MALFORMED, invalid
from worker.ingest.separated import check_width

_REFUSED = 3
"""Exit status of the process that found something wrong, and says so on its standard output."""
_SECONDS = 300.0
"""So long a table may take; one of the largest that is allowed takes a few."""
_DAMAGED = "The Parquet file is damaged or holds something that is not Parquet."


def read_apart(path: Path, most_bytes: int, as_text: Collection[str] | None) -> pa.Table:
    """As `read_parquet`, in a process of its own: whatever that dies of is PARQUET_INVALID here."""
    wish = json.dumps({"most_bytes": most_bytes, "as_text": None if as_text is None else sorted(as_text)})
    with tempfile.TemporaryDirectory(prefix="noise-audit-") as folder:
        out = Path(folder) / "table.arrow"
        command = [sys.executable, "-m", __name__, str(path), str(out), wish]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise invalid("The Parquet file takes too long to read.") from error
        if done.returncode == _REFUSED:
            raise BadInput.from_dict(json.loads(done.stdout))
        if done.returncode != 0:
            raise invalid(_DAMAGED)
        with pa.OSFile(str(out)) as file, pa.ipc.open_file(file) as reader:
            return reader.read_all()


def read_parquet(
    file: Path | BinaryIO, most_bytes: int, as_text: Collection[str] | None, name: str = ""
) -> pa.Table:
    """The columns, of at most so many bytes, those of `as_text` (all where that is None) as text.

    Where all are text, columns of something else than words and numbers are left out. Raises BadInput PARQUET_INVALID
    and LIMIT_EXCEEDED.
    """
    try:
        with pq.ParquetFile(file, buffer_size=1 << 20, page_checksum_verification=True) as parquet:
            schema = parquet.schema_arrow
            check_width(len(schema.names))
            if len(set(schema.names)) != len(schema.names):
                raise invalid("Two columns of the Parquet file have the same name.", name or None)
            wanted = [field.name for field in schema if as_text is not None or _is_plain(field.type)]
            batches, size = [], 0
            for batch in record_batches(parquet, wanted):
                batches.append(batch)
                size += batch.nbytes
                if size > most_bytes:
                    raise BadInput(
                        "LIMIT_EXCEEDED", "The columns are too large.", limit=most_bytes, found=size
                    )
            table = pa.Table.from_batches(
                batches, schema=pa.schema([schema.field(column) for column in wanted])
            )
            table.validate(full=True)
    except MALFORMED as error:
        raise invalid(_DAMAGED, name or None) from error
    return texts(table, as_text, name)


def texts(table: pa.Table, as_text: Collection[str] | None, name: str = "") -> pa.Table:
    """The columns that are wanted as text, as text. Raises BadInput PARQUET_INVALID."""
    if as_text is None:
        table = table.select([field.name for field in table.schema if _is_plain(field.type)])
    for place, field in enumerate(table.schema):
        if as_text is not None and field.name.casefold() not in as_text:
            continue
        try:
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
        except pa.ArrowException as error:
            raise invalid(
                f"The column {shown(field.name)} holds neither words nor numbers.", name or None
            ) from error
    return table


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        one(kind)
        for one in (
            pa.types.is_null,
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
        )
    )


def main(path: str, out: str, wish: str) -> int:
    """Read the table and write it as an Arrow file, or say on standard output why not."""
    try:
        table = read_parquet(Path(path), **json.loads(wish))
    except BadInput as error:
        json.dump(error.as_dict(), sys.stdout)
        return _REFUSED
    with pa.OSFile(out, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
