"""What the command line prints, and where: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from backend.audit.errors import NoiseAuditError
from noise_audit import BrokenOff, JobFailed, ServerError, ServerUnreachable

JOB_FAILED, WRONG_USE = 1, 2

notes = Console(stderr=True, highlight=False)
"""For people: progress, remarks, errors."""


def say(text: str) -> None:
    """A remark for people."""
    notes.print(text)


def said_to_people() -> bool:
    """Whether somebody sits in front of it; a pipeline's log wants no remarks."""
    return notes.is_terminal


def result(text: str) -> None:
    """A result for scripts, on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def result_json(document: Any) -> None:
    """One JSON document on standard output."""
    result(json.dumps(document, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on standard output."""
    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        # An id is there to be copied: never cut.
        drawn.add_column(column, no_wrap=column == "id", min_width=32 if column == "id" else None)
    for row in rows:
        drawn.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    Console().print(drawn)


def fail(message: str, hint: str = "", *, code: int = WRONG_USE) -> NoReturn:
    """Say what went wrong and what to do, and leave."""
    notes.print(f"[bold red]{escape(message)}[/]")
    if hint:
        notes.print(escape(hint))
    raise typer.Exit(code)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that a person can mend are shown in two lines, not as a traceback."""
    try:
        yield
    except ServerUnreachable as error:
        fail(str(error))
    except ServerError as error:
        hint = (
            "Its token is written by `noise-audit up`; or set NOISE_AUDIT_TOKEN."
            if error.status == 401
            else ""
        )
        fail(f"{error.code}: {error.message}", _further(error.hint, hint, _in_words(error.details)))
    except NoiseAuditError as error:
        fail(f"{error.code}: {error.message}", error.hint)
    except JobFailed as error:
        further = _further(error.hint, _in_words(error.details))
        fail(f"{error.code}: {error.message}", further, code=JOB_FAILED)
    except BrokenOff as error:
        fail(str(error), code=JOB_FAILED)
    except OSError as error:
        fail(f"{error.strerror}: {error.filename}" if error.strerror and error.filename else str(error))
    except ValueError as error:
        fail(str(error))


def _in_words(details: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in details.items())


def _further(*parts: str) -> str:
    return " ".join(filter(None, parts))


@contextmanager
def bytes_bar(title: str) -> Iterator[Any]:
    """A progress bar for bytes; yields a function (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
