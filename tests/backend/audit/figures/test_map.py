"""The map: who is in which trace, where, and what becomes of a crowd."""

import base64
from typing import Any

import numpy as np
import pytest

from backend.audit.figures.map import (
    EVERY_POINT,
    FULL_SCALE,
    POINTS_ABOVE,
    map_figure,
    map_numbers,
    map_points,
)
from backend.audit.figures.theme import LIGHT, as_dict


def numbers(samples: int = 600, classes: int = 4, **changes: Any) -> Any:
    rng = np.random.default_rng(0)
    given_N = rng.integers(0, classes, samples)
    posterior_N = rng.random(samples)
    settings: dict[str, Any] = {
        "x_N": rng.normal(size=samples) * 3,
        "y_N": rng.normal(size=samples),
        "given_N": given_N,
        "suggested_N": (given_N + (posterior_N > 0.7)) % classes,
        "noise_posterior_N": posterior_N,
        "flagged_N": posterior_N > 0.7,
        "code_N": np.where(np.arange(samples) == 3, 1, np.where(np.arange(samples) == 4, 2, 0)).astype(
            np.uint8
        ),
        "classes": [f"class {number}" for number in range(classes)],
    }
    return map_numbers(**{**settings, **changes})


@pytest.mark.parametrize("colour", ["given", "suggested", "posterior", "decision"])
def test_every_sample_is_in_exactly_one_trace(colour: str) -> None:
    groups = numbers(colour=colour).groups
    members = np.concatenate([group.member_M for group in groups])
    assert sorted(members.tolist()) == list(range(600))


def test_positions_keep_one_scale_for_both_axes() -> None:
    placed = numbers(x_N=np.array([0.0, 10.0] * 300), y_N=np.array([0.0, 5.0] * 300))
    assert int(placed.x_N[1]) - int(placed.x_N[0]) == FULL_SCALE
    assert int(placed.y_N[1]) - int(placed.y_N[0]) == pytest.approx(FULL_SCALE / 2, abs=1)


@pytest.mark.parametrize("broken", [np.zeros(600), np.full(600, np.nan)])
def test_a_layout_without_extent_or_numbers_lands_in_the_middle(broken: Any) -> None:
    placed = numbers(x_N=broken, y_N=broken)
    assert set(placed.x_N.tolist()) <= {FULL_SCALE // 2, FULL_SCALE // 2 + 1}


def test_decisions_have_their_colours_and_all_others_are_without_one() -> None:
    groups = {group.name: group for group in numbers(colour="decision").groups}
    assert groups["keep"].member_M.tolist() == [3]
    assert groups["relabel"].colour == LIGHT.verdicts["relabel"]
    assert 5 in groups["no decision"].member_M


def test_the_point_traces_carry_sample_indices_as_typed_arrays_and_one_colour_each() -> None:
    figure = as_dict(map_figure(numbers()))
    for trace in figure["data"]:
        assert trace["type"] == "scattergl"
        assert isinstance(trace["marker"]["color"], str)
        assert trace["x"]["dtype"] == "u2"
        index = np.frombuffer(base64.b64decode(trace["customdata"]["bdata"]), trace["customdata"]["dtype"])
        assert len(index) == int(trace["name"].rsplit("(")[-1].rstrip(")").replace(",", ""))
    assert figure["data"][-1]["name"].startswith("flagged")


def test_many_classes_share_one_trace_beyond_the_twentieth() -> None:
    groups = numbers(samples=3000, classes=30).groups
    assert len(groups) == 21
    assert groups[-1].name == "10 other classes"
    assert sum(len(group.member_M) for group in groups) == 3000


def test_a_crowd_becomes_a_density_under_its_strongest_flags_and_says_so() -> None:
    samples = EVERY_POINT + 40_000
    crowd = numbers(samples=samples)
    assert crowd.density is not None
    assert int(crowd.density.sum()) == samples
    assert crowd.shown == POINTS_ABOVE
    shown = np.concatenate([group.member_M for group in crowd.groups])
    rng = np.random.default_rng(0)
    rng.integers(0, 4, samples)
    posterior_N = rng.random(samples)
    hidden = np.setdiff1d(np.arange(samples), shown)
    assert posterior_N[shown].min() >= posterior_N[hidden].max()
    figure = as_dict(map_figure(crowd))
    assert figure["data"][0]["type"] == "heatmap"
    assert "density of all 90,000 samples; points are 20,000" in figure["layout"]["title"]["text"]


@pytest.mark.parametrize("colour", ["given", "suggested", "posterior", "decision"])
@pytest.mark.parametrize("samples", [600, EVERY_POINT + 1])
def test_the_points_of_all_samples_agree_with_the_figures_traces(colour: str, samples: int) -> None:
    placed = numbers(samples=samples, classes=30, colour=colour)
    data = map_points(placed)
    assert len(data) == 5 * samples
    x_N, y_N = (
        np.frombuffer(data[: 2 * samples], "<u2"),
        np.frombuffer(data[2 * samples : 4 * samples], "<u2"),
    )
    group_N = np.frombuffer(data[4 * samples :], np.uint8)
    traces = [
        trace
        for trace in as_dict(map_figure(placed))["data"]
        if trace["type"] == "scattergl" and not trace["name"].startswith("flagged")
    ]
    assert group_N.max() == len(traces) - 1
    for place, trace in enumerate(traces):
        assert f"({int((group_N == place).sum()):,})" in trace["name"]
        if trace["customdata"] == []:
            # A group whose samples are all in the density.
            continue
        index = np.frombuffer(base64.b64decode(trace["customdata"]["bdata"]), trace["customdata"]["dtype"])
        assert set(group_N[index].tolist()) <= {place}
        shown = np.frombuffer(base64.b64decode(trace["x"]["bdata"]), "<u2")
        np.testing.assert_array_equal(shown, x_N[index])
    assert y_N.max() <= FULL_SCALE
