"""Waiting for a job: asks the server twice a second, and shows how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from noise_audit.problems import JobFailed

POLL_SECONDS = 0.5
SUCCEEDED = {"ready", "succeeded", "done"}
FINAL = SUCCEEDED | {"failed", "cancelled"}

Told = Callable[[float, str], None]
"""Called with (fraction done, what is being done)."""
Job = TypeVar("Job", bound=Any)


def wait(ask: Callable[[], Job], on_change: Callable[[Job], None] = lambda job: None) -> Job:
    """The job's last state, whatever it is; `on_change` sees each on the way."""
    while True:
        job = ask()
        on_change(job)
        if job["status"] in FINAL:
            return job
        time.sleep(POLL_SECONDS)


def succeed(ask: Callable[[], Job], title: str, progress: Told | None) -> Job:
    """The job once it has succeeded, with a bar in a terminal or a notebook unless `progress` hears of it.

    Raises `JobFailed`.
    """
    with _told(title, progress) as told:

        def show(job: Job) -> None:
            now = job["progress"]
            told(float(now.get("fraction") or 0), str(now.get("message") or job["status"]))

        job = wait(ask, show)
    if job["status"] not in SUCCEEDED:
        raise JobFailed(job)
    return job


@contextmanager
def _told(title: str, progress: Told | None) -> Iterator[Told]:
    if progress is not None:
        yield progress
        return
    try:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    except ImportError:
        yield lambda fraction, message: None
        return
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", style="dim"),
    )
    shown = console.is_terminal or console.is_jupyter
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(title, total=1.0, message="waiting for a worker")
        yield lambda fraction, message: bar.update(task, completed=fraction, message=escape(message))
