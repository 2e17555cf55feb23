"""JSON without surprises: no key twice, no number that is none, no depth without end; knows no meanings."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from backend.audit.errors import BadInput
from worker.ingest.names import shown


def loads(text: str | bytes, item: str, line: int | None = None) -> Any:
    """The value; raises BadInput JSON_INVALID that says what is wrong, and in which line."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_once, parse_float=_finite, parse_constant=_refuse)
    except _Said as error:
        raise _invalid(str(error), item, line) from error
    except RecursionError as error:
        raise _invalid("The JSON is nested too deep.", item, line) from error
    except UnicodeDecodeError as error:
        raise _invalid("The JSON is not UTF-8 text.", item, line) from error
    except json.JSONDecodeError as error:
        raise _invalid("This is not JSON.", item, line if line is not None else error.lineno) from error
    except ValueError as error:  # a whole number of thousands of digits
        raise _invalid("A number is too long.", item, line) from error


class _Said(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Said("A key stands twice in one object.")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Said("A number is too large.")
    return number


def _refuse(_: str) -> NoReturn:
    raise _Said("NaN and Infinity are no JSON.")


def _invalid(message: str, item: str, line: int | None) -> BadInput:
    where = shown(item) if line is None else f"{shown(item)}, line {line}"
    return BadInput("JSON_INVALID", message, hint="Write the file again as plain JSON.", item=where)
