"""The distribution of the noise posteriors."""

from __future__ import annotations

import numpy as np

from backend.audit.figures.posterior import BINS, posterior_figure, posterior_numbers
from backend.audit.figures.theme import as_dict


def test_every_sample_is_in_one_bar_of_its_own_kind() -> None:
    posterior_N = np.array([0.0, 0.019, 0.02, 0.5, 0.99, 1.0, np.nan])
    flagged_N = np.array([False, False, False, True, True, True, False])
    numbers = posterior_numbers(posterior_N, flagged_N, 0.5)
    assert numbers.unflagged_B[:2].tolist() == [3, 1]
    assert (numbers.flagged_B[BINS // 2], numbers.flagged_B[-1]) == (1, 2)
    assert int(numbers.flagged_B.sum() + numbers.unflagged_B.sum()) == 7
    assert not numbers.logarithmic


def test_few_flags_beside_very_many_samples_get_a_logarithmic_axis_and_no_stack() -> None:
    posterior_N = np.concatenate([np.zeros(10_000), np.linspace(0.8, 1, 50)])
    numbers = posterior_numbers(posterior_N, posterior_N > 0.5, 0.5)
    assert numbers.logarithmic
    layout = as_dict(posterior_figure(numbers, "dark"))["layout"]
    assert (layout["yaxis"]["type"], layout["barmode"]) == ("log", "overlay")
    assert "50 of 10,050 samples flagged" in layout["title"]["text"]


def test_without_flags_or_threshold_there_is_still_a_figure() -> None:
    figure = as_dict(posterior_figure(posterior_numbers(np.zeros(5), np.zeros(5, bool), None)))
    assert [trace["name"] for trace in figure["data"]] == ["not flagged (5)", "flagged (0)"]
    assert "shapes" not in figure["layout"]
