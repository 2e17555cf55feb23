"""A run told as one HTML file that needs nothing else: no server, no network, no other file. Pure.

Every word that comes from a dataset is escaped; only the two scripts whose hashes stand in the page's own policy run.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple

import jinja2

from backend.audit.figures.theme import PALETTES
from backend.audit.report_charts import Chart
from backend.audit.signoff import Estimate, Findings, Tally

ReportTheme = Literal["auto", "light", "dark"]
SUSPECTS = 60
"""Samples shown with their image, the most suspect."""
SMALL = 64
"""Images up to so many pixels a side are enlarged without smoothing: their pixels are what there is to see."""
VERDICTS = ("keep", "relabel", "remove", "unsure")
METRICS = {
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "precision": "Precision of the flags",
    "recall": "Recall of the flags",
    "f1": "F1 of the flags",
}


class Suspect(NamedTuple):
    """One of the most suspect samples."""

    sample_index: int
    name: str
    given: str
    suggested: str
    noise_posterior: float
    verdict: str | None
    label: str | None
    """The label a reviewer gave it instead."""
    image: str
    """A data URI."""
    small: bool


class SignedOff(NamedTuple):
    """What the review of a random sample found."""

    seen: Sequence[Tally]
    findings: Findings


class Report(NamedTuple):
    """All that the report tells."""

    dataset: str
    facts: Sequence[tuple[str, str]]
    samples: int
    flagged: int
    noise_rate: float | None
    noise_rate_interval: Sequence[float] | None
    trust: Mapping[str, Any]
    metrics: Mapping[str, float | None] | None
    """Against true labels, where they are known."""
    decided: Mapping[str, int]
    flagged_unreviewed: int
    sign_off: SignedOff | None
    charts: Sequence[Chart]
    suspects: Sequence[Suspect]
    manifest: Mapping[str, Any]
    as_of: datetime


def render(report: Report, theme: ReportTheme = "auto") -> str:
    """The page. `auto` follows the reader's system, and paper is always light."""
    scripts = [_plotly(), _text("report.js")]
    page = _environment().get_template("report.html")
    return page.render(
        report=report,
        theme=theme,
        style=_text("report.css"),
        palettes=PALETTES,
        scripts=scripts,
        policy="; ".join(
            (
                "default-src 'none'",
                f"script-src {' '.join(_hash(script) for script in scripts)}",
                "style-src 'unsafe-inline'",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            )
        ),
        figures={chart.key: chart.figures for chart in report.charts},
        manifest=json.dumps(report.manifest, ensure_ascii=False, indent=2, allow_nan=False),
        estimates=_estimates(report.sign_off),
        verdicts=VERDICTS,
        metrics={name: report.metrics[key] for key, name in METRICS.items() if key in report.metrics}
        if report.metrics
        else {},
    )


def data_uri(image: bytes) -> str:
    """The image as an address that holds it."""
    kind = "webp" if image[8:12] == b"WEBP" else "png" if image[:4] == b"\x89PNG" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def percent(share: float | None) -> str:
    """A share in [0, 1] with one digit; never 0 or 100 for what is only nearly so."""
    if share is None:
        return "unknown"
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %"


def _estimates(sign_off: SignedOff | None) -> list[tuple[str, str, str]]:
    """(what, value, interval) of each estimate there is."""
    if sign_off is None:
        return []
    found = sign_off.findings
    shares: list[tuple[str, Estimate | None]] = [
        ("Noise rate: wrong labels in the dataset", found.noise_rate),
        ("Precision of the flags: wrong labels among the flagged", found.flag_precision),
        ("Missed: wrong labels among the unflagged", found.missed),
    ]
    rows = [
        (name, percent(each.value), f"{percent(each.low)} to {percent(each.high)}")
        for name, each in shares
        if each is not None
    ]
    if found.missed_count is not None:
        value, low, high = found.missed_count
        rows.append(("Missed, in samples", f"{value:,.0f}", f"{low:,.0f} to {high:,.0f}"))
    return rows


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("backend.audit", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = percent
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["moment"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
    # The same bytes each time: nothing is reordered, nothing depends on the process.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment


@cache
def _text(name: str) -> str:
    source = importlib.resources.files("backend.audit") / "templates" / name
    return _one_line_ending(source.read_text(encoding="utf-8"))


@cache
def _plotly() -> str:
    source = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    # What ends a script element must not stand inside one.
    return _one_line_ending(source.read_text(encoding="utf-8")).replace("</script", "<\\/script")


def _one_line_ending(text: str) -> str:
    """With the line ends that a browser sees, which are what the policy's hashes are of."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
