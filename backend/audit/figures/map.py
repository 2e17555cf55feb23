"""The 2-D map of the embedding, one WebGL trace per class, range or verdict.

Knows arrays by sample index; must not know the store. Shape letters: N samples, M members of one trace, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.audit.cleaning import Standing
from backend.audit.figures.theme import (
    PALETTES,
    POSTERIOR_STEPS,
    Palette,
    Theme,
    cividis,
    class_colour,
    titled,
)

Colour = Literal["given", "suggested", "posterior", "decision"]
EVERY_POINT = 50_000
"""Up to here every sample is a point; beyond, a density image carries the crowd."""
POINTS_ABOVE = 20_000
"""Points drawn over a density image: the flagged ones with the highest posterior."""
DENSITY_CELLS = 256
NAMED_CLASSES = 20
"""Classes with a trace of their own, the largest first; the others share one, as in a legend."""
FULL_SCALE = 65_535
VERDICTS = ("keep", "relabel", "remove", "unsure", "none")


class Group(NamedTuple):
    """The samples of one trace."""

    name: str
    member_M: NDArray[np.uint32]
    """Sample indices, ascending."""
    colour: str


class MapNumbers(NamedTuple):
    """Positions on a square of 65 535 steps with one scale for both axes, and the traces' members."""

    x_N: NDArray[np.uint16]
    y_N: NDArray[np.uint16]
    groups: tuple[Group, ...]
    flagged: NDArray[np.uint32]
    shown: int
    """Samples that are points; the rest is in the density."""
    density: NDArray[np.uint32] | None
    """Samples per cell (row = y), when not every sample is a point."""
    colour: Colour


def map_numbers(
    x_N: NDArray[Any],
    y_N: NDArray[Any],
    *,
    given_N: NDArray[Any],
    suggested_N: NDArray[Any],
    noise_posterior_N: NDArray[Any],
    flagged_N: NDArray[Any],
    standing: Standing,
    classes: Sequence[str],
    colour: Colour = "given",
    theme: Theme = "light",
) -> MapNumbers:
    """Group the samples by what the colour says; above 50 000 only the strongest flags stay points."""
    position_x_N, position_y_N = _to_square(x_N, y_N)
    samples = len(position_x_N)
    flagged_N = np.asarray(flagged_N, dtype=bool)
    shown_N = np.ones(samples, dtype=bool)
    density = None
    if samples > EVERY_POINT:
        ranked = np.argsort(-np.where(flagged_N, noise_posterior_N, -1.0), kind="stable")[:POINTS_ABOVE]
        shown_N[:] = False
        shown_N[ranked[flagged_N[ranked]]] = True
        density = _density(position_x_N, position_y_N)
    if colour == "posterior":
        groups = _by_posterior(noise_posterior_N, shown_N, theme)
    elif colour == "decision":
        groups = _by_decision(standing, shown_N, PALETTES[theme])
    else:
        label_N = given_N if colour == "given" else suggested_N
        groups = _by_label(np.asarray(label_N), shown_N, classes, PALETTES[theme])
    flagged = np.flatnonzero(flagged_N & shown_N).astype(np.uint32)
    return MapNumbers(position_x_N, position_y_N, groups, flagged, int(shown_N.sum()), density, colour)


def map_figure(numbers: MapNumbers, theme: Theme = "light") -> go.Figure:
    """Small points by group; flagged samples ringed; `customdata` of every point trace is the sample index."""
    palette = PALETTES[theme]
    figure = go.Figure()
    if numbers.density is not None:
        figure.add_trace(_density_trace(numbers.density, palette))
    size = (
        7 if numbers.shown <= 2_500 else 5 if numbers.shown <= 10_000 else 4 if numbers.shown <= 20_000 else 3
    )
    for group in numbers.groups:
        figure.add_trace(
            go.Scattergl(
                x=numbers.x_N[group.member_M],
                y=numbers.y_N[group.member_M],
                customdata=group.member_M,
                mode="markers",
                name=f"{group.name} ({len(group.member_M):,})",
                marker={"size": size, "color": group.colour, "opacity": 0.8, "line": {"width": 0}},
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 0.12}},
                hovertemplate=f"sample %{{customdata}}<br>{_TITLES[numbers.colour].lower()}: <b>{group.name}</b><extra></extra>",
            )
        )
    if numbers.colour in ("given", "suggested") and len(numbers.flagged) and numbers.density is None:
        figure.add_trace(
            go.Scattergl(
                x=numbers.x_N[numbers.flagged],
                y=numbers.y_N[numbers.flagged],
                customdata=numbers.flagged,
                mode="markers",
                name=f"flagged ({len(numbers.flagged):,})",
                marker={
                    "size": size + 3,
                    "symbol": "circle-open",
                    "opacity": 0.45,
                    "color": palette.text,
                    "line": {"width": 1},
                },
                hoverinfo="skip",
            )
        )
    hidden = {"visible": False, "range": [-0.02 * FULL_SCALE, 1.02 * FULL_SCALE]}
    figure.update_layout(
        xaxis=hidden,
        yaxis={**hidden, "scaleanchor": "x", "scaleratio": 1},
        dragmode="pan",
        hovermode="closest",
        legend={"itemsizing": "constant", "orientation": "v", "x": 1.01, "y": 1, "yanchor": "top"},
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        uirevision="map",
    )
    return titled(figure, f"Map by {_TITLES[numbers.colour].lower()}", _subtitle(numbers), theme)


_TITLES: Mapping[Colour, str] = {
    "given": "Given label",
    "suggested": "Suggested label",
    "posterior": "Noise posterior",
    "decision": "Decision",
}


def _to_square(x_N: NDArray[Any], y_N: NDArray[Any]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Both coordinates on one scale, centred; what is no number goes to the middle."""
    xy = np.stack([np.asarray(x_N, dtype=np.float64), np.asarray(y_N, dtype=np.float64)])
    xy = np.where(np.isfinite(xy), xy, np.nan)
    if not xy.size or np.isnan(xy).all():
        middle = np.full(xy.shape[1], FULL_SCALE // 2, dtype=np.uint16)
        return middle, middle.copy()
    low, high = np.nanmin(xy, axis=1), np.nanmax(xy, axis=1)
    span = float((high - low).max()) or 1.0
    unit = (xy - ((low + high) / 2)[:, None]) / span + 0.5
    scaled = np.nan_to_num(unit, nan=0.5) * FULL_SCALE
    return scaled[0].round().astype(np.uint16), scaled[1].round().astype(np.uint16)


def _by_label(
    label_N: NDArray[Any], shown_N: NDArray[np.bool_], classes: Sequence[str], palette: Palette
) -> tuple[Group, ...]:
    count_C = np.bincount(label_N, minlength=len(classes))
    named = np.sort(np.argsort(-count_C, kind="stable")[:NAMED_CLASSES])
    groups = [
        Group(classes[label], _members(label_N == label, shown_N), class_colour(position))
        for position, label in enumerate(named.tolist())
    ]
    others = _members(~np.isin(label_N, named), shown_N)
    groups.append(Group(f"{len(classes) - len(named)} other classes", others, palette.verdicts["none"]))
    return tuple(group for group in groups if len(group.member_M))


def _by_posterior(
    noise_posterior_N: NDArray[Any], shown_N: NDArray[np.bool_], theme: Theme
) -> tuple[Group, ...]:
    steps = POSTERIOR_STEPS
    step_N = np.clip((np.asarray(noise_posterior_N) * steps).astype(int), 0, steps - 1)
    groups = [
        Group(f"{step / steps:.0%} to {(step + 1) / steps:.0%}", _members(step_N == step, shown_N), colour)
        for step, colour in enumerate(cividis(theme))
    ]
    return tuple(group for group in groups if len(group.member_M))


def _by_decision(standing: Standing, shown_N: NDArray[np.bool_], palette: Palette) -> tuple[Group, ...]:
    verdict_N = np.full(len(shown_N), "none", dtype=object)
    for index, (verdict, *_) in standing.items():
        verdict_N[index] = "none" if verdict == "cleared" else verdict
    groups = [
        Group(
            "no decision" if verdict == "none" else verdict,
            _members(verdict_N == verdict, shown_N),
            palette.verdicts[verdict],
        )
        for verdict in reversed(VERDICTS)
    ]
    return tuple(group for group in groups if len(group.member_M))


def _members(chosen_N: NDArray[np.bool_], shown_N: NDArray[np.bool_]) -> NDArray[np.uint32]:
    return np.flatnonzero(chosen_N & shown_N).astype(np.uint32)


def _density(x_N: NDArray[np.uint16], y_N: NDArray[np.uint16]) -> NDArray[np.uint32]:
    cell = FULL_SCALE // DENSITY_CELLS + 1
    flat_N = (y_N // cell).astype(np.int64) * DENSITY_CELLS + x_N // cell
    return (
        np.bincount(flat_N, minlength=DENSITY_CELLS**2)
        .astype(np.uint32)
        .reshape(DENSITY_CELLS, DENSITY_CELLS)
    )


def _density_trace(density: NDArray[np.uint32], palette: Palette) -> go.Heatmap:
    centre = ((np.arange(DENSITY_CELLS) + 0.5) * (FULL_SCALE / DENSITY_CELLS)).astype(np.float32)
    return go.Heatmap(
        x=centre,
        y=centre,
        z=np.log1p(density).astype(np.float32),
        colorscale=[[0, "rgba(0,0,0,0)"], [1, palette.quiet]],
        showscale=False,
        hoverinfo="skip",
        name="all samples",
    )


def _subtitle(numbers: MapNumbers) -> str:
    samples = len(numbers.x_N)
    if numbers.density is None:
        return f"all {samples:,} samples; near each other means alike to the network"
    return f"density of all {samples:,} samples; points are {numbers.shown:,} flagged ones"
