"""`noise-audit export`: what a run and your decisions give, as a file with its manifest beside it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import bytes_bar, fail, plain_errors, say
from backend.cli.outcome import naming
from noise_audit import Client


class What(StrEnum):
    """What an export holds."""

    CLEANED_LABELS, SAMPLES, SCORES = "cleaned-labels", "samples", "scores"
    DATASET, EMBEDDING, MODEL, REPORT = "dataset", "embedding", "model", "report"


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV, JSON, JSONL, PARQUET = "csv", "json", "jsonl", "parquet"
    AS_DELIVERED, CLASS_FOLDER, MANIFEST = "as-delivered", "class-folder", "manifest"
    WEBDATASET, COCO, CIFAR_BINARY = "webdataset", "coco", "cifar-binary"
    ZIP, SAFETENSORS, HTML = "zip", "safetensors", "html"


class Unreviewed(StrEnum):
    """What happens to flagged samples that nobody reviewed."""

    KEEP, ACCEPT, REMOVE = "keep", "accept", "remove"


TABLES = (What.CLEANED_LABELS, What.SAMPLES, What.SCORES)
BY_ENDING = {f".{each.value}": each for each in ExportFormat}


def export(
    run: Annotated[str, typer.Argument(help="Id of the run.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    what: Annotated[What, typer.Option(help="What to write.")] = What.CLEANED_LABELS,
    unreviewed: Annotated[
        Unreviewed, typer.Option(help="Flagged samples nobody reviewed.")
    ] = Unreviewed.KEEP,
    format: Annotated[
        ExportFormat | None, typer.Option(help="Default: by FILE's ending, else the first that suits.")
    ] = None,
) -> None:
    """Write labels, scores, the cleaned dataset, the network or a report to a file, and the manifest beside it."""
    if out.is_dir():
        fail(f"{out} is a folder.", f"Name a file in it: -o {out / what.value}")
    chosen = format or _by_ending(what, out)
    with plain_errors(), Client() as client, naming(client, "run", run), bytes_bar("Receiving") as received:
        manifest = client.export(
            run,
            what.value,
            out,
            format=chosen.value if chosen else None,
            unreviewed=unreviewed.value,
            progress=received,
        )
    counts = manifest["counts"]
    said = ", ".join(f"{counts[key]:,} {key}" for key in ("relabelled", "removed", "unchanged"))
    form = f" as {manifest['form']}" if "form" in manifest else ""
    say(f"Wrote {out}{form} ({said}) and {out.name}.manifest.json.")


def _by_ending(what: What, out: Path) -> ExportFormat | None:
    """What the file's name asks for, where it can; the server's default otherwise."""
    named = BY_ENDING.get(out.suffix.lower())
    suits = what in TABLES and named in (
        ExportFormat.CSV,
        ExportFormat.JSON,
        ExportFormat.JSONL,
        ExportFormat.PARQUET,
    )
    return named if suits or (what == What.MODEL and named == ExportFormat.SAFETENSORS) else None


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(export)
