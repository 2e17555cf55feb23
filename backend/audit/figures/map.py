"""The 2-D map of the embedding, one WebGL trace per class, range or verdict.

Knows arrays by sample index; must not know the store. Shape letters: N samples, M members of one trace, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

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
VERDICTS = ("none", "keep", "relabel", "remove", "unsure")
"""By their codes, as `store.verdicts` counts them."""


class Group(NamedTuple):
    """The samples of one trace."""

    name: str
    member_M: NDArray[np.uint32]
    """Indices of the samples that are points, ascending."""
    colour: str
    samples: int
    """All that belong to it, points or not."""


class MapNumbers(NamedTuple):
    """Positions on a square of 65 535 steps with one scale for both axes, and the traces' members."""

    x_N: NDArray[np.uint16]
    y_N: NDArray[np.uint16]
    groups: tuple[Group, ...]
    """Those that any sample belongs to."""
    group_N: NDArray[np.uint8]
    """Place of each sample's group in `groups`."""
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
    code_N: NDArray[np.uint8],
    classes: Sequence[str],
    colour: Colour = "given",
    theme: Theme = "light",
) -> MapNumbers:
    """Group the samples by what the colour says; above 50 000 only the strongest flags stay points.

    `code_N` says each sample's standing verdict by its place in VERDICTS.
    """
    position_x_N, position_y_N = _to_square(x_N, y_N)
    samples = len(position_x_N)
    flagged_N = np.asarray(flagged_N, dtype=bool)
    shown_N = np.ones(samples, dtype=bool)
    density = None
    if samples > EVERY_POINT:
        flags = np.flatnonzero(flagged_N)
        if len(flags) > POINTS_ABOVE:
            strongest = np.argpartition(-np.asarray(noise_posterior_N)[flags], POINTS_ABOVE - 1)[
                :POINTS_ABOVE
            ]
            flags = flags[strongest]
        shown_N[:] = False
        shown_N[flags] = True
        density = _density(position_x_N, position_y_N)
    if colour == "posterior":
        kinds, kind_N = _by_posterior(noise_posterior_N, theme)
    elif colour == "decision":
        kinds, kind_N = _by_decision(code_N, PALETTES[theme])
    else:
        label_N = np.asarray(given_N if colour == "given" else suggested_N)
        kinds, kind_N = _by_label(label_N, classes, PALETTES[theme])
    groups, group_N = _grouped(kinds, kind_N, shown_N)
    flagged = np.flatnonzero(flagged_N & shown_N).astype(np.uint32)
    return MapNumbers(
        position_x_N, position_y_N, groups, group_N, flagged, int(shown_N.sum()), density, colour
    )


def map_points(numbers: MapNumbers) -> bytes:
    """Every sample by index, little-endian: all x as uint16, then all y as uint16, then all groups as uint8.

    Positions are steps of a square with FULL_SCALE to a side; a group is the place of its trace among the
    figure's traces of points (the rings around flagged samples are none).
    """
    position = (numbers.x_N.astype("<u2").tobytes(), numbers.y_N.astype("<u2").tobytes())
    return b"".join([*position, numbers.group_N.tobytes()])


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
                name=f"{group.name} ({group.samples:,})",
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


Kinds = list[tuple[str, str]]
"""Name and colour of each possible group."""


def _by_label(label_N: NDArray[Any], classes: Sequence[str], palette: Palette) -> tuple[Kinds, NDArray[Any]]:
    count_C = np.bincount(label_N, minlength=len(classes))
    named = np.sort(np.argsort(-count_C, kind="stable")[:NAMED_CLASSES])
    kinds = [(classes[label], class_colour(position)) for position, label in enumerate(named.tolist())]
    kinds.append((f"{len(classes) - len(named)} other classes", palette.verdicts["none"]))
    kind_C = np.full(len(count_C), len(named), dtype=np.uint8)
    kind_C[named] = np.arange(len(named))
    return kinds, kind_C[label_N]


def _by_posterior(noise_posterior_N: NDArray[Any], theme: Theme) -> tuple[Kinds, NDArray[Any]]:
    steps = POSTERIOR_STEPS
    kinds = [
        (f"{100 * step // steps} to {100 * (step + 1) // steps} %", colour)
        for step, colour in enumerate(cividis(theme))
    ]
    return kinds, np.clip((np.asarray(noise_posterior_N) * steps).astype(np.int64), 0, steps - 1)


def _by_decision(code_N: NDArray[np.uint8], palette: Palette) -> tuple[Kinds, NDArray[Any]]:
    kinds = [
        ("no decision" if verdict == "none" else verdict, palette.verdicts[verdict]) for verdict in VERDICTS
    ]
    return kinds, code_N


def _grouped(
    kinds: Kinds, kind_N: NDArray[Any], shown_N: NDArray[np.bool_]
) -> tuple[tuple[Group, ...], NDArray[np.uint8]]:
    """The kinds that occur, with their members; one sort instead of a pass per kind."""
    shown_M = np.flatnonzero(shown_N)
    ordered_M = shown_M[np.argsort(kind_N[shown_M], kind="stable")].astype(np.uint32)
    part = np.split(ordered_M, np.cumsum(np.bincount(kind_N[shown_M], minlength=len(kinds)))[:-1])
    count = np.bincount(kind_N, minlength=len(kinds))
    present = np.flatnonzero(count)
    place = np.zeros(len(kinds), dtype=np.uint8)
    place[present] = np.arange(len(present))
    groups = tuple(Group(kinds[kind][0], part[kind], kinds[kind][1], int(count[kind])) for kind in present)
    return groups, place[kind_N]


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
        return f"all {samples:,} samples; the nearer, the more alike"
    return f"density of all {samples:,} samples; points are {numbers.shown:,} flagged ones"
