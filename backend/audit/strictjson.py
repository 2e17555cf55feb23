"""Whether bytes are JSON that means one thing: no key twice, no endless number, no bottomless nesting. Pure."""

from __future__ import annotations

import json
import math
from typing import Any


class NotJson(ValueError):
    """Why the bytes cannot be used, in words that go on after "it is not usable JSON:"; `line` where it is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def parse(body: bytes) -> Any:
    """The document; raises NotJson unless it is JSON as above."""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_once, parse_float=_finite, parse_constant=_constant
        )
        _check_text(document)
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise NotJson("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} in line {error.lineno}, column {error.colno}", error.lineno) from error
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson("a number in it is too long") from error
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) != len(pairs):
        raise NotJson("a key stands in it twice")
    return known


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("a number in it is too large")
    return number


def _constant(text: str) -> Any:
    raise NotJson(f"{text} is no JSON number")


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
            raise NotJson("a text in it holds a character that is none")
