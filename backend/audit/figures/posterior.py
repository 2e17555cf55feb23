"""The distribution of the noise posteriors, what is flagged apart from what is not. Knows counts, not the store.

Shape letters: B histogram bins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.audit.figures.theme import PALETTES, Theme, rounded, titled

BINS = 50
SEEN_BESIDE = 20.0
"""Flags whose highest bar is lower than the highest of all by more than this are a flat line on a linear axis."""
FLOOR = 0.5
"""Lower end of a logarithmic axis, in samples per bin: below the smallest bar."""


class PosteriorNumbers(NamedTuple):
    """Samples per bin of the noise posterior."""

    edge_B1: NDArray[np.float64]
    flagged_B: NDArray[np.int64]
    unflagged_B: NDArray[np.int64]
    threshold: float | None
    logarithmic: bool
    """Whether the axis must be logarithmic for the flags to be seen beside the others."""


def posterior_numbers(
    noise_posterior_N: NDArray[Any], flagged_N: NDArray[Any], threshold: float | None
) -> PosteriorNumbers:
    """Equal bins on [0, 1]; the last one holds both its ends."""
    posterior_N = np.nan_to_num(np.asarray(noise_posterior_N, dtype=np.float64), nan=0.0)
    flagged_N = np.asarray(flagged_N, dtype=bool)
    bin_N = np.minimum((posterior_N * BINS).astype(np.int64), BINS - 1)
    flagged_B = np.bincount(bin_N[flagged_N], minlength=BINS)
    unflagged_B = np.bincount(bin_N[~flagged_N], minlength=BINS)
    highest, flags = int((flagged_B + unflagged_B).max(initial=0)), int(flagged_B.max(initial=0))
    logarithmic = flags > 0 and highest > SEEN_BESIDE * flags
    return PosteriorNumbers(np.arange(BINS + 1) / BINS, flagged_B, unflagged_B, threshold, logarithmic)


def posterior_figure(numbers: PosteriorNumbers, theme: Theme = "light") -> go.Figure:
    """Stacked bars, or bars over each other where the axis is logarithmic, with the run's threshold."""
    palette = PALETTES[theme]
    centre_B = (numbers.edge_B1[:-1] + numbers.edge_B1[1:]) / 2
    ends = np.stack([numbers.edge_B1[:-1], numbers.edge_B1[1:]], axis=1).round(4).tolist()
    figure = go.Figure()
    for name, count_B, colour in (
        ("not flagged", numbers.unflagged_B, palette.bars),
        ("flagged", numbers.flagged_B, palette.noisy),
    ):
        figure.add_trace(
            go.Bar(
                x=rounded(centre_B),
                y=count_B.astype(np.int32),
                name=f"{name} ({int(count_B.sum()):,})",
                marker={"color": colour, "line": {"width": 0}},
                customdata=ends,
                hovertemplate=(
                    "noise posterior %{customdata[0]:.0%} to %{customdata[1]:.0%}"
                    f"<br><b>%{{y:,}}</b> {name}<extra></extra>"
                ),
            )
        )
    highest = max(int((numbers.flagged_B + numbers.unflagged_B).max(initial=1)), 1)
    height: dict[str, Any] = {"title": {"text": "Samples per bin"}, "tickformat": ",d", "rangemode": "tozero"}
    if numbers.logarithmic:
        height = {
            "title": {"text": "Samples per bin (log scale)"},
            "type": "log",
            "range": [np.log10(FLOOR), np.log10(highest * 1.5)],
            "dtick": 1,
            "tickformat": ",d",
        }
    figure.update_layout(
        # On a logarithmic axis the upper part of a stack would be drawn far too small.
        barmode="overlay" if numbers.logarithmic else "stack",
        bargap=0.04,
        hovermode="closest",
        xaxis={"title": {"text": "Noise posterior"}, "range": [0, 1], "tickformat": ".0%"},
        yaxis=height,
        uirevision="posterior",
    )
    if numbers.threshold is not None:
        figure.add_vline(x=numbers.threshold, line={"color": palette.accent, "width": 1.5, "dash": "dash"})
    flagged, samples = int(numbers.flagged_B.sum()), int((numbers.flagged_B + numbers.unflagged_B).sum())
    return titled(figure, "Noise posteriors", f"{flagged:,} of {samples:,} samples flagged", theme)
