"""`noise-audit scan`: one dataset from files to findings in one command, with no server left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.audit.errors import NoiseAuditError
from backend.cli.client import Seed, read_settings
from backend.cli.console import JOB_FAILED, bytes_bar, fail, plain_errors, result, said_to_people, say
from backend.cli.importing import Format, Split
from backend.cli.outcome import rate_in_words, show_outcome, status_document
from backend.cli.server import Leave, leave_on_signals
from backend.cli.takeout import Unreviewed
from noise_audit import BrokenOff, Client, JobFailed, ServerError, ServerUnreachable
from noise_audit.shapes import Dataset, Export, Run

SUMMARY = "summary.json"
FILES: dict[str, tuple[Export, str]] = {
    "report.html": ("report", "html"),
    "cleaned-labels.csv": ("cleaned-labels", "csv"),
    "samples.parquet": ("samples", "parquet"),
}
"""What is written beside the summary: the export and its format."""


def scan(
    path: Annotated[Path, typer.Argument(help="What `import` takes: a folder or a file.", exists=True)],
    out: Annotated[Path, typer.Option("-o", "--out", file_okay=False, help="Folder to write into.")],
    fail_above: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit status 1 when the estimated noise rate is above."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="Training recipe.")] = "fast",
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, overrides the recipe.")] = None,
    seed: Seed = 0,
    format: Annotated[Format, typer.Option(help="How to read PATH.")] = Format.AUTO,
    split: Annotated[Split, typer.Option(help="Which split, where there are several.")] = Split.TRAIN,
    limit: Annotated[int | None, typer.Option(min=2, help="Take the first N samples only.")] = None,
    unreviewed: Annotated[
        Unreviewed, typer.Option(help="What cleaned-labels.csv does with flagged samples.")
    ] = Unreviewed.KEEP,
    data: Annotated[
        Path | None, typer.Option(help="Keep it here, for `noise-audit up --data`; default: nothing is kept.")
    ] = None,
) -> None:
    """Import, audit and report in one go, and stop everything again; prints where the summary is."""
    settings = read_settings(set_)
    out.mkdir(parents=True, exist_ok=True)
    with _left_in_order(), plain_errors():
        with _summary(out, path, fail_above) as summary, _server(path, data) as client:
            with bytes_bar("Uploading") as sent:
                started = client.import_path(
                    path.resolve(),
                    name=path.resolve().name,
                    format=format.value,
                    split=split.value,
                    limit=limit,
                    on_server=_is_read_in_place(path),
                    progress=sent,
                )
            dataset = client.wait(started)
            summary["dataset"] = _described(dataset)
            run = client.audit(dataset["id"], recipe=recipe, settings=settings, seed=seed, wait=True)
            summary["run"] = status_document(run)
            for name, (what, written_as) in FILES.items():
                client.export(run["id"], what, out / name, format=written_as, unreviewed=unreviewed.value)
            summary["files"] = list(FILES)
            summary["passed"] = fail_above is None or _rate(run) <= fail_above
        if said_to_people():
            show_outcome(run)
            say(f"{summary['seconds']:.0f} s in all. Look at {out / 'report.html'}.")
        result(str(out / SUMMARY))
        if fail_above is not None and not summary["passed"]:
            fail(
                f"The estimated noise rate is {rate_in_words(run)}: above {100 * fail_above:g} %.",
                code=JOB_FAILED,
            )


def _rate(run: Run) -> float:
    """The estimated noise rate; 0 where the run saw no sign of two groups."""
    return run["noise_rate"] or 0.0


def _described(dataset: Dataset) -> dict[str, Any]:
    """What a pipeline's log wants to know of an import."""
    report = dataset["report"]
    return {
        "id": dataset["id"],
        "name": dataset["name"],
        "samples": dataset["sample_count"],
        "classes": dataset["classes"],
        **{key: report.get(key) for key in ("recognised", "unreadable_count", "duplicates")},
    }


@contextmanager
def _left_in_order() -> Iterator[None]:
    """A signal ends the command when everything it started has stopped, with the status that shells expect."""
    leave_on_signals()
    try:
        yield
    except Leave as left:
        raise typer.Exit(128 + signal.Signals[str(left)]) from left


@contextmanager
def _summary(out: Path, path: Path, fail_above: float | None) -> Iterator[dict[str, Any]]:
    """The document that ends in `summary.json`, with the error where there was one."""
    (out / SUMMARY).unlink(missing_ok=True)
    began = time.monotonic()
    summary: dict[str, Any] = {"format": "noise-audit scan 1", "path": path.resolve().name}
    summary |= {"fail_above": fail_above, "passed": None}
    try:
        yield summary
    except (JobFailed, ServerError, ServerUnreachable, BrokenOff, NoiseAuditError) as error:
        summary["error"] = {"code": getattr(error, "code", "BROKEN_OFF"), "message": str(error)}
        raise
    finally:
        summary["seconds"] = round(time.monotonic() - began, 1)
        (out / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _server(path: Path, data: Path | None) -> Iterator[Client]:
    """A whole installation of this command alone, and a client of it; with its folder unless that was named."""
    from backend.cli.supervisor import Supervisor, free_port
    from backend.settings import Settings

    temporary = None if data else Path(tempfile.mkdtemp(prefix="noise-audit-scan-"))
    if temporary and os.geteuid() == 0:
        # PostgreSQL's own user passes through.
        temporary.chmod(0o711)
    own: dict[str, Any] = {"host": "127.0.0.1", "port": free_port("127.0.0.1"), "public_host": ""}
    # Whatever this machine's environment says of a shared database: this one is alone.
    own |= {"data": (data or temporary or path).absolute(), "database_url": "", "artifacts": ""}
    own |= {"server_folders": str(path.resolve()) if _is_read_in_place(path) else ""}
    try:
        if said_to_people():
            say("Starting PostgreSQL, the backend and a worker ...")
        with (
            Supervisor(Settings(**own), remembered=False) as supervisor,
            Client(supervisor.url, supervisor.token) as client,
        ):
            yield client
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _is_read_in_place(path: Path) -> bool:
    """A folder is, where its name can stand in a list of folders; a file is uploaded, over the loopback."""
    return path.is_dir() and os.pathsep not in str(path.resolve())


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(scan)
