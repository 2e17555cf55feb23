"""What a run found, for people and for scripts, and what was perhaps meant by an id that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from backend.cli.console import fail, say
from noise_audit import Client, ServerError
from noise_audit.shapes import Run

NEAR = 3
"""So many similar ids are named when one is not known."""


def show_outcome(run: Run) -> None:
    """What a finished run found, for people."""
    say(f"[bold]{run['flagged']:,}[/] of {run['samples']:,} labels are flagged as probably wrong.")
    if run["noise_rate"] is not None:
        say(f"Estimated noise rate {rate_in_words(run)}, from the {run['mixture']} mixture.")
    trust = run["trust"]
    if trust and trust["verdict"]:
        say(f"Trust: {trust['verdict']}. {' '.join(trust['reasons'])}")
    if run["metrics"]:
        numbers = ", ".join(
            f"{name.replace('auroc', 'AUROC')} {value:.4f}"
            for name, value in run["metrics"].items()
            if isinstance(value, float)
        )
        say(f"Against the true labels: {numbers}.")
    say(f"{run['seconds']:.0f} s.")


def rate_in_words(run: Run) -> str:
    """`12.3 % (95 % interval 10.1 % to 14.5 %)`."""
    rate, interval = run["noise_rate"], run["noise_rate_interval"]
    assert rate is not None
    between = f" (95 % interval {_percent(interval[0])} to {_percent(interval[1])})" if interval else ""
    return f"{_percent(rate)}{between}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def status_document(run: Run) -> dict[str, Any]:
    """A run as the contract's `--json` shows it: everything known, `metrics` only with true labels."""
    return {key: value for key, value in run.items() if key != "metrics" or value is not None}


@contextmanager
def naming(client: Client, kind: Literal["dataset", "run"], id_: str) -> Iterator[None]:
    """An id that is not known ends the command with the ids that were perhaps meant."""
    try:
        yield
    except ServerError as error:
        # An id of another shape never gets as far as being looked for.
        shapeless = error.code == "INVALID" and error.details.get("item") == f"{kind}_id"
        if error.code != "NOT_FOUND" and not shapeless:
            raise
        fail(f"There is no {kind} {id_!r}.", _meant(client, kind, id_))


def _meant(client: Client, kind: str, id_: str) -> str:
    datasets = {each["id"]: each["name"] for each in client.datasets()}
    runs = {each["id"]: each["dataset_name"] for each in client.runs()}
    own, others = (runs, datasets) if kind == "run" else (datasets, runs)
    other = "dataset" if kind == "run" else "run"
    if id_ in others:
        return f"That is the id of a {other}. `noise-audit {kind}s` lists the {kind}s."
    called = [known for known, name in own.items() if name == id_]
    near = called or [known for known in own if known.startswith(id_) and len(id_) >= NEAR]
    near = near or difflib.get_close_matches(id_, own, NEAR)
    if near:
        listed = ", ".join(f"{known} ({own[known]})" for known in near[:NEAR])
        return f"Did you mean {listed}?"
    return f"`noise-audit {kind}s` lists the {kind}s."
