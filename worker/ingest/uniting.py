"""Two lists of classes as one: the older one's numbers hold, what it lacks comes at its end. Pure.

Shape letters: C classes found, M samples added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.settings import Limits
from worker.ingest.listed import check_class_names
from worker.ingest.writing import MISSING, Imported


class Classes(NamedTuple):
    """All classes, and which of them each of those that were found is; MISSING for one that nobody uses."""

    names: list[str]
    number_C: NDArray[np.int32]

    def renumber(self, label_M: NDArray[np.int32]) -> NDArray[np.int32]:
        """The found numbers as those of all classes; MISSING stays."""
        # One entry more, which is what −1 finds.
        return np.append(self.number_C, np.int32(MISSING))[label_M]


def united(classes: Sequence[str], imported: Imported, limits: Limits) -> Classes:
    """The dataset's classes and, behind them, the new ones that an import uses. Raises BadInput LIMIT_EXCEEDED."""
    said = [imported.given_label_N, imported.annotation_NA.ravel()]
    if imported.true_label_N is not None:
        said.append(imported.true_label_N)
    used = {imported.classes[label] for label in np.unique(np.concatenate(said)).tolist() if label != MISSING}
    names = [*classes, *(name for name in imported.classes if name in used - set(classes))]
    check_class_names(names, limits)
    number = {name: place for place, name in enumerate(names)}
    return Classes(names, np.array([number.get(name, MISSING) for name in imported.classes], np.int32))
