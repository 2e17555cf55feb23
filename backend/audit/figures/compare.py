"""Several runs by epoch: training loss and estimated noise rate, one line each. Knows metrics, not the store.

Shape letters: E tracked epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backend.audit.figures.curves import CurveNumbers, curve_numbers
from backend.audit.figures.theme import PALETTES, Theme, class_colour, rounded, titled

MARKERS = ("circle", "diamond", "square", "triangle-up")
"""A shape for each run, so that no line is told by its colour alone."""
DASHES = ("solid", "dash", "dot", "dashdot")


class RunCurves(NamedTuple):
    """One run's epochs under its name."""

    name: str
    curves: CurveNumbers


def compare_numbers(runs: Sequence[tuple[str, Sequence[tuple[int, Mapping[str, Any]]]]]) -> list[RunCurves]:
    """(name, (epoch, metrics) pairs) of each run → its curves."""
    return [RunCurves(name, curve_numbers(epochs)) for name, epochs in runs]


def compare_figure(runs: Sequence[RunCurves], theme: Theme = "light") -> go.Figure:
    """Two panels side by side; a run has one colour, marker and dash in both."""
    figure = make_subplots(
        rows=1,
        cols=2,
        horizontal_spacing=0.1,
        subplot_titles=["Training loss (nats)", "Estimated noise rate"],
    )
    for place, run in enumerate(runs):
        for column, values_E, form in (
            (1, run.curves.train_loss_E, ".3f"),
            (2, run.curves.noise_rate_E, ".1%"),
        ):
            known_E = np.isfinite(values_E)
            figure.add_trace(
                go.Scatter(
                    x=run.curves.epoch_E.tolist(),
                    y=[value if ok else None for value, ok in zip(rounded(values_E), known_E, strict=True)],
                    name=run.name,
                    legendgroup=str(place),
                    showlegend=column == 1,
                    mode="lines+markers",
                    line={
                        "color": class_colour(place),
                        "width": 2,
                        "dash": DASHES[place % len(DASHES)],
                    },
                    marker={"symbol": MARKERS[place % len(MARKERS)], "size": 5},
                    hovertemplate=f"epoch %{{x}}<br>{run.name} <b>%{{y:{form}}}</b><extra></extra>",
                ),
                row=1,
                col=column,
            )
    figure.update_xaxes(title={"text": "Epoch"}, tickformat="d", rangemode="nonnegative")
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", row=1, col=2)
    figure.update_annotations(font={"size": 12, "color": PALETTES[theme].text}, xanchor="center")
    figure.update_layout(
        hovermode="closest", uirevision="compare", legend={"y": -0.22, "yanchor": "top"}, margin={"t": 84}
    )
    return titled(figure, "Runs by epoch", f"{len(runs)} runs", theme)
