"""The command that says what is wrong with an installation, and how to mend it."""

from __future__ import annotations

import math
from typing import Annotated

import typer
from rich.markup import escape

from backend.cli.client import AsJson
from backend.cli.console import JOB_FAILED, result_json, say
from backend.cli.server import Data, settings_with

SHOWN = {"fine": "[green]✓ fine [/]", "look": "[yellow]! look [/]", "wrong": "[bold red]✗ wrong[/]"}
"""A sign, a word and a colour: each says it alone."""


def doctor(
    as_json: AsJson = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Read every stored file, not 2 GB of them; takes as long as that takes."),
    ] = False,
    data: Data = None,
) -> None:
    """Say what is wrong with this installation and how to mend it; exit status 1 when something is."""
    from backend.cli.examination import SAMPLED_BYTES, examine

    findings = examine(lambda: settings_with(data), math.inf if everything else SAMPLED_BYTES)
    wrong = [each for each in findings if each.state == "wrong"]
    if as_json:
        result_json({"ok": not wrong, "findings": [each._asdict() for each in findings]})
    else:
        for each in findings:
            say(f"{SHOWN[each.state]}  {each.what:<12} {escape(each.said)}")
            if each.mend and each.state != "fine":
                say(f"{'':>22}→ {escape(each.mend)}")
        say("Nothing is wrong." if not wrong else f"[bold]{len(wrong)} of {len(findings)} are wrong.[/]")
    if wrong:
        raise typer.Exit(JOB_FAILED)


def add_to(app: typer.Typer) -> None:
    """Register this command."""
    app.command()(doctor)
