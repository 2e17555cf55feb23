"""Training by epoch: loss, accuracies and the estimated noise rate. Knows an epoch's metrics, not the store.

Shape letters: E tracked epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from backend.audit.figures.theme import PALETTES, Palette, Theme, rounded, titled


class CurveNumbers(NamedTuple):
    """One value per tracked epoch; NaN where an epoch does not know it."""

    epoch_E: NDArray[np.int64]
    train_loss_E: NDArray[np.float64]
    """Nats."""
    train_accuracy_E: NDArray[np.float64]
    """Share of samples predicted as their given label, [0, 1]."""
    validation_accuracy_E: NDArray[np.float64]
    noise_rate_E: NDArray[np.float64]
    auroc_E: NDArray[np.float64]


class Line(NamedTuple):
    """One line of one panel."""

    panel: int
    name: str
    values: NDArray[np.float64]
    colour: str
    format: str
    marker: str


def curve_numbers(epochs: Sequence[tuple[int, Mapping[str, Any]]]) -> CurveNumbers:
    """(epoch, metrics) pairs in any order → columns by ascending epoch."""
    ordered = sorted(epochs, key=lambda pair: pair[0])

    def column(key: str) -> NDArray[np.float64]:
        # Scores against true labels lie in a group of their own.
        values = [metrics.get(key, (metrics.get("metrics") or {}).get(key)) for _, metrics in ordered]
        return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)

    return CurveNumbers(
        np.asarray([epoch for epoch, _ in ordered], dtype=np.int64),
        column("train_loss"),
        column("train_accuracy"),
        column("validation_accuracy"),
        column("noise_rate"),
        column("auroc"),
    )


def curves_figure(numbers: CurveNumbers, theme: Theme = "light") -> go.Figure:
    """Three panels side by side; a line whose values are all unknown is left out."""
    palette = PALETTES[theme]
    figure = make_subplots(
        rows=1,
        cols=3,
        horizontal_spacing=0.08,
        subplot_titles=["Training loss (nats)", "Accuracy", "Estimated noise rate"],
    )
    epochs = numbers.epoch_E.tolist()
    for line in _lines(numbers, palette):
        known = np.isfinite(line.values)
        if not known.any():
            continue
        values = [value if ok else None for value, ok in zip(rounded(line.values), known, strict=True)]
        figure.add_trace(
            go.Scatter(
                x=epochs,
                y=values,
                name=line.name,
                mode="lines+markers",
                line={"color": line.colour, "width": 2},
                marker={"size": 5 if len(epochs) <= 60 else 1, "symbol": line.marker},
                hovertemplate=f"epoch %{{x}}<br>{line.name} <b>%{{y:{line.format}}}</b><extra></extra>",
            ),
            row=1,
            col=line.panel,
        )
    figure.update_xaxes(title={"text": "Epoch"}, tickformat="d", rangemode="nonnegative")
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    for panel in (2, 3):
        figure.update_yaxes(tickformat=".0%", rangemode="tozero", row=1, col=panel)
    figure.update_annotations(font={"size": 12, "color": palette.text}, xanchor="center")
    figure.update_layout(
        hovermode="closest", uirevision="curves", legend={"y": -0.22, "yanchor": "top"}, margin={"t": 84}
    )
    last = f"after epoch {epochs[-1]}" if epochs else "no epoch yet"
    return titled(figure, "Training", last, theme)


def _lines(numbers: CurveNumbers, palette: Palette) -> list[Line]:
    return [
        Line(1, "training loss", numbers.train_loss_E, palette.clean, ".3f", "circle"),
        Line(2, "agreement with given labels", numbers.train_accuracy_E, palette.clean, ".1%", "circle"),
        Line(2, "validation accuracy", numbers.validation_accuracy_E, palette.noisy, ".1%", "diamond"),
        Line(2, "AUROC against true labels", numbers.auroc_E, palette.accent, ".3f", "square"),
        Line(3, "noise rate", numbers.noise_rate_E, palette.noisy, ".1%", "circle"),
    ]
