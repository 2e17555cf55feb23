"""Estimated noise rate by class with its interval. Knows the rates, not where they come from.

Shape letters: C classes, S classes shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.audit.classnoise import ClassNoise
from backend.audit.figures.theme import PALETTES, Theme, titled

LARGEST = 40
"""Classes shown, the noisiest; more bars have no room for their names."""
LINE = 22
"""Height of one class, pixels."""


class ClassNumbers(NamedTuple):
    """The bars, from the noisiest down."""

    label_S: NDArray[np.int64]
    noise_rate_S: NDArray[np.float64]
    low_S: NDArray[np.float64]
    high_S: NDArray[np.float64]
    samples_S: NDArray[np.int64]
    flagged_S: NDArray[np.int64]
    classes: int
    """All that have samples."""


def class_numbers(noise: ClassNoise) -> ClassNumbers:
    """The noisiest classes among those that have samples; equal ones by index."""
    present_C = np.flatnonzero(noise.samples_C)
    label_S = present_C[np.argsort(-noise.noise_rate_C[present_C], kind="stable")][:LARGEST]
    return ClassNumbers(
        label_S,
        noise.noise_rate_C[label_S],
        noise.low_C[label_S],
        noise.high_C[label_S],
        noise.samples_C[label_S],
        noise.flagged_C[label_S],
        len(present_C),
    )


def classes_figure(numbers: ClassNumbers, classes: Sequence[str], theme: Theme = "light") -> go.Figure:
    """A bar per class with its 95 % interval; `customdata` is [class, samples, flagged, low, high]."""
    palette = PALETTES[theme]
    place_S = list(range(len(numbers.label_S)))
    figure = go.Figure(
        go.Bar(
            x=numbers.noise_rate_S,
            y=place_S,
            orientation="h",
            marker={"color": palette.noisy, "opacity": 0.85, "line": {"width": 0}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": numbers.high_S - numbers.noise_rate_S,
                "arrayminus": numbers.noise_rate_S - numbers.low_S,
                "color": palette.text,
                "thickness": 1.2,
                "width": 3,
            },
            customdata=[
                [int(label), int(samples), int(flagged), round(float(low), 5), round(float(high), 5)]
                for label, samples, flagged, low, high in zip(
                    *(numbers.label_S, numbers.samples_S, numbers.flagged_S, numbers.low_S, numbers.high_S),
                    strict=True,
                )
            ],
            text=[classes[label] for label in numbers.label_S],
            textposition="none",
            hovertemplate=(
                "<b>%{text}</b><br>noise rate %{x:.1%} (%{customdata[3]:.1%} to %{customdata[4]:.1%})"
                "<br>%{customdata[2]:,} of %{customdata[1]:,} flagged<extra></extra>"
            ),
        )
    )
    figure.update_layout(
        bargap=0.3,
        height=max(280, 130 + LINE * len(place_S)),
        hovermode="closest",
        showlegend=False,
        xaxis={"title": {"text": "Estimated noise rate"}, "tickformat": ".0%", "rangemode": "tozero"},
        # By place, not by name: two classes may be called the same on a screen's width.
        yaxis={
            "autorange": "reversed",
            "tickvals": place_S,
            "ticktext": [_short(classes[label]) for label in numbers.label_S],
            "showgrid": False,
        },
        uirevision="classes",
    )
    shown = len(place_S)
    which = (
        f"the {shown} noisiest of {numbers.classes:,} classes" if shown < numbers.classes else "all classes"
    )
    return titled(figure, "Noise by class", f"{which}; lines are 95 % intervals", theme)


def _short(name: str, longest: int = 28) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
