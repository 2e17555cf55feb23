"""The documents against the program: links lead somewhere; commands, options, settings and codes exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import typer.main

from backend.cli import app
from backend.settings import Limits, Settings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
GUIDE = (ROOT / "docs" / "guide.md").read_text()
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(text: str) -> str:
    """What stands in code blocks and between backticks, one a line, comments left out."""
    blocks = re.findall(r"(?s)```\w*\n(.*?)```", text)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"(?s)```.*?```", "", text))
    return "\n".join(
        re.split(r"\s+#|\s{3,}(?!\[)", line)[0] for line in "\n".join([*blocks, *inline]).splitlines()
    )


def commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    found: dict[str, click.Command] = dict(group.commands)  # type: ignore[attr-defined]
    for name, command in list(found.items()):
        for inner, nested in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = nested
    return found


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    text = path.read_text()
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for target in targets:
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.read_text()), target


@each_document
def test_every_command_and_option_shown_exists(path: Path) -> None:
    known = commands()
    for shown in re.findall(r"(?m)(?:noise-audit|backend) ([a-z].*)$", code(path.read_text())):
        words = shown.split()
        names = [words[0], *re.findall(r"\| ([a-z]+)", shown.split(" -")[0] if " | " in shown else "")]
        for name in names:
            assert name in known, shown
        command = known.get(" ".join(words[:2]), known[words[0]])
        if len(names) > 1:
            continue
        options = {
            option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]
        }
        assert set(re.findall(r"(?<!\S)\[?(--?[a-z][a-z-]*)", shown)) - {"--help"} <= options, shown


@each_document
def test_every_make_target_shown_exists(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"(?m)^make ([a-z-]+)", code(path.read_text()))) <= targets


def test_the_readme_names_the_two_commands_and_the_checks_run_the_same() -> None:
    assert re.findall(r"(?m)^(make \w+)  +#", (ROOT / "README.md").read_text()) == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_guide_lists_every_setting_and_no_other() -> None:
    listed = set(re.findall(r"\| `(NOISE_AUDIT_\w+)` \|", GUIDE))
    assert listed == {f"NOISE_AUDIT_{name.upper()}" for name in Settings.model_fields if name != "limits"}
    limits = re.search(r"(?s)Limits, each `NOISE_AUDIT_LIMIT_…`: (.*?)\n\n", GUIDE)
    assert limits
    assert set(re.findall(r"`([A-Z_]+)`", limits[1])) == {name.upper() for name in Limits.model_fields}


@each_document
def test_every_error_code_named_is_one_of_ours(path: Path) -> None:
    source = "".join(
        file.read_text() for folder in ("backend", "worker") for file in sorted((ROOT / folder).rglob("*.py"))
    )
    named = set(re.findall(r"(?m)^\| ((?:`[A-Z]+_[A-Z_]+`(?:, )?)+) \|", path.read_text()))
    for code_named in {each for row in named for each in re.findall(r"`(\w+)`", row)}:
        assert f'"{code_named}"' in source or code_named.startswith("NOISE_AUDIT_"), code_named


@each_document
def test_every_file_named_in_a_table_or_rule_exists(path: Path) -> None:
    for named in set(
        re.findall(r"`((?:backend|worker|frontend|tests|noise_audit|migrations)/[\w./-]+)`", path.read_text())
    ):
        if "NAME" not in named:
            assert (ROOT / named).exists(), named
