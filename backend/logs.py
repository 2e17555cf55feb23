"""How every process writes its log: lines for people, or one JSON object a line; always with bounded fields.

Every line inside a request carries its id, every line of a job's process what it works on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

MESSAGE_CHARACTERS = 4_000
TRACE_CHARACTERS = 16_000
"""Of a traceback the end is kept, where the cause stands."""
RELAYED = "relayed"
"""Marks a record whose message is a line that another of our processes wrote in this form already."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=_NOTHING)


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Every line logged inside the block carries these ids (request_id, run_id, dataset_id, claim_id)."""
    token = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(token)


def set_up(form: Literal["text", "json"]) -> None:
    """Log to standard error from now on, at level INFO."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, ids, and a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        message = record.getMessage()
        if getattr(record, RELAYED, False) and message.startswith("{"):
            return message
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _bounded(message),
            **_about.get(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-TRACE_CHARACTERS:]
        return json.dumps(line, ensure_ascii=True)


class Lines(logging.Formatter):
    """A line for people; control characters in it are escaped, so that one record is one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The record's own line, without its traceback."""
        record.message = _bounded(record.message)
        missing = {name: value for name, value in _about.get().items() if value not in record.message}
        ids = "".join(f" [{name} {value}]" for name, value in missing.items())
        line = super().formatMessage(record) + ids
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


def _bounded(message: str) -> str:
    if len(message) <= MESSAGE_CHARACTERS:
        return message
    return f"{message[:MESSAGE_CHARACTERS]}… ({len(message)} characters)"
