"""The report over HTTP: a run and its review as one HTML file to take away."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import numpy as np
from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from backend.api.atlas import crossed
from backend.api.context import Caller, Context, Id, In, Me
from backend.api.exported import File, State, describe, gather, stem
from backend.audit import signoff
from backend.audit.classnoise import class_noise, flag_cells, transition_counts
from backend.audit.cleaning import Unreviewed
from backend.audit.figures.loss import loss_numbers
from backend.audit.figures.matrix import LARGEST
from backend.audit.report import (
    SMALL,
    SUSPECTS,
    Report,
    ReportTheme,
    SignedOff,
    Suspect,
    data_uri,
    render,
)
from backend.audit.report_charts import Chart, classes_chart, loss_chart, matrix_chart
from backend.store import activity, datasets, runs
from backend.store.packs import Pack
from backend.store.tables import Epoch

router = APIRouter(prefix="/api/runs/{run_id}/report", tags=["exports"])

MEDIA_TYPE = "text/html; charset=utf-8"
SIGN_OFF_SEED = 0
"""The plan that the sign-off page proposes."""
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "the report"}}


@router.get("", response_class=Response, responses=_HTML)
def download_report(
    run_id: Id,
    context: In,
    caller: Me,
    unreviewed: Unreviewed = "keep",
    theme: ReportTheme = "auto",
) -> Response:
    """One self-contained HTML file; `auto` follows the reader's light or dark system."""
    file = report_file(context, caller, run_id, unreviewed, theme)
    with context.database.transaction() as session:
        activity.record(session, caller.id, "export", run_id, what="report")
    # To be saved: opened in place, this server's own policy would rightly stop the scripts inside.
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, media_type=file.media_type, headers=headers)


def report_file(
    context: Context, caller: Caller, run_id: str, unreviewed: Unreviewed, theme: ReportTheme = "auto"
) -> File:
    """The report with its manifest; the same state gives the same bytes. Raises NotFound and Conflict."""
    with context.database.transaction() as session:
        state = gather(session, context, caller, run_id, unreviewed)
        epoch = runs.epoch(session, run_id)
        suspects = _suspects(session, context, state)
    about = describe(state, "report")
    report = _report(state, epoch, suspects, about)
    return File(f"{stem(state, 'report')}.html", MEDIA_TYPE, render(report, theme).encode(), about)


def _report(state: State, epoch: Epoch | None, suspects: list[Suspect], about: dict[str, Any]) -> Report:
    counts, outcome = state.counts, state.run.outcome
    return Report(
        dataset=state.dataset.name,
        facts=_facts(state),
        samples=counts.samples,
        flagged=counts.flagged,
        noise_rate=outcome.get("noise_rate"),
        noise_rate_interval=outcome.get("noise_rate_interval"),
        trust=outcome.get("trust") or {},
        metrics=outcome.get("metrics"),
        decided=counts.decided,
        flagged_unreviewed=counts.flagged_unreviewed,
        sign_off=_sign_off(state),
        charts=_charts(state, epoch),
        suspects=suspects,
        manifest=about,
        as_of=datetime.fromisoformat(about["as_of"]),
    )


def _facts(state: State) -> list[tuple[str, str]]:
    run, dataset = state.run, state.dataset
    facts = [
        ("Samples", f"{dataset.sample_count:,}"),
        ("Classes", f"{len(dataset.classes):,}"),
        ("Recipe", run.recipe),
        (
            "Settings",
            ", ".join(f"{key} = {value}" for key, value in run.config.items()) or "the recipe's own",
        ),
        ("Seed", str(run.seed)),
        ("Mixture", str(run.outcome.get("model") or "none")),
    ]
    if (threshold := run.outcome.get("threshold")) is not None:
        facts.append(("Threshold", f"noise posterior {threshold:.3f}"))
    if run.started_at and run.finished_at:
        seconds = round((run.finished_at - run.started_at).total_seconds())
        facts.append(("Took", f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"))
    if state.review is not None:
        waiting = state.review["once"] + state.review["disagree"]
        stand = f"{state.review['agreed']:,} agreed, {state.review['adjudicated']:,} adjudicated"
        facts.append(("Blind double review", f"{stand}, {waiting:,} wait and count as not reviewed"))
    if run.finished_at:
        facts.append(("Finished", f"{run.finished_at:%Y-%m-%d %H:%M} UTC"))
    return facts


def _charts(state: State, epoch: Epoch | None) -> list[Chart]:
    audit = state.audit
    classes, flagged_N = list(audit.classes), np.asarray(audit.flagged_N, dtype=bool)
    noise = class_noise(audit.given_N, audit.noise_posterior_N, flagged_N, len(classes))
    cells = flag_cells(audit.given_N, audit.suggested_N, flagged_N, len(classes))
    matrix = transition_counts(audit.given_N, audit.suggested_N, flagged_N, len(classes), LARGEST)
    charts = [
        loss_chart(loss_numbers(epoch.epoch, epoch.histogram, epoch.mixtures)) if epoch else None,
        classes_chart(noise, classes),
        matrix_chart(matrix, cells, classes),
    ]
    return [chart for chart in charts if chart is not None]


def _sign_off(state: State) -> SignedOff | None:
    """What reviews in the proposed order found, however long the plan was; None without any."""
    audit = state.audit
    # A larger plan begins with the smaller ones: the largest finds the reviews made in any.
    drawn = signoff.plan(audit.flagged_N, signoff.LARGEST, SIGN_OFF_SEED)
    seen = signoff.tallies(drawn, audit.flagged_N, audit.given_N, audit.standing)
    if not any(each.counted for each in seen):
        return None
    return SignedOff(seen, signoff.findings(seen))


def _suspects(session: Session, context: Context, state: State) -> list[Suspect]:
    """The flagged samples with the largest noise posteriors, in the gallery's order."""
    audit = state.audit
    flagged_M = np.flatnonzero(audit.flagged_N)
    order_M = np.lexsort((flagged_M, audit.noise_posterior_N[flagged_M]))[::-1]
    chosen = [int(index) for index in flagged_M[order_M][:SUSPECTS]]
    if not chosen:
        return []
    pack = Pack(context.artifacts, f"datasets/{state.dataset.content_id}/thumbs")
    suspects = []
    for index, image in zip(chosen, pack.read_each(chosen), strict=True):
        verdict, label = (*audit.standing.get(index, (None, None)),)[:2]
        sample = datasets.sample(session, state.dataset.id, index)
        suspects.append(
            Suspect(
                sample_index=index,
                name=audit.names[index],
                given=audit.classes[audit.given_N[index]],
                suggested=audit.classes[audit.suggested_N[index]],
                noise_posterior=float(audit.noise_posterior_N[index]),
                verdict=verdict,
                label=None if label is None else audit.classes[label],
                image=data_uri(image or _crossed()),
                small=max(sample.width, sample.height) <= SMALL,
            )
        )
    return suspects


def _crossed() -> bytes:
    """In the place of a thumbnail that was damaged where it is stored."""
    file = io.BytesIO()
    crossed(SMALL).save(file, "PNG")
    return file.getvalue()
