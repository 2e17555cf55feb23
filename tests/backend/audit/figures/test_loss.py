"""The loss figure: its numbers first, then that they arrive in the picture."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from backend.audit.figures.loss import loss_document, loss_figure, loss_numbers
from backend.audit.figures.theme import DARK, LIGHT, as_dict, as_json

X = np.linspace(0, 10, 2001)


def fitted(clean: Any, noisy: Any, weight: float, threshold: float | None) -> dict[str, Any]:
    parts = [(1 - weight) * clean.pdf(X), weight * noisy.pdf(X)]
    return {
        "weights": [1 - weight, weight],
        "parameters": [[1, 2], [2, 1]],
        "x": X.tolist(),
        "components": [part.tolist() for part in parts],
        "sum": (parts[0] + parts[1]).tolist(),
        "log_likelihood": -1.5,
        "threshold": threshold,
    }


@pytest.fixture
def numbers() -> Any:
    rng = np.random.default_rng(0)
    loss_N = np.concatenate([rng.gamma(2, 0.3, 700), rng.normal(5, 1, 300)]).clip(0, 10)
    count_B, edge_B1 = np.histogram(loss_N, bins=50, range=(0, 10))
    mixtures = {
        "beta": fitted(stats.gamma(2, scale=0.3), stats.norm(5, 1), 0.3, 2.4),
        "gaussian": fitted(stats.norm(0.6, 0.4), stats.norm(5, 1), 0.31, 2.5),
        "chosen": "beta",
    }
    return loss_numbers(7, {"edges": edge_B1.tolist(), "counts": count_B.tolist()}, mixtures)


def test_the_curves_are_on_the_scale_of_the_bars(numbers: Any) -> None:
    beta = next(mixture for mixture in numbers.mixtures if mixture.name == "beta")
    width = 10 / 50
    assert len(numbers.count_B) == 50
    assert np.trapezoid(beta.sum_X, beta.x_X) / width == pytest.approx(1000, rel=1e-3)
    assert np.trapezoid(beta.noisy_X, beta.x_X) / width == pytest.approx(300, rel=1e-3)
    np.testing.assert_allclose(beta.clean_X + beta.noisy_X, beta.sum_X)
    assert beta.threshold == 2.4


def test_both_mixtures_their_components_and_sums_are_drawn_with_the_threshold(numbers: Any) -> None:
    figure = as_dict(loss_figure(numbers))
    lines = [(trace["legendgroup"], trace["name"]) for trace in figure["data"][1:]]
    assert sorted(lines) == sorted((m, p) for m in ("beta", "gaussian") for p in ("clean", "noisy", "sum"))
    filled = {(trace["legendgroup"], trace["name"]) for trace in figure["data"] if "fill" in trace}
    assert filled == {("beta", "clean"), ("beta", "noisy")}
    assert figure["layout"]["shapes"][0]["x0"] == 2.4
    assert "2.40 nats" in figure["layout"]["annotations"][0]["text"]
    assert figure["layout"]["xaxis"]["title"]["text"].endswith("(nats)")
    assert "epoch 7" in figure["layout"]["title"]["text"]


def test_without_a_believable_mixture_there_is_no_threshold_and_the_words_say_so(numbers: Any) -> None:
    figure = as_dict(loss_figure(numbers._replace(chosen="none")))
    assert not figure["layout"].get("shapes")
    assert "neither mixture" in figure["layout"]["title"]["text"]


def test_a_density_that_runs_to_infinity_stays_in_the_frame() -> None:
    endless = fitted(stats.beta(0.2, 3), stats.norm(5, 1), 0.3, None)
    endless["components"][0][:2] = endless["sum"][:2] = [float("inf"), 1e300]
    numbers = loss_numbers(1, {"edges": [0, 5, 10], "counts": [90, 10]}, {"beta": endless, "chosen": "beta"})
    assert np.isfinite(numbers.mixtures[0].sum_X).all()
    assert numbers.top < 200
    heights = [max(trace["y"]) for trace in as_dict(loss_figure(numbers))["data"][1:]]
    assert max(heights) <= 20 * numbers.top


@pytest.mark.parametrize(("clean", "logarithmic"), [(700, False), (70_000, True)])
def test_the_axis_turns_logarithmic_when_the_noisy_samples_would_be_a_flat_line(
    clean: int, logarithmic: bool
) -> None:
    weight = 300 / (clean + 300)
    mixtures = {"beta": fitted(stats.norm(1, 0.3), stats.norm(5, 0.5), weight, 3.0), "chosen": "beta"}
    count_B, edge_B1 = np.histogram(
        np.concatenate([np.linspace(0.4, 1.6, clean), np.linspace(4, 6, 300)]), bins=50, range=(0, 10)
    )
    numbers = loss_numbers(1, {"edges": edge_B1.tolist(), "counts": count_B.tolist()}, mixtures)
    assert numbers.logarithmic is logarithmic
    axis = as_dict(loss_figure(numbers))["layout"]["yaxis"]
    assert ("log scale" in axis["title"]["text"]) == logarithmic
    top = 10 ** axis["range"][1] if logarithmic else axis["range"][1]
    assert top > count_B.max()


@pytest.mark.parametrize(("samples", "bins"), [(200, 25), (2000, 50), (100_000, 100)])
def test_few_samples_get_few_bins_and_none_is_lost(samples: int, bins: int) -> None:
    count_B, edge_B1 = np.histogram(np.random.default_rng(0).random(samples), bins=100, range=(0, 1))
    numbers = loss_numbers(1, {"edges": edge_B1.tolist(), "counts": count_B.tolist()}, {})
    assert len(numbers.count_B) == bins
    assert numbers.count_B.sum() == samples
    assert (numbers.edge_B1[0], numbers.edge_B1[-1]) == (0, 1)


def test_an_epoch_without_mixtures_still_shows_its_histogram() -> None:
    figure = as_dict(loss_figure(loss_numbers(1, {"edges": [0, 1, 2], "counts": [3, 4]}, {"chosen": "none"})))
    assert len(figure["data"]) == 1
    assert "7 samples" in figure["layout"]["title"]["text"]


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_changes_colours_and_nothing_sets_a_fixed_size(
    numbers: Any, theme: Any, palette: Any
) -> None:
    layout = as_dict(loss_figure(numbers, theme))["layout"]
    assert layout["template"]["layout"]["font"]["color"] == palette.text
    assert layout["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert "width" not in layout
    assert "height" not in layout


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_the_page_gets_unchecked_is_what_plotly_would_have_let_through(numbers: Any, theme: Any) -> None:
    document = loss_document(numbers, theme)
    assert json.loads(as_json(document)) == as_dict(loss_figure(numbers, theme))
