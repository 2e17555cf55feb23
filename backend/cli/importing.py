"""The command that brings data in: upload, look, say what was seen, import."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.markup import escape

from backend.api.schemas.words import ColumnUse
from backend.cli.console import bytes_bar, fail, plain_errors, result, result_json, say
from backend.cli.outcome import naming
from noise_audit import Client
from noise_audit.client import named_after

SHOWN = 8
"""Classes, or unreadable files, that are named one by one."""


class Format(StrEnum):
    """How an import is read."""

    AUTO, CLASS_FOLDER, MANIFEST, PARQUET = "auto", "class-folder", "manifest", "parquet"
    WEBDATASET, CIFAR, IDX, ARRAYS, COCO = "webdataset", "cifar", "idx", "arrays", "coco"


class Duplicates(StrEnum):
    """What becomes of images that the dataset holds already."""

    SKIP, KEEP = "skip", "keep"


Carry = Annotated[
    bool,
    typer.Option(
        "--decisions/--no-decisions", help="Carry decisions over to the version where their label stays."
    ),
]


class Split(StrEnum):
    """Which part of a dataset that comes in several is taken."""

    TRAIN, VAL, TEST, ALL = "train", "val", "test", "all"


def import_(
    path: Annotated[Path, typer.Argument(help="An archive, a Parquet file or a folder of labelled images.")],
    name: Annotated[str | None, typer.Option(help="Name of the dataset; default: the path's.")] = None,
    format: Annotated[Format, typer.Option(help="How to read it.")] = Format.AUTO,
    split: Annotated[Split, typer.Option(help="Which split, where there are several.")] = Split.TRAIN,
    column: Annotated[
        list[str] | None,
        typer.Option(help="USE=COLUMN of a table, USE being image, label, true_label, split or annotators."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=2, help="Take the first N samples only.")] = None,
    on_server: Annotated[bool, typer.Option("--on-server", help="PATH is a folder there.")] = False,
    append_to: Annotated[
        str | None, typer.Option(help="Id of a dataset: make a version of it with this behind its samples.")
    ] = None,
    duplicates: Annotated[
        Duplicates, typer.Option(help="With --append-to: what becomes of images that are there already.")
    ] = Duplicates.SKIP,
    carry: Carry = True,
    check: Annotated[bool, typer.Option("--check", help="Say what it is and import nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --check: one JSON document on standard output.")
    ] = False,
) -> None:
    """Bring a dataset in, or add to one; prints its id."""
    columns = dict(_column(each) for each in column or [])
    with plain_errors(), Client() as client:
        if append_to is not None:
            with naming(client, "dataset", append_to):
                client.dataset(append_to)
        with bytes_bar("Uploading") as sent:
            delivery = client.deliver(path, on_server=on_server, progress=sent)
        report = client.preflight(
            delivery, format=format.value, columns=columns, append=append_to is not None
        )
        if as_json and check:
            result_json(report)
        else:
            show_preflight(report, split.value)
        if check:
            return
        wish: dict[str, Any] = {
            "format": format.value,
            "split": split.value,
            "limit": limit,
            "columns": columns,
        }
        if append_to is None:
            started = client.import_delivered(delivery, name=name or named_after(path), **wish)
        else:
            wish |= {"name": name, "duplicates": duplicates.value, "carry_decisions": carry}
            started = client.append_delivered(append_to, delivery, **wish)
        dataset = client.wait(started)
        report = dataset["report"]
        if "appended" in report:
            show_appended(report["appended"])
            say_carried(report)
            report = report["appended"]["delivery"]
        say(f"{dataset['sample_count']:,} images in {len(dataset['classes'])} classes.")
        unreadable = int(report.get("unreadable_count", 0))
        if unreadable:
            say(
                f"[yellow]{unreadable:,} could not be read and were left out; the import report names them.[/]"
            )
        result(dataset["id"])


def show_appended(appended: dict[str, Any]) -> None:
    """What an append added and what it left out, for people."""
    added = appended["added"]
    say(f"Added {added:,} image{'s' * (added != 1)} behind the {appended['before']:,} that were there.")
    there = appended["already_there"]
    if there:
        what = "skipped" if appended["skipped"] else "added all the same"
        say(f"There already: {there:,}, {what}; under another label: {appended['differing']:,}.")
        differing = [one for one in appended["examples"] if one["label"] != one["given_label"]]
        for one in differing[:SHOWN]:
            say(
                f"[yellow]{escape(one['item'])}: {escape(one['label'])} here, {escape(one['given_label'])} there "
                f"(sample {one['index']})[/]"
            )
    if appended["new_classes"]:
        say(f"New classes: {escape(', '.join(appended['new_classes']))}.")


def say_carried(report: dict[str, Any]) -> None:
    """How many decisions a version took over from the dataset that it was derived from."""
    carried = report.get("carried")
    if carried and carried["decisions"] + carried["left_out"]:
        out = f"; {carried['left_out']:,} not, since their labels changed" if carried["left_out"] else ""
        taken = carried["decisions"]
        say(f"{taken:,} decision{'s' * (taken != 1)} carried over{out}.")


def show_preflight(report: dict[str, Any], split: str) -> None:
    """What was recognised, for people."""
    say(f"Recognised as [bold]{report['recognised']}[/]: {escape(report['reason'])}.")
    if report["splits"]:
        sizes = sorted(report["splits"].items(), key=lambda item: -item[1])
        parts = ", ".join(f"{size:,} {name}" for name, size in sizes)
        say(f"Splits: {parts}; taken: {split}.")
    counts = report["counts"]
    wanted = [counts[split]] if split in counts else list(counts.values())
    totals = {name: sum(one.get(name, 0) for one in wanted) for name in report["classes"]}
    listed = ", ".join(f"{escape(name)} {size:,}" for name, size in list(totals.items())[:SHOWN])
    more = f", and {len(totals) - SHOWN} more" if len(totals) > SHOWN else ""
    say(f"{sum(totals.values()):,} images in {len(totals)} classes: {listed}{more}.")
    if report["columns"]:
        chosen = ", ".join(f"{use}={escape(name)}" for use, name in report["columns"]["chosen"].items())
        say(f"Columns: {chosen} (another one with --column USE=NAME).")
    readable, duplicates = report["readable"], report["duplicates"]
    say(f"Tried: {readable['looked_at']:,} images; cannot be read: {readable['unreadable']:,}.")
    part = "" if duplicates["complete"] else f" among the first {duplicates['compared']:,}"
    say(f"There more than once: {duplicates['images']:,} images{part}.")
    for item in report["unreadable"][:SHOWN]:
        say(f"[yellow]{escape(item['item'])}: {item['code']}: {escape(item['message'])}[/]")
    if report["unreadable_count"] > SHOWN:
        say(f"[yellow]… and {report['unreadable_count'] - SHOWN:,} more that will be left out.[/]")
    for warning in report["warnings"]:
        say(f"[yellow]{escape(warning['message'])}[/]")


def _column(text: str) -> tuple[str, str]:
    use, equals, name = text.partition("=")
    if not equals or use not in get_args(ColumnUse):
        fail(f"--column takes USE=NAME with USE one of {', '.join(get_args(ColumnUse))}, not {text!r}.")
    return use, name
