"""Noise by class and the matrix given → suggested: the numbers, and how little of them is left out."""

from __future__ import annotations

import re

import numpy as np
import pytest
from plotly.colors import sample_colorscale

from backend.audit.classnoise import ClassNoise, Matrix, class_noise
from backend.audit.figures.classes import LARGEST, class_numbers, classes_figure
from backend.audit.figures.matrix import ink, matrix_figure
from backend.audit.figures.theme import Theme, as_dict


def noise(classes: int, samples: int = 6000) -> ClassNoise:
    rng = np.random.default_rng(0)
    given_N, posterior_N = rng.integers(0, classes - 1, samples), rng.beta(0.3, 0.8, samples)
    return class_noise(given_N, posterior_N, posterior_N > 0.5, classes)


def test_bars_come_from_the_noisiest_class_down_and_empty_classes_have_none() -> None:
    numbers = class_numbers(noise(6))
    assert sorted(numbers.label_S.tolist()) == [0, 1, 2, 3, 4]
    assert (np.diff(numbers.noise_rate_S) <= 0).all()


def test_a_bar_carries_its_class_its_counts_and_its_interval() -> None:
    numbers = class_numbers(noise(6))
    trace = as_dict(classes_figure(numbers, [f"class {label}" for label in range(6)], "dark"))["data"][0]
    for place, (label, samples, flagged, low, high) in enumerate(trace["customdata"]):
        assert trace["text"][place] == f"class {label}"
        assert (label, samples, flagged) == (
            numbers.label_S[place],
            numbers.samples_S[place],
            numbers.flagged_S[place],
        )
        assert low <= numbers.noise_rate_S[place] <= high


def test_many_classes_are_cut_to_the_noisiest_and_the_figure_says_of_how_many() -> None:
    figure = as_dict(classes_figure(class_numbers(noise(101)), [str(label) for label in range(101)]))
    assert len(figure["data"][0]["customdata"]) == LARGEST
    assert f"the {LARGEST} noisiest of 100 classes" in figure["layout"]["title"]["text"]


MATRIX = Matrix(np.array([1, 4]), np.array([[9, 2], [0, 7]]), classes=5, samples=20)


def test_a_cell_names_its_classes_and_an_empty_one_is_empty() -> None:
    cells, numbers = as_dict(matrix_figure(MATRIX, list("abcde"), diagonal=True))["data"]
    assert cells["z"] == [[9, 2], [None, 7]]
    assert cells["customdata"] == [[[1, 1], [1, 4]], [[4, 1], [4, 4]]]
    placed = dict(zip(zip(numbers["y"], numbers["x"], strict=True), numbers["text"], strict=True))
    assert placed == {(0, 0): "9", (0, 1): "2", (1, 1): "7"}


def test_without_the_diagonal_it_is_empty_and_the_title_counts_the_rest() -> None:
    figure = as_dict(matrix_figure(MATRIX, list("abcde"), diagonal=False))
    assert figure["data"][0]["z"] == [[None, 2], [None, None]]
    assert "2 flagged samples whose suggestion differs" in figure["layout"]["title"]["text"]
    assert "among the 2 most involved of 5 classes" in figure["layout"]["title"]["text"]


@pytest.mark.parametrize(("side", "written"), [(20, True), (21, False)])
def test_cells_say_their_number_only_where_there_is_room(side: int, written: bool) -> None:
    matrix = Matrix(np.arange(side), np.ones((side, side), np.int64), side, side**2)
    traces = as_dict(matrix_figure(matrix, [str(label) for label in range(side)], diagonal=True))["data"]
    assert [trace.get("mode") for trace in traces[1:]] == (["text"] if written else [])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_number_of_every_cell_can_be_read_on_its_colour(theme: Theme) -> None:
    count_SS = np.arange(100).reshape(10, 10)
    share_SS = (99 - count_SS) / 99 if theme == "light" else count_SS / 99
    for shares, inks in zip(share_SS, ink(count_SS, theme), strict=True):
        for colour, letters in zip(sample_colorscale("Cividis", shares), inks, strict=True):
            ground, on = luminance(colour), float(letters == "#ffffff")
            assert (max(ground, on) + 0.05) / (min(ground, on) + 0.05) >= 4.5, (colour, letters)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_name_full_of_markup_is_text_in_the_tip() -> None:
    trace = as_dict(matrix_figure(MATRIX, ["", "<b>&", "", "", "x"], diagonal=True))["data"][0]
    assert trace["hovertext"][0][1] == "&lt;b>&amp; → x"
