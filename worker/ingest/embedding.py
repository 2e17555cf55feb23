"""An embedding that people bring, one vector for each sample; knows files, not what the vectors are used for.

Shape letters: N samples, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.matrices import read_matrix

ARRAYS = ("embedding", "embeddings", "features", "feature", "X", "x")
MOST_FEATURES = 16_384


def read_embedding(path: Path, *, names_N: Sequence[str], limits: Limits) -> NDArray[np.float32]:
    """The vectors (N, F) of the samples called `names_N`.

    Raises BadInput EMBEDDING_INVALID for a value that is not finite or vectors that are all alike, and what `read_matrix`
    raises.
    """
    feature_NF = read_matrix(
        path, names_N, arrays=ARRAYS, what="Embedding", most_columns=MOST_FEATURES, limits=limits
    ).value_ND
    broken_N = ~np.isfinite(feature_NF).all(axis=1)
    if broken_N.any():
        raise BadInput(
            "EMBEDDING_INVALID",
            "An embedding must hold finite numbers.",
            hint="Every sample needs a vector; missing cells count as not a number.",
            item=f"sample {int(broken_N.argmax())}",
        )
    if not (feature_NF != feature_NF[:1]).any():
        raise BadInput("EMBEDDING_INVALID", "All vectors of the embedding are the same.")
    return feature_NF
