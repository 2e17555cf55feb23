"""Given → suggested labels as a heat-map. Knows counts, not the store.

Shape letters: S classes shown, K cells that hold samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from backend.audit.classnoise import Matrix
from backend.audit.figures.theme import PALETTES, Theme, titled

LARGEST = 60
"""Classes shown: beyond, a cell is smaller than a finger and its names overlap."""
WRITTEN = 20
"""Up to so many classes each cell says its number."""
ROOM = 60
"""So many letters stand side by side under the matrix; more are turned."""


def matrix_figure(
    matrix: Matrix, classes: Sequence[str], diagonal: bool, theme: Theme = "light"
) -> go.Figure:
    """Rows are given, columns suggested labels, in Cividis; `customdata` of a cell is [given, suggested].

    Cells without samples are empty; without `diagonal` so are those where both labels are one.
    """
    palette = PALETTES[theme]
    side = len(matrix.shown_S)
    count_SS = matrix.count_SS.copy()
    if not diagonal:
        np.fill_diagonal(count_SS, 0)
    cells = count_SS.tolist()
    shown = matrix.shown_S.tolist()
    names = [classes[label] for label in shown]
    places = list(range(side))
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=places,
            z=[[count or None for count in row] for row in cells],
            zmin=0,
            zmax=max(1, int(count_SS.max(initial=0))),
            customdata=[[[given, suggested] for suggested in shown] for given in shown],
            hovertext=[[f"{_escaped(a)} → {_escaped(b)}" for b in names] for a in names],
            hoverongaps=False,
            colorscale="Cividis",
            reversescale=_reversed(theme),
            colorbar={"title": {"text": "samples"}, "thickness": 12, "outlinewidth": 0, "tickformat": ",d"},
            xgap=1,
            ygap=1,
            hovertemplate="%{hovertext}<br><b>%{z:,}</b> samples<extra></extra>",
        )
    )
    if side <= WRITTEN:
        figure.add_trace(_written(count_SS, theme))
    ticks = {
        "tickvals": places,
        "ticktext": [_short(name) for name in names],
        "showgrid": False,
        "range": [-0.5, side - 0.5],
    }
    figure.update_layout(
        xaxis={
            **ticks,
            "title": {"text": "Suggested label"},
            "tickangle": -45 if side * max(map(len, names), default=0) > ROOM else 0,
        },
        yaxis={**ticks, "title": {"text": "Given label"}, "range": [side - 0.5, -0.5]},
        plot_bgcolor=palette.surface,
        hovermode="closest",
        uirevision="matrix",
    )
    return titled(figure, "Given → suggested", _subtitle(matrix, count_SS.sum(), diagonal), theme)


def ink(count_SS: np.ndarray[Any, Any], theme: Theme) -> list[list[str]]:
    """Black or white for each cell's number: whichever is read more easily on the cell's own colour.

    Plotly's own choice is a grey that falls below the contrast of 4.5 that WCAG asks for.
    """
    share_SS = count_SS / max(1, int(count_SS.max(initial=0)))
    if _reversed(theme):
        share_SS = 1 - share_SS
    return [[_ink_on(colour) for colour in sample_colorscale("Cividis", row)] for row in share_SS]


def _ink_on(colour: str) -> str:
    channel_3 = np.array([float(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")]) / 255
    linear_3 = np.where(channel_3 <= 0.04045, channel_3 / 12.92, ((channel_3 + 0.055) / 1.055) ** 2.4)
    luminance = float(linear_3 @ (0.2126, 0.7152, 0.0722))
    # Where black and white have the same contrast: (L + .05)² = 1.05 · .05.
    return "#000000" if luminance > 0.179 else "#ffffff"


def _reversed(theme: Theme) -> bool:
    """Pale is many on a dark page, dark is many on a light one: few is nearest to the page."""
    return theme == "light"


def _written(count_SS: np.ndarray[Any, Any], theme: Theme) -> go.Scatter:
    """The numbers over their cells; the pointer does not notice them."""
    row_K, column_K = np.nonzero(count_SS)
    colours = ink(count_SS, theme)
    return go.Scatter(
        x=column_K.tolist(),
        y=row_K.tolist(),
        mode="text",
        text=[f"{count:,}" for count in count_SS[row_K, column_K]],
        textfont={"color": [colours[row][column] for row, column in zip(row_K, column_K, strict=True)]},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _subtitle(matrix: Matrix, inside: int, diagonal: bool) -> str:
    what = "samples" if diagonal else "flagged samples whose suggestion differs"
    side = len(matrix.shown_S)
    if side < matrix.classes:
        return f"{inside:,} {what} among the {side} most involved of {matrix.classes:,} classes"
    return f"{inside:,} {what}"


def _short(name: str, longest: int = 18) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _escaped(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;")
