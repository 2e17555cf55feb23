"""What every file to take away begins with: a run's results, the decisions as they stand, and the manifest."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from backend.api.annotators import annotated
from backend.api.blindness import require_whole
from backend.api.context import Caller, Context
from backend.api.samples import succeeded
from backend.audit.blind import ReviewStatus, count_statuses
from backend.audit.cleaning import Cleaned, CleaningCounts, Unreviewed, cleaned_labels, count_cleaning
from backend.audit.forms.archive import Arranged
from backend.audit.tables import Audit, Exported, Together, decisions_hash, input_hash, manifest
from backend.store import datasets, decisions, reviews
from backend.store.datasets import Fingerprints
from backend.store.tables import Dataset, Run


class State(NamedTuple):
    """A run's results and the decisions as they stand, cleaned by a policy."""

    run: Run
    dataset: Dataset
    audit: Audit
    cleaned: Cleaned
    counts: CleaningCounts
    unreviewed: Unreviewed
    fingerprints: Fingerprints
    input_sha256: str
    review: dict[ReviewStatus, int] | None
    """Of a blind review: how many samples have which status. Only what is agreed or adjudicated stands."""


class File(NamedTuple):
    """A file to take away, in memory or still to be written."""

    name: str
    media_type: str
    data: bytes | Arranged
    manifest: dict[str, Any]


def gather(session: Session, context: Context, caller: Caller, run_id: str, unreviewed: Unreviewed) -> State:
    """The caller's succeeded run, whole. Raises NotFound, Conflict, and Forbidden (BLIND) in a blind review."""
    run = succeeded(session, caller, run_id, "to export its results")
    dataset = datasets.load(session, run.dataset_id)
    require_whole(session, caller, dataset)
    reviewed = None if dataset.blind_since is None else reviews.reviewed(session, dataset.id)
    columns = context.published.results(session, run_id)
    said = annotated(context, session, dataset)
    audit = Audit(
        names=context.published.names(session, run.dataset_id),
        classes=dataset.classes,
        given_N=columns.given_label,
        true_N=columns.true_label,
        suggested_N=columns.suggested_label,
        noise_posterior_N=columns.noise_posterior,
        loss_N=columns.loss,
        margin_N=columns.margin,
        flagged_N=columns.flagged,
        standing=decisions.standing(session, dataset.id) if reviewed is None else reviewed.standing(),
        annotated=None if said is None else Together(said.agreement, said.majority, said.consensus),
        split=datasets.split_names(context.published.splits(session, run.dataset_id)),
    )
    cleaned = cleaned_labels(audit.given_N, audit.suggested_N, audit.flagged_N, audit.standing, unreviewed)
    counts = count_cleaning(audit.given_N, audit.flagged_N, cleaned)
    fingerprints = context.published.fingerprints(session, run.dataset_id)
    input_sha256 = context.published.summary(
        ("input", run.dataset_id),
        lambda: input_hash(audit.names, audit.classes, audit.given_N, fingerprints.sha256_N32),
    )
    statuses = None if reviewed is None else count_statuses(reviewed.settled)
    return State(run, dataset, audit, cleaned, counts, unreviewed, fingerprints, input_sha256, statuses)


def describe(state: State, what: Exported, **further: Any) -> dict[str, Any]:
    """The manifest of a file of this kind made from this state; `further` says what is special about it."""
    run, dataset = state.run, state.dataset
    times = [decision[3] for decision in state.audit.standing.values()]
    return (
        manifest(
            what,
            unreviewed=state.unreviewed,
            counts=state.counts,
            as_of=max([*times, run.finished_at or run.created_at]),
            input_sha256=state.input_sha256,
            decisions_sha256=decisions_hash(state.audit.standing),
            version=version("noise-audit"),
            dataset={
                "id": dataset.id,
                "name": dataset.name,
                "samples": dataset.sample_count,
                "classes": list(dataset.classes),
            },
            run={
                "id": run.id,
                "recipe": run.recipe,
                "settings": dict(run.config),
                "seed": run.seed,
                "finished_at": run.finished_at.isoformat() if run.finished_at else None,
                **{key: run.outcome.get(key) for key in _OUTCOME},
            },
        )
        | ({} if state.review is None else {"review": state.review})
        | further
    )


def came_as(state: State) -> str:
    """How the dataset came, in the importer's word."""
    return str(state.dataset.report.get("recognised", ""))


def stem(state: State, what: Exported) -> str:
    """The file's name before its ending: ASCII letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", state.dataset.name.lower()).strip("-")[:60] or "dataset"
    return f"{name}-{what}"


_OUTCOME = (
    "flagged",
    "threshold",
    "noise_rate",
    "noise_rate_interval",
    "model",
    "trust",
    "metrics",
    "map_from",
    "predictions",
    "versions",
)
