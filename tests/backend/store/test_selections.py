"""A selection is kept under the name of its content and comes back in its order."""

from __future__ import annotations

import numpy as np
import pytest

from backend.audit.errors import BadInput, NotFound
from backend.store import selections
from backend.store.artifacts import Artifacts


def test_the_same_list_is_the_same_selection_and_another_order_another(artifacts: Artifacts) -> None:
    one = selections.keep(artifacts, "run", [7, 3, 70_000])
    assert selections.keep(artifacts, "run", np.array([7, 3, 70_000])) == one
    other = selections.keep(artifacts, "run", [3, 7, 70_000])
    assert other != one
    assert selections.load(artifacts, "run", one).tolist() == [7, 3, 70_000]
    assert selections.load(artifacts, "run", other).tolist() == [3, 7, 70_000]


def test_a_selection_belongs_to_its_run(artifacts: Artifacts) -> None:
    one = selections.keep(artifacts, "run", [1])
    with pytest.raises(NotFound) as caught:
        selections.load(artifacts, "another", one)
    assert caught.value.code == "SELECTION_UNKNOWN"


@pytest.mark.parametrize(
    ("indices", "code"),
    [
        (np.array([], np.int64), "SELECTION_EMPTY"),
        (np.array([4, 5, 4]), "DUPLICATE_SAMPLE"),
        (np.arange(selections.LARGEST + 1), "LIMIT_EXCEEDED"),
    ],
)
def test_what_is_no_selection_is_refused(artifacts: Artifacts, indices: np.ndarray, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        selections.keep(artifacts, "run", indices)
    assert caught.value.code == code
    assert artifacts.list("runs") == []
