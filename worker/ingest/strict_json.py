"""JSON files and lines of them, without surprises; says which file and line is at fault."""

from __future__ import annotations

from typing import Any

from backend.audit.errors import BadInput
from backend.audit.strictjson import NotJson, parse
from worker.ingest.names import in_file, shown


def loads(data: bytes, item: str, line: int | None = None) -> Any:
    """The value; raises BadInput JSON_INVALID, of the line where the data are one of several."""
    try:
        return parse(data.removeprefix(b"\xef\xbb\xbf"))
    except NotJson as error:
        at = line if line is not None else error.line
        raise BadInput(
            "JSON_INVALID",
            f"This is not usable JSON: {error}.",
            hint="Write the file again as plain JSON.",
            item=shown(item) if at is None else in_file(item, at),
        ) from error
