"""Several runs by epoch."""

from __future__ import annotations

from backend.audit.figures.compare import compare_figure, compare_numbers
from backend.audit.figures.theme import as_dict


def test_each_run_is_one_line_in_both_panels_with_a_colour_and_a_shape_of_its_own() -> None:
    one = [(1, {"train_loss": 2.0, "noise_rate": 0.3}), (2, {"train_loss": 1.0, "noise_rate": None})]
    two = [(1, {"train_loss": 3.0, "noise_rate": 0.1})]
    traces = as_dict(compare_figure(compare_numbers([("fast", one), ("thorough", two)])))["data"]
    assert [(trace["name"], trace["y"]) for trace in traces] == [
        ("fast", [2.0, 1.0]),
        ("fast", [0.3, None]),
        ("thorough", [3.0]),
        ("thorough", [0.1]),
    ]
    styles = [(trace["line"]["color"], trace["line"]["dash"], trace["marker"]["symbol"]) for trace in traces]
    assert styles[0] == styles[1] != styles[2] == styles[3]
    assert [trace["showlegend"] for trace in traces] == [True, False, True, False]
