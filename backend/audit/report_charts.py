"""The report's charts: each in both themes, with a sentence for those who cannot see it, and its numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from backend.audit.classnoise import Cells, ClassNoise, Matrix
from backend.audit.figures.classes import class_numbers, classes_figure
from backend.audit.figures.loss import LossNumbers, loss_figure
from backend.audit.figures.matrix import matrix_figure
from backend.audit.figures.theme import PALETTES, Theme, as_dict

CELLS_LISTED = 100
"""Cells of the matrix in its table, the fullest."""


class Table(NamedTuple):
    """Text by row; the first cell of a row is its heading."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Chart(NamedTuple):
    """One figure of the report."""

    key: str
    label: str
    """What it shows, in words."""
    table: Table
    figures: dict[Theme, dict[str, Any]]
    """{data, layout} of plotly."""


def loss_chart(numbers: LossNumbers) -> Chart:
    """The loss distribution with both mixtures."""
    rows = [
        (f"{low:.3f} to {high:.3f}", f"{count:,}")
        for low, high, count in zip(
            numbers.edge_B1[:-1], numbers.edge_B1[1:], numbers.count_B.tolist(), strict=True
        )
    ]
    return Chart(
        key="loss",
        label=f"Histogram of the losses of all {int(numbers.count_B.sum()):,} samples"
        f"{f' after epoch {numbers.epoch}' if numbers.epoch else ''}, with the fitted mixtures",
        table=Table("Samples by loss", ("Loss (nats)", "Samples"), rows),
        figures=_in_both(lambda theme: loss_figure(numbers, theme)),
    )


def classes_chart(noise: ClassNoise, classes: Sequence[str]) -> Chart:
    """Estimated noise rate by class, the noisiest first."""
    numbers = class_numbers(noise)
    rows = [
        (classes[label], f"{samples:,}", f"{flagged:,}", f"{rate:.1%}", f"{low:.1%} to {high:.1%}")
        for label, samples, flagged, rate, low, high in zip(
            numbers.label_S.tolist(),
            numbers.samples_S.tolist(),
            numbers.flagged_S.tolist(),
            numbers.noise_rate_S.tolist(),
            numbers.low_S.tolist(),
            numbers.high_S.tolist(),
            strict=True,
        )
    ]
    shown = _of(len(rows), numbers.classes, "noisiest classes")
    return Chart(
        key="classes",
        label=f"Bars of the estimated noise rate of {shown}, with 95 % intervals",
        table=Table(
            f"Noise by class: {shown}",
            ("Class", "Samples", "Flagged", "Noise rate", "95 % interval"),
            rows,
        ),
        figures=_in_both(lambda theme: classes_figure(numbers, [literal(name) for name in classes], theme)),
    )


def matrix_chart(matrix: Matrix, cells: Cells, classes: Sequence[str]) -> Chart | None:
    """Given → suggested label over the flagged samples; None where no flag suggests another label."""
    differs_K = np.flatnonzero(cells.given_K != cells.suggested_K)
    fullest_K = differs_K[np.argsort(-cells.flagged_K[differs_K], kind="stable")][:CELLS_LISTED]
    if not len(fullest_K):
        return None
    rows = [
        (classes[cells.given_K[k]], classes[cells.suggested_K[k]], f"{int(cells.flagged_K[k]):,}")
        for k in fullest_K
    ]
    return Chart(
        key="matrix",
        label="Heat map of the flagged samples by given and suggested label",
        table=Table(
            f"Given and suggested label of flagged samples: {_of(len(rows), len(differs_K), 'fullest pairs')}",
            ("Given", "Suggested", "Flagged samples"),
            rows,
        ),
        figures=_in_both(
            lambda theme: matrix_figure(
                matrix, [literal(name) for name in classes], diagonal=False, theme=theme
            )
        ),
    )


def literal(name: str) -> str:
    """The name as plotly draws it letter by letter, reading no tag and no entity in it."""
    # The space has no width. Unlike entities it survives being shortened, and being escaped once more.
    return name.replace("<", "<\u200b").replace("&", "&\u200b")


def _in_both(draw: Callable[[Theme], go.Figure]) -> dict[Theme, dict[str, Any]]:
    return {theme: as_dict(draw(theme)) for theme in PALETTES}


def _of(shown: int, total: int, what: str) -> str:
    return f"all {total:,}" if shown == total else f"the {shown:,} {what} of {total:,}"
