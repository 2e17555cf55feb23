"""What is stored of an epoch's mixtures is what was fitted, with the loss at which noise becomes likelier."""

from __future__ import annotations

import numpy as np

from worker.results import agreement, stored_mixtures


def mixture(clean: list[float], noisy: list[float]) -> dict[str, object]:
    curves = {"x": [0.0, 1.0, 2.0, 3.0], "clean": clean, "noisy": noisy}
    curves["sum"] = list(np.add(clean, noisy))
    return {"weights": [0.5, 0.5], "curves": curves}


def test_the_threshold_is_where_noise_stays_the_likelier_cause() -> None:
    stored = stored_mixtures({"beta": mixture([4, 3, 1, 0], [5, 1, 2, 3])}, "beta")
    assert stored["chosen"] == "beta"
    assert stored["beta"]["threshold"] == 2.0
    assert stored["beta"]["components"] == [[4, 3, 1, 0], [5, 1, 2, 3]]
    assert stored["beta"]["weights"] == [0.5, 0.5]


def test_without_a_crossing_there_is_no_threshold() -> None:
    never = stored_mixtures({"beta": mixture([4, 3, 2, 1], [0, 0, 0, 0])}, "none")
    always = stored_mixtures({"beta": mixture([0, 0, 0, 0], [1, 1, 1, 1])}, "none")
    assert never["beta"]["threshold"] is None
    assert always["beta"]["threshold"] is None


def test_a_sample_is_agreed_on_by_each_score_that_has_it_among_its_most_suspect() -> None:
    scores = {"loss": np.array([5.0, 4.0, 3.0, 2.0]), "margin": np.array([0.0, 9.0, 1.0, 0.0])}
    assert agreement(scores, 2).tolist() == [1, 2, 1, 0]
    assert agreement(scores, 0).tolist() == [0, 0, 0, 0]
    assert agreement(scores, 4).tolist() == [2, 2, 2, 2]


def test_of_equal_scores_all_or_none_are_among_the_suspects() -> None:
    broad = {"neighbours": np.array([0.0, 0.0, 0.0, 0.0, 1.0])}
    # The four zeros share rank 3.5: with three suspects none of them is one.
    assert agreement(broad, 3).tolist() == [0, 0, 0, 0, 1]
    assert agreement(broad, 4).tolist() == [1, 1, 1, 1, 1]


def test_a_score_that_is_no_number_agrees_with_nothing() -> None:
    assert agreement({"loss": np.array([np.nan, 1.0, np.nan])}, 3).tolist() == [0, 1, 0]
