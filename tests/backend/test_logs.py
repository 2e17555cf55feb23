"""One record is one line, bounded, with the ids of what it is about; whoever writes a path cannot forge another."""

from __future__ import annotations

import json
import logging
import sys

from backend.logs import MESSAGE_CHARACTERS, RELAYED, JsonLines, Lines, about


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("backend.api", logging.INFO, "file", 1, "%s", (message,), None)
    made.__dict__.update(extra)
    return made


def test_a_json_line_holds_the_record_and_the_ids_of_what_it_is_about() -> None:
    with about(request_id="r1"), about(run_id="x"):
        line = JsonLines().format(record("hello\nwörld"))
    told = json.loads(line)
    assert "\n" not in line
    assert {key: told[key] for key in ("level", "logger", "message", "request_id", "run_id")} == {
        "level": "INFO",
        "logger": "backend.api",
        "message": "hello\nwörld",
        "request_id": "r1",
        "run_id": "x",
    }
    assert told["time"].endswith("+00:00")
    assert "request_id" not in json.loads(JsonLines().format(record("later")))


def test_long_messages_are_cut_and_tracebacks_kept_within_bounds() -> None:
    for formatter in (JsonLines(), Lines()):
        assert len(formatter.format(record("x" * 1_000_000))) < MESSAGE_CHARACTERS + 300
    try:
        raise ValueError("y" * 100_000)
    except ValueError:
        failed = record("failed", exc_info=sys.exc_info())
    told = json.loads(JsonLines().format(failed))
    assert len(told["traceback"]) <= 16_000
    assert told["traceback"].endswith("y")


def test_a_line_for_people_cannot_be_forged_by_what_it_holds() -> None:
    with about(request_id="r1"):
        line = Lines().format(record("name\n2026-01-01 ERROR forged \x1b[31m"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.endswith("[request_id r1]")


def test_a_line_of_a_jobs_process_passes_through_the_workers_log_once() -> None:
    inner = JsonLines().format(record("from the job"))
    assert JsonLines().format(record(inner, **{RELAYED: True})) == inner
    # What a library printed there is no JSON, and what a person typed is not taken for a relayed line.
    assert json.loads(JsonLines().format(record("Segmentation fault", **{RELAYED: True})))["message"]
    assert json.loads(JsonLines().format(record(inner)))["message"] == inner
