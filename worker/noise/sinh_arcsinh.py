"""One bump on the real line: a Gaussian that may lean and have heavier or lighter tails; knows no scores.

Shapes: N points.

With z = (x - place) / spread, sinh(tail · arcsinh(z) - lean) is a standard Gaussian (sinh-arcsinh distribution; Jones and
Pewsey 2009, Biometrika 96(4), Eq. 1–2); lean 0 and tail 1 give the Gaussian itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from worker.noise.histogram import FloatArray


class Component(NamedTuple):
    """Parameters of one bump on the standardised line."""

    place: float
    spread: float
    lean: float
    tail: float


def log_density(unit_N: FloatArray, component: Component) -> FloatArray:
    """Log-density (N,) of a component."""
    value_N, _ = density_gradient(unit_N, component)
    return value_N


def density_gradient(unit_N: FloatArray, c: Component) -> tuple[FloatArray, FloatArray]:
    """Log-density (N,) and its gradient (4, N) in place, log spread, lean, log tail."""
    z_N = (unit_N - c.place) / c.spread
    arc_N = np.arcsinh(z_N)
    u_N = np.clip(c.tail * arc_N - c.lean, -30.0, 30.0)
    s_N, cosh_N, root_N = np.sinh(u_N), np.cosh(u_N), 1.0 + z_N * z_N
    value_N = (
        np.log(c.tail / c.spread)
        + np.log(cosh_N)
        - 0.5 * np.log(root_N)
        - 0.5 * s_N * s_N
        - 0.5 * np.log(2.0 * np.pi)
    )
    du_N = np.tanh(u_N) - s_N * cosh_N
    dz_N = du_N * c.tail / np.sqrt(root_N) - z_N / root_N
    return value_N, np.stack([-dz_N / c.spread, -1.0 - dz_N * z_N, -du_N, 1.0 + c.tail * arc_N * du_N])
