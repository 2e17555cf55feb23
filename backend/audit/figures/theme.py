"""How every figure looks: fonts, colours and the light and dark template. Knows no data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.io import to_json

Theme = Literal["light", "dark"]
FONT = "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


class Palette(NamedTuple):
    """The colours of one theme, safe for the colour-blind (after Okabe and Ito); hexadecimal."""

    text: str
    quiet: str
    grid: str
    surface: str
    bars: str
    clean: str
    noisy: str
    total: str
    accent: str
    verdicts: dict[str, str]


LIGHT = Palette(
    text="#1f2430",
    quiet="#5c6473",
    grid="#e6e8ec",
    surface="#ffffff",
    bars="#c3c9d4",
    clean="#0072b2",
    noisy="#d55e00",
    total="#1f2430",
    accent="#7a5195",
    verdicts={
        "keep": "#009E73",
        "relabel": "#7A5195",
        "remove": "#D55E00",
        "unsure": "#000000",
        "none": "#b4bac5",
    },
)
DARK = Palette(
    text="#e6e8ee",
    quiet="#9aa3b2",
    grid="#2b303b",
    surface="#1a1d24",
    bars="#4a5160",
    clean="#56b4e9",
    noisy="#ff8a3d",
    total="#e6e8ee",
    accent="#a98bea",
    verdicts={
        "keep": "#1FA37C",
        "relabel": "#A98BEA",
        "remove": "#FF8A3D",
        "unsure": "#FFFFFF",
        "none": "#565d6b",
    },
)
PALETTES: dict[Theme, Palette] = {"light": LIGHT, "dark": DARK}

CLASS_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8C8C00",
    "#7A5195",
    "#A6761D",
    "#4DAF9C",
)
"""Okabe and Ito's colours that show on white and on near-black, then four of the same lightness."""

POSTERIOR_STEPS = 10
_CIVIDIS_PART: dict[Theme, tuple[float, float]] = {"light": (0.0, 0.92), "dark": (0.28, 1.0)}
"""The part of Cividis that stands out from the page: no pale yellow on white, no navy on black."""


def cividis(theme: Theme) -> list[str]:
    """Ten steps of Cividis, which reads the same with and without colour vision; low to high."""
    low, high = _CIVIDIS_PART[theme]
    positions = [low + (high - low) * step / (POSTERIOR_STEPS - 1) for step in range(POSTERIOR_STEPS)]
    return [str(colour) for colour in sample_colorscale("cividis", positions)]


def class_colour(position: int) -> str:
    """The colour of the class at this position; it repeats after ten (names stand in legend and hover)."""
    return CLASS_COLOURS[position % len(CLASS_COLOURS)]


def translucent(colour: str, alpha: float) -> str:
    """A hexadecimal colour as rgba() with this opacity in [0, 1]."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def template(theme: Theme) -> go.layout.Template:
    """Transparent, calm, no frame; sizes and colours that match the dashboard around it."""
    palette = PALETTES[theme]
    axis = {
        "gridcolor": palette.grid,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 12, "color": palette.quiet}, "standoff": 8},
        "tickfont": {"size": 11, "color": palette.quiet},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "title": {
                "font": {"size": 15, "color": palette.text},
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 20},
            },
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(CLASS_COLOURS),
            "margin": {"l": 56, "r": 16, "t": 64, "b": 48},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": palette.surface,
                "bordercolor": palette.grid,
                "font": {"family": FONT, "size": 12, "color": palette.text},
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"size": 11, "color": palette.quiet},
                "bgcolor": "rgba(0,0,0,0)",
            },
            "annotationdefaults": {"font": {"size": 11, "color": palette.quiet}},
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": palette.quiet,
                "activecolor": palette.accent,
            },
        }
    )


def titled(figure: go.Figure, title: str, subtitle: str, theme: Theme) -> go.Figure:
    """The figure with its title, a quieter second line, the theme's template and no fixed size."""
    figure.update_layout(**heading(title, subtitle, theme))
    return figure


def heading(title: str, subtitle: str, theme: Theme) -> dict[str, Any]:
    """What `titled` adds to a layout, as a dictionary."""
    quieter = f"<span style='font-size:12px;color:{PALETTES[theme].quiet}'>{subtitle}</span>"
    return {"template": _template(theme), "title": {"text": f"{title}<br>{quieter}"}, "autosize": True}


@cache
def _template(theme: Theme) -> dict[str, Any]:
    as_plain: dict[str, Any] = template(theme).to_plotly_json()
    return as_plain


def as_json(figure: go.Figure | dict[str, Any]) -> str:
    """The figure as the page gets it; number arrays stay typed (base64), which is small and exact.

    A dictionary of data and layout is taken as it is: nothing checks it again.
    """
    return str(to_json(figure, validate=False, remove_uids=True))


def as_dict(figure: go.Figure) -> dict[str, Any]:
    """The same as a dictionary of JSON values."""
    document: dict[str, Any] = json.loads(as_json(figure))
    return document


def rounded(values: Iterable[float], digits: int = 5) -> list[float]:
    """Numbers with as many significant digits as a screen can show."""
    return [float(f"{value:.{digits}g}") for value in values]
