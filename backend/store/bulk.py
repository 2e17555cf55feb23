"""Moves whole columns between numpy and PostgreSQL in its binary formats; knows no table.

Shapes: N rows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
CHUNK_ROWS = 65_536
"""Rows sent at a time: a few MB, so that a million rows never lie in memory twice."""

Fixed = list[tuple[str, str]]
"""Columns of fixed width, never null: (name, numpy type), e.g. ("loss", "f4")."""
_SEND = {
    "i2": "int2send",
    "i4": "int4send",
    "i8": "int8send",
    "f4": "float4send",
    "f8": "float8send",
    "?": "boolsend",
}
"""PostgreSQL's functions that give a value's bytes as the binary formats have them, big-endian."""


def connection_of(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection inside the session's transaction."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def attach_partition(
    session: Session,
    parent: str,
    key_column: str,
    key: str,
    fill: Iterable[bytes | memoryview],
    columns: list[str],
    indexes: list[str],
) -> bool:
    """Fill a stand-alone table with COPY data, index it, and make it the parent's partition for `key`.

    All in the caller's transaction: readers see the whole partition or none. `indexes` are column lists
    beside the primary key (key_column, sample_index). False, and nothing done, when it is there already.
    The caller holds a lock on the row that owns the partition.
    """
    name = f"{parent}_{key}"
    table, mother, column = sql.Identifier(name), sql.Identifier(parent), sql.Identifier(key_column)
    cursor = connection_of(session).cursor()
    if cursor.execute("SELECT to_regclass(%s)", [f'"{name}"']).fetchone() != (None,):
        return False
    cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)").format(table, mother))
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    # FREEZE: made in this transaction, so nobody else can see the rows before it ends.
    with cursor.copy(
        sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)").format(table, listed)
    ) as copy:
        for block in fill:
            copy.write(block)
    cursor.execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({}, sample_index)").format(table, column))
    for index in indexes:
        cursor.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.SQL(index)))
    # With this check the parent need not read the rows again while it is locked.
    cursor.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT only_this CHECK ({} = {})").format(
            table, column, sql.Literal(key)
        )
    )
    cursor.execute(sql.SQL("ANALYZE {}").format(table))
    cursor.execute(
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
            mother, table, sql.Literal(key)
        )
    )
    cursor.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT only_this").format(table))
    return True


def drop_partition(session: Session, parent: str, key: str) -> None:
    """Drop the partition with all its rows, where there is one."""
    statement = sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(f"{parent}_{key}"))
    connection_of(session).execute(statement)


def encode(
    rows_N: np.ndarray[Any, np.dtype[np.void]], fixed: Fixed, key: str
) -> Iterable[bytes | memoryview]:
    """COPY data of N rows of fixed-width columns, preceded by the text column `key`, the same in every row."""
    dtype = _wire([("key", f"S{len(key.encode())}"), *fixed])
    yield HEADER
    for start in range(0, len(rows_N), CHUNK_ROWS):
        chunk_N = rows_N[start : start + CHUNK_ROWS]
        wire_N = np.zeros(len(chunk_N), dtype)
        wire_N["fields"] = len(fixed) + 1
        wire_N["bytes_key"], wire_N["key"] = len(key.encode()), key.encode()
        for name, kind in fixed:
            wire_N[f"bytes_{name}"] = np.dtype(kind).itemsize
            wire_N[name] = chunk_N[name]
        yield wire_N.tobytes()
    yield TRAILER


def read(session: Session, query: sql.Composed, fixed: Fixed) -> np.ndarray[Any, np.dtype[np.void]]:
    """The query's rows, in its order, as a structured array (N,) in native byte order; its columns are `fixed`.

    The server puts each column together as one byte string: COPY would hand over a million rows one by one.
    """
    names = [sql.Identifier(name) for name, _ in fixed]
    whole = sql.SQL("SELECT {sent} FROM ({query}) AS rows ({names})").format(
        sent=sql.SQL(", ").join(
            sql.SQL("string_agg({}({}), ''::bytea)").format(sql.SQL(_SEND[kind]), name)
            for name, (_, kind) in zip(names, fixed, strict=True)
        ),
        query=query,
        names=sql.SQL(", ").join(names),
    )
    found = connection_of(session).cursor(binary=True).execute(whole).fetchone()
    # Of no rows at all each column is NULL.
    columns = [
        np.frombuffer(column or b"", np.dtype(kind).newbyteorder(">"))
        for column, (_, kind) in zip(found or [], fixed, strict=True)
    ]
    rows_N = np.empty(len(columns[0]), [(name, np.dtype(kind)) for name, kind in fixed])
    for (name, _), column_N in zip(fixed, columns, strict=True):
        rows_N[name] = column_N
    return rows_N


def _wire(fixed: Fixed) -> np.dtype[np.void]:
    """One row as it travels: a field count, then each field's length and its bytes, all big-endian."""
    parts: list[tuple[str, Any]] = [("fields", ">i2")]
    for name, kind in fixed:
        parts += [(f"bytes_{name}", ">i4"), (name, np.dtype(kind).newbyteorder(">"))]
    return np.dtype(parts)
