"""The loss distribution of one epoch with both fitted mixtures over it.

Knows the JSON of an epoch's histogram and mixtures; must not know where they are stored.
Shape letters: B histogram bins, X points of a curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.audit.figures.theme import PALETTES, Palette, Theme, heading, rounded, translucent

SEEN_BESIDE = 8.0
"""A noisy component lower than the highest bar by more than this is a flat line on a linear axis."""
FLOOR = 0.5
"""Lower end of a logarithmic axis, in samples per bin: below the smallest bar."""
FRAMES = 20.0
"""How many heights of the frame a curve may rise above it."""
MIXTURE_TITLES = {"beta": "beta mixture", "gaussian": "Gaussian mixture"}


class MixtureCurves(NamedTuple):
    """One fitted mixture as expected samples per histogram bin; the clean component first."""

    name: str
    x_X: NDArray[np.float64]
    """Loss, nats."""
    clean_X: NDArray[np.float64]
    noisy_X: NDArray[np.float64]
    sum_X: NDArray[np.float64]
    weight_noisy: float
    log_likelihood: float | None
    threshold: float | None
    """Loss from which the noisy component is the likelier one, nats; None where there is no such loss."""


class LossNumbers(NamedTuple):
    """What the figure shows."""

    epoch: int
    edge_B1: NDArray[np.float64]
    count_B: NDArray[np.int64]
    mixtures: tuple[MixtureCurves, ...]
    chosen: str
    """beta, gaussian or none."""
    top: float
    """Samples per bin at the upper end of the axis; a density may run off to infinity at 0."""
    logarithmic: bool
    """Whether the axis must be logarithmic for the noisy samples to be seen beside the clean ones."""


def loss_numbers(epoch: int, histogram: Mapping[str, Any], mixtures: Mapping[str, Any]) -> LossNumbers:
    """Bars and curves on one scale: a density times samples times bin width is samples per bin."""
    edge_B1 = np.asarray(histogram.get("edges", [0.0, 1.0]), dtype=np.float64)
    count_B = np.asarray(histogram.get("counts", [0]), dtype=np.int64)
    edge_B1, count_B = _fitting_bins(edge_B1, count_B)
    per_bin = float(count_B.sum()) * float(np.median(np.diff(edge_B1)))
    curves = tuple(
        _curves(name, mixtures[name], per_bin)
        for name in MIXTURE_TITLES
        if mixtures.get(name) and len(mixtures[name].get("x", [])) > 1
    )
    chosen = str(mixtures.get("chosen", "none"))
    highest = max(float(count_B.max(initial=1)), 1.0)
    # The likeliest loss of a noisy sample; where the density runs off to infinity it says nothing.
    noisy = max(
        (float(np.median(np.sort(each.noisy_X)[-20:])) for each in curves if each.name == chosen),
        default=highest,
    )
    return LossNumbers(
        epoch, edge_B1, count_B, curves, chosen, highest * 1.08, highest > SEEN_BESIDE * max(noisy, FLOOR)
    )


def loss_figure(numbers: LossNumbers, theme: Theme = "light") -> go.Figure:
    """Histogram bars, the chosen mixture filled with its sum and threshold, the other one thin."""
    return go.Figure(loss_document(numbers, theme))


def loss_document(numbers: LossNumbers, theme: Theme = "light") -> dict[str, Any]:
    """The same as plain data and layout: a page wants every epoch at once, and plotly's checks take most of the time."""
    palette = PALETTES[theme]
    centre_B = (numbers.edge_B1[:-1] + numbers.edge_B1[1:]) / 2
    bars = {
        "type": "bar",
        "x": rounded(centre_B),
        "y": numbers.count_B.tolist(),
        "width": rounded(np.diff(numbers.edge_B1)),
        "name": "all samples",
        "marker": {"color": palette.bars, "line": {"width": 0}},
        "customdata": np.stack([numbers.edge_B1[:-1], numbers.edge_B1[1:]], axis=1).round(4).tolist(),
        "legendrank": 3,
        "hovertemplate": "loss %{customdata[0]:.3f} to %{customdata[1]:.3f} nats<br><b>%{y:,}</b> samples<extra></extra>",
    }
    data = [bars]
    for mixture in sorted(numbers.mixtures, key=lambda mixture: mixture.name == numbers.chosen):
        # Beyond the frame a density may be anything up to infinity, which no browser draws well.
        inside = mixture._replace(
            clean_X=np.minimum(mixture.clean_X, FRAMES * numbers.top),
            noisy_X=np.minimum(mixture.noisy_X, FRAMES * numbers.top),
            sum_X=np.minimum(mixture.sum_X, FRAMES * numbers.top),
        )
        data += _mixture_traces(inside, palette, chosen=mixture.name == numbers.chosen)
    layout = {
        "bargap": 0,
        "hovermode": "closest",
        "xaxis": {"title": {"text": "Loss to the given label (nats)"}, "rangemode": "tozero"},
        "yaxis": _height_axis(numbers),
        "legend": {
            "orientation": "v",
            "x": 1,
            "xanchor": "right",
            "y": 1,
            "yanchor": "top",
            "tracegroupgap": 8,
        },
        "uirevision": "loss",
        **_threshold_line(numbers, palette),
        **heading(
            f"Loss distribution after epoch {numbers.epoch}" if numbers.epoch else "Loss distribution",
            _subtitle(numbers, int(numbers.count_B.sum())),
            theme,
        ),
    }
    return {"data": data, "layout": layout}


def _fitting_bins(
    edge_B1: NDArray[np.float64], count_B: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Neighbouring bins joined while at least 3.5 · N^(1/3) remain (Rice's rule asks for 2 · N^(1/3)).

    Finer ones of few samples show the luck of the draw, not the distribution.
    """
    wanted = 3.5 * float(count_B.sum()) ** (1 / 3)
    fitting = [
        width for width in (1, 2, 4, 5) if len(count_B) % width == 0 and len(count_B) / width >= wanted
    ]
    joined = max(fitting, default=1) if len(count_B) > wanted else 1
    return edge_B1[::joined], count_B.reshape(-1, joined).sum(axis=1)


def _height_axis(numbers: LossNumbers) -> dict[str, Any]:
    if not numbers.logarithmic:
        return {"title": {"text": "Samples per bin"}, "range": [0, numbers.top], "tickformat": ",d"}
    return {
        "title": {"text": "Samples per bin (log scale)"},
        "type": "log",
        "range": [np.log10(FLOOR), np.log10(numbers.top * 1.5)],
        "dtick": 1,
        "tickformat": ",d",
    }


def _curves(name: str, fitted: Mapping[str, Any], per_bin: float) -> MixtureCurves:
    clean, noisy = (
        np.nan_to_num(np.asarray(part, dtype=np.float64), posinf=0.0) for part in fitted["components"]
    )
    return MixtureCurves(
        name=name,
        x_X=np.asarray(fitted["x"], dtype=np.float64),
        clean_X=clean * per_bin,
        noisy_X=noisy * per_bin,
        sum_X=np.nan_to_num(np.asarray(fitted["sum"], dtype=np.float64), posinf=0.0) * per_bin,
        weight_noisy=float(fitted["weights"][1]),
        log_likelihood=fitted.get("log_likelihood"),
        threshold=fitted.get("threshold"),
    )


def _mixture_traces(mixture: MixtureCurves, palette: Palette, *, chosen: bool) -> list[dict[str, Any]]:
    title = MIXTURE_TITLES[mixture.name]
    title = title[0].upper() + title[1:]
    parts = (
        ("clean", mixture.clean_X, palette.clean),
        ("noisy", mixture.noisy_X, palette.noisy),
        ("sum", mixture.sum_X, palette.total),
    )
    traces = []
    for part, height_X, colour in parts:
        is_sum = part == "sum"
        style: dict[str, Any] = {"color": colour, "width": 2 if chosen else 1.2}
        if not chosen:
            style["dash"] = "dash" if is_sum else "dot"
        trace: dict[str, Any] = {
            "type": "scatter",
            "x": rounded(mixture.x_X),
            "y": rounded(height_X),
            "mode": "lines",
            "name": part,
            "legendgroup": mixture.name,
            "legendgrouptitle": {"text": f"{title}, chosen" if chosen else title},
            "legendrank": 1 if chosen else 2,
            "line": style,
            "opacity": 1 if chosen else 0.75,
            "hovertemplate": f"{title}, {part}<br>loss %{{x:.3f}} nats: %{{y:,.1f}} per bin<extra></extra>",
        }
        if chosen and not is_sum:
            trace |= {"fill": "tozeroy", "fillcolor": translucent(colour, 0.18)}
        traces.append(trace)
    return traces


def _threshold_line(numbers: LossNumbers, palette: Palette) -> dict[str, Any]:
    """An upright line through the frame with its words; nothing where noise is never the likelier cause."""
    threshold = next((m.threshold for m in numbers.mixtures if m.name == numbers.chosen), None)
    if threshold is None:
        return {}
    left = threshold < (numbers.edge_B1[0] + numbers.edge_B1[-1]) / 2
    line = {
        "type": "line",
        "x0": threshold,
        "x1": threshold,
        "xref": "x",
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
        "line": {"color": palette.accent, "width": 1.5, "dash": "dash"},
    }
    words = {
        "text": f"<b>{threshold:.2f} nats</b>: noisy is likelier from here",
        "font": {"color": palette.accent, "size": 11},
        "showarrow": False,
        "x": threshold,
        "xref": "x",
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "xanchor": "left" if left else "right",
        "xshift": 4 if left else -4,
    }
    return {"shapes": [line], "annotations": [words]}


def _subtitle(numbers: LossNumbers, samples: int) -> str:
    chosen = next((m for m in numbers.mixtures if m.name == numbers.chosen), None)
    if chosen is None:
        return f"{samples:,} samples; neither mixture explains them better than one component"
    return f"{samples:,} samples; {MIXTURE_TITLES[chosen.name]} chosen, noisy share {100 * chosen.weight_noisy:.1f} %"
