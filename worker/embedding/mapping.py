"""Features into a 2-D map: unit length, 50 principal components, UMAP; knows arrays only.

UMAP: McInnes, Healy, Melville 2018, arXiv 1802.03426. Shape letters: N samples, F features, P components.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from worker.embedding.similarity import nearest, unit_rows

COMPONENTS = 50
NEIGHBOURS = 15
FEWEST = 15
"""Below this UMAP's notion of a neighbourhood is the whole dataset: the map is the first two components."""

_EPOCHS = 200
_EXACT_NEIGHBOURS = 30_000
"""Up to here exact neighbours are quicker than compiling the approximate search (65 s on two cores)."""

_REPEATABLE = 20_000
"""Up to here the map is repeatable; a seed keeps umap-learn on one thread, which costs too much above."""


def embed(
    feature_NF: NDArray[np.floating[Any]],
    *,
    seed: int,
    progress: Callable[[float], None] = lambda fraction: None,
) -> NDArray[np.float32]:
    """Places every sample on a map, float32 (N, 2), finite: near on the map means alike in angle of the features.

    Up to 20 000 samples the same features and seed give the same map on the same machine. Fewer than 15
    samples, or features with fewer than two independent directions, give their principal components (0 where
    there are none). `progress` takes the fraction done, in [0, 1].
    """
    component_NP = _components(unit_rows(feature_NF))
    progress(0.1)
    plain_N2 = np.zeros((len(component_NP), 2), dtype=np.float32)
    plain_N2[:, : component_NP.shape[1]] = component_NP[:, :2]
    if len(component_NP) < FEWEST or component_NP.shape[1] < 2:
        progress(1.0)
        return plain_N2
    xy_N2 = _umap(component_NP, seed, progress)
    progress(1.0)
    return xy_N2 if bool(np.isfinite(xy_N2).all()) else plain_N2


def _components(unit_NF: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first principal components that vary at all, at most `COMPONENTS` of them."""
    if min(unit_NF.shape) == 0 or len(unit_NF) < 2:
        return np.zeros((len(unit_NF), 0), dtype=np.float32)
    wanted = min(COMPONENTS, *unit_NF.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # equal rows have no variance to explain a share of
        component_NP = PCA(wanted, svd_solver="covariance_eigh").fit_transform(unit_NF)
    spread_P = component_NP.std(axis=0)
    return np.ascontiguousarray(
        component_NP[:, spread_P > 1e-6], dtype=np.float32
    )  # rows have length 1: 1e-6 is rounding


def _umap(
    component_NP: NDArray[np.float32], seed: int, progress: Callable[[float], None]
) -> NDArray[np.float32]:
    samples = len(component_NP)
    settings: dict[str, Any] = {
        "n_neighbors": min(NEIGHBOURS, samples - 1),
        "n_epochs": _EPOCHS,
        "min_dist": 0.1,
    }
    try:
        on_gpu = importlib.import_module("cuml.manifold").UMAP
    except ImportError:
        pass
    else:
        return np.asarray(on_gpu(**settings, random_state=seed).fit_transform(component_NP), dtype=np.float32)
    if samples <= _EXACT_NEIGHBOURS:
        index_NK, distance_NK = nearest(component_NP, NEIGHBOURS - 1)
        # umap-learn counts each sample as its own first neighbour.
        own_N1 = np.arange(samples, dtype=np.int32)[:, None]
        settings["precomputed_knn"] = (
            np.hstack([own_N1, index_NK]),
            np.hstack([np.zeros((samples, 1), dtype=np.float32), distance_NK]),
        )
    if samples <= _REPEATABLE:
        settings |= {"random_state": seed, "n_jobs": 1}
    progress(0.4)
    with warnings.catch_warnings():
        # Known and meant: no search index for new points is wanted, one thread is the price of a seed.
        warnings.filterwarnings("ignore", message="precomputed_knn|n_jobs value")
        warnings.filterwarnings("ignore", message="Tensorflow not installed")
        warnings.filterwarnings("ignore", module=r"numba\.|pynndescent\.|sklearn\.")
        import umap  # takes seconds to import: not before it is needed

        model = umap.UMAP(init="pca", **settings)
        return np.asarray(model.fit_transform(component_NP), dtype=np.float32)
