"""The command line without a server: help, completion, and what wrong words get."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer.main
from typer.testing import CliRunner

from backend.cli import app

GROUP = typer.main.get_command(app)
RUNNER = CliRunner()
NOBODY = {"NOISE_AUDIT_URL": "http://127.0.0.1:9", "COLUMNS": "200"}


def commands(group: click.Command) -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in getattr(group, "commands", {}).items():
        found[name] = command
        found |= {f"{name} {inner}": nested for inner, nested in commands(command).items()}
    return found


@pytest.mark.parametrize("name", commands(GROUP))
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command = commands(GROUP)[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", ""), f"{name} {parameter.name}"
    assert RUNNER.invoke(app, [*name.split(), "--help"]).exit_code == 0


def complete(words: str) -> list[str]:
    """What a shell would offer for the last word."""
    environment = {**os.environ, "_NOISE_AUDIT_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    code = "from backend.cli import app; app(prog_name='noise-audit')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def test_a_shell_completes_commands_and_choices() -> None:
    assert complete("noise-audit exp") == ["export"]
    assert "dataset" in complete("noise-audit export x --what ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exprot", "x"], "Did you mean 'export'?"),
        (["export", "x", "--whta", "model"], "--what"),
        (["export", "x", "-o", "f", "--what", "modle"], "'model'"),
        (["audit", "x", "--set", "epochs"], "key=value"),
        (["inject", "x"], "--rate R"),
        (["scan", "/no/such/path", "-o", "out"], "/no/such/path"),
    ],
)
def test_wrong_words_end_with_two_and_say_what_is_right(arguments: list[str], said: str) -> None:
    done = RUNNER.invoke(app, arguments, env=NOBODY)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["datasets", "--json"], ["runs"], ["status", "x"], ["stop", "x"], ["export", "x", "-o", "f"]],
)
def test_without_a_server_each_says_how_to_start_one(arguments: list[str]) -> None:
    done = RUNNER.invoke(app, arguments, env=NOBODY)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "noise-audit up" in " ".join(done.stderr.split())


def test_a_folder_is_no_file_to_export_to(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["export", "x", "-o", str(tmp_path)], env=NOBODY)
    assert done.exit_code == 2
    assert str(tmp_path / "cleaned-labels") in done.stderr.replace("\n", "")
