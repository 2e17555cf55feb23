"""The commands that talk to a server: bring data, audit, look, take the labels home."""

from __future__ import annotations

import csv
import uuid
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from backend.cli.console import bytes_bar, fail, plain_errors, result, result_json, say, table
from backend.cli.importing import Carry, import_, say_carried
from backend.cli.outcome import naming, show_outcome, status_document
from noise_audit import Client

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]


class Kind(StrEnum):
    """How planted noise chooses the wrong label."""

    SYMMETRIC = "symmetric"
    SYMMETRIC_EXCLUSIVE = "symmetric-exclusive"
    CLASS_CONDITIONAL = "class-conditional"
    INSTANCE = "instance"


def inject(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset to derive from.")],
    kind: Annotated[Kind, typer.Option(help="How the wrong label is chosen.")] = Kind.SYMMETRIC,
    rate: Annotated[float | None, typer.Option(min=0, max=1, help="Share of the labels touched.")] = None,
    matrix: Annotated[
        Path | None, typer.Option(help="CSV of P(given | true), one row per true class.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Derive a dataset with planted noise, to see how well an audit finds it; prints its id."""
    if rate is None and matrix is None:
        fail("Say how much noise: --rate R, or --matrix CSV for class-conditional noise.")
    with plain_errors(), Client() as client:
        rows = _read_matrix(matrix) if matrix else None
        with naming(client, "dataset", dataset):
            derived = client.inject(dataset, kind=kind.value, rate=rate, matrix=rows, seed=seed)
        result(client.wait(derived)["id"])


def audit(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    recipe: Annotated[str, typer.Option(help="Training recipe.")] = "fast",
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, overrides the recipe.")] = None,
    seed: Seed = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result and print it.")] = False,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Judge by these predicted probabilities (npy, npz, CSV, JSON Lines, Parquet) instead of training."
        ),
    ] = None,
    in_sample: Annotated[
        bool, typer.Option("--in-sample", help="The network that predicts has trained on these labels.")
    ] = False,
    logits: Annotated[bool, typer.Option("--logits", help="The predictions are logits.")] = False,
    embedding: Annotated[
        Path | None,
        typer.Option(
            help="Train a head on these vectors (npy, npz, CSV, JSON Lines, Parquet) instead of a network on images."
        ),
    ] = None,
) -> None:
    """Train on a dataset (or judge by predictions of your own) and find its wrong labels; prints the run's id."""
    settings = read_settings(set_)
    if predictions is None and (in_sample or logits):
        fail("--in-sample and --logits say something about --predictions FILE.")
    if predictions is not None and (settings or embedding):
        fail("Predictions are judged without training: --set and --embedding have nothing to act on.")
    with plain_errors(), Client() as client:
        with naming(client, "dataset", dataset), bytes_bar("Uploading") as sent:
            if predictions is not None:
                run = client.audit_predictions(
                    dataset, predictions, in_sample=in_sample, logits=logits, uploading=sent
                )
            else:
                run = client.audit(
                    dataset, recipe=recipe, settings=settings, seed=seed, embedding=embedding, uploading=sent
                )
        if wait:
            run = client.wait(run)
            show_outcome(run)
        result(run["id"])


def relabel(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet: index or name, and label.")],
    name: Annotated[str | None, typer.Option(help="Name of the version.")] = None,
    new_classes: Annotated[
        bool, typer.Option("--new-classes", help="Labels that the dataset has no class for become classes.")
    ] = False,
    carry: Carry = True,
) -> None:
    """Derive a version of a dataset with new labels for the same images; prints its id."""
    with plain_errors(), Client() as client, naming(client, "dataset", dataset):
        started = client.relabelled(dataset, file, name=name, new_classes=new_classes, carry_decisions=carry)
        made = client.wait(started)
        new = client.difference(made["id"])["new_classes"]
    say(f"{made['report'].get('relabelled', 0):,} of {made['sample_count']:,} labels changed.")
    if new:
        say(f"New classes: {escape(', '.join(new))}.")
    say_carried(made["report"])
    result(made["id"])


def decide(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet: index or name, decision, label.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Record the decisions in a table; lines with an error are named and left out."""
    with plain_errors(), Client() as client, naming(client, "dataset", dataset):
        seen = client.import_decisions(dataset, file, idempotency_key="", dry_run=True)
        for each in seen["errors"]:
            say(f"[yellow]{escape(each['where'])}: {escape(each['message'])}[/]")
        verdicts = ", ".join(f"{number:,} {verdict}" for verdict, number in seen["verdicts"].items())
        say(
            f"{seen['new']:,} new decisions{f' ({verdicts})' if verdicts else ''}; {seen['same']:,} stand already."
        )
        if not dry_run and seen["new"]:
            done = client.import_decisions(dataset, file, idempotency_key=uuid.uuid4().hex)
            say(f"Recorded {done['recorded']:,}.")


def annotate(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset.")],
    file: Annotated[
        Path,
        typer.Argument(help="CSV, JSON Lines or Parquet: index or name, and a column for each annotator."),
    ],
) -> None:
    """Add several annotators' labels to a dataset: their agreement and consensus stand beside the audit."""
    with plain_errors(), Client() as client, naming(client, "dataset", dataset):
        said = client.annotate(dataset, file)
    for each in said["annotators"]:
        right = "" if each["accuracy"] is None else f", about {100 * each['accuracy']:.0f} % right"
        say(f"{escape(each['name'])}: {each['labels']:,} labels{right}.")
    say(f"{said['unanimous']:,} of {said['annotated']:,} samples are unanimous.")
    say(f"The consensus differs from {said['differing']:,} given labels.")


def datasets(as_json: AsJson = False) -> None:
    """List the datasets."""
    with plain_errors(), Client() as client:
        items = client.datasets()
    if as_json:
        result_json(items)
    else:
        rows = [(d["id"], d["name"], d["status"], f"{d['sample_count']:,}", len(d["classes"])) for d in items]
        table("Datasets", ["id", "name", "status", "samples", "classes"], rows)


def runs(as_json: AsJson = False) -> None:
    """List the runs."""
    with plain_errors(), Client() as client:
        items = client.runs()
    if as_json:
        result_json([status_document(run) for run in items])
    else:
        rows = [(r["id"], r["dataset_name"], r["recipe"], r["status"], r["flagged"]) for r in items]
        table("Runs", ["id", "dataset", "recipe", "status", "flagged"], rows)


def status(run: Annotated[str, typer.Argument(help="Id of the run.")], as_json: AsJson = False) -> None:
    """Say how a run stands, or what it found."""
    with plain_errors(), Client() as client, naming(client, "run", run):
        found = client.run(run)
    if as_json:
        result_json(status_document(found))
    elif found["status"] == "succeeded":
        show_outcome(found)
    else:
        progress = found["progress"]
        say(f"{found['status']}: {progress.get('message') or ''} ({100 * progress['fraction']:.0f} %)")
        if found["error"]:
            say(f"{found['error']['code']}: {found['error']['message']} {found['error'].get('hint', '')}")


def stop(run: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Stop a run."""
    with plain_errors(), Client() as client, naming(client, "run", run):
        client.stop(run)
        stopped = client.wait_for_run(run)
    say(f"The run is {stopped['status']}.")


# --- shared by the commands above ------------------------------------------------------------------


def read_settings(given: list[str] | None) -> dict[str, str]:
    """What `--set key=value` says."""
    for text in given or []:
        key, equals, _ = text.partition("=")
        if not equals or not key:
            fail(f"--set takes key=value, not {text!r}.")
    return dict(text.split("=", 1) for text in given or [])


def _read_matrix(path: Path) -> list[list[float]]:
    with path.open(newline="") as file:
        try:
            return [[float(cell) for cell in row] for row in csv.reader(file) if row]
        except ValueError as error:
            raise ValueError(f"The matrix in {path.name} must hold numbers only: {error}.") from error


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    app.command("import")(import_)
    for command in (inject, audit, annotate, decide, relabel, datasets, runs, status, stop):
        app.command()(command)
