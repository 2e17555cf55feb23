"""Given → suggested labels as a heat-map. Knows counts, not the store.

Shape letters: S classes shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from backend.audit.classnoise import Matrix
from backend.audit.figures.theme import PALETTES, Theme, titled

LARGEST = 60
"""Classes shown: beyond, a cell is smaller than a finger and its names overlap."""
WRITTEN = 20
"""Up to so many classes each cell says its number."""


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
            customdata=[[[given, suggested] for suggested in shown] for given in shown],
            hovertext=[[f"{_escaped(a)} → {_escaped(b)}" for b in names] for a in names],
            hoverongaps=False,
            colorscale="Cividis",
            # Pale is many on a dark page, dark is many on a light one: few is nearest to the page.
            reversescale=theme == "light",
            colorbar={"title": {"text": "samples"}, "thickness": 12, "outlinewidth": 0, "tickformat": ",d"},
            text=[[f"{count:,}" if count else "" for count in row] for row in cells]
            if side <= WRITTEN
            else None,
            texttemplate="%{text}" if side <= WRITTEN else None,
            xgap=1,
            ygap=1,
            hovertemplate="%{hovertext}<br><b>%{z:,}</b> samples<extra></extra>",
        )
    )
    ticks = {
        "tickvals": places,
        "ticktext": [_short(name) for name in names],
        "showgrid": False,
        "range": [-0.5, side - 0.5],
    }
    figure.update_layout(
        xaxis={**ticks, "title": {"text": "Suggested label"}, "tickangle": -45 if side > 8 else 0},
        yaxis={**ticks, "title": {"text": "Given label"}, "range": [side - 0.5, -0.5]},
        plot_bgcolor=palette.surface,
        hovermode="closest",
        uirevision="matrix",
    )
    return titled(figure, "Given → suggested", _subtitle(matrix, count_SS.sum(), diagonal), theme)


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
