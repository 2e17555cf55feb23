"""Whether bytes are JSON that means one thing: no key twice, no endless number, no bottomless nesting. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from backend.audit.errors import BadInput


def check_json(body: bytes) -> None:
    """Raise BadInput (JSON_INVALID) unless the body is JSON as above."""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_once, parse_float=_finite, parse_constant=_constant
        )
        _check_text(document)
    except RecursionError as error:
        raise _refused("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _refused("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise _refused(f"{error.msg} in line {error.lineno}, column {error.colno}") from error
    except _Ambiguous as error:
        raise _refused(str(error)) from error
    except ValueError as error:
        raise _refused("a number in it is too long") from error


class _Ambiguous(ValueError):
    pass


def _refused(reason: str) -> BadInput:
    return BadInput("JSON_INVALID", f"The body is not usable JSON: {reason}.", hint="Send one JSON object.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) != len(pairs):
        raise _Ambiguous("a key stands in it twice")
    return known


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Ambiguous("a number in it is too large")
    return number


def _constant(text: str) -> Any:
    raise _Ambiguous(f"{text} is no JSON number")


def _check_text(value: Any) -> None:
    """Text that the database cannot hold: NUL, and halves of surrogate pairs."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str) and ("\0" in one or any("\ud800" <= sign <= "\udfff" for sign in one)):
            raise _Ambiguous("a text in it holds a character that is none")
