"""The command that deletes a dataset or a run for good, after saying what that frees."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from backend.cli.console import plain_errors, say
from noise_audit import Client

NOUNS: dict[str, Literal["datasets", "runs"]] = {"dataset": "datasets", "run": "runs"}


def delete(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id of a dataset or a run.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a dataset (with its runs and decisions) or a run for good; says beforehand what that frees."""
    with plain_errors(), Client() as client:
        kind = "run" if id_ in {run["id"] for run in client.runs()} else "dataset"
        say(f"This {kind}: {_freed(client.deletion(NOUNS[kind], id_), kind)}")
        if not yes and not typer.confirm("Delete it for good?", err=True):
            say("Nothing was deleted.")
            return
        client.delete(NOUNS[kind], id_)
        say("Deleted.")


def _freed(freed: dict[str, Any], kind: str) -> str:
    size = (freed["row_bytes"] + freed["artifact_bytes"]) / 1e6
    said = f"{freed['rows']:,} rows and {size:,.1f} MB will be freed"
    if kind == "dataset":
        said += f", with {freed['runs']:,} runs and {freed['decisions']:,} decisions (export them first)"
        if freed["shared_with"]:
            said += f"; its images stay, {freed['shared_with']:,} other datasets use them"
    else:
        said += "; decisions made in it belong to the dataset and stay"
    return f"{said}."


def add_to(app: typer.Typer) -> None:
    """Register this command."""
    app.command()(delete)
