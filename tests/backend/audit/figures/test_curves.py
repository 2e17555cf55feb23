"""The training curves."""

from typing import Any

import numpy as np

from backend.audit.figures.curves import curve_numbers, curves_figure
from backend.audit.figures.theme import as_dict

EPOCHS: list[tuple[int, dict[str, Any]]] = [
    (2, {"train_loss": 1.0, "train_accuracy": 0.5, "noise_rate": 0.4, "validation_accuracy": None}),
    (1, {"train_loss": 2.0, "train_accuracy": 0.25, "metrics": None}),
]


def test_epochs_come_out_in_order_and_what_is_unknown_is_nan() -> None:
    numbers = curve_numbers(EPOCHS)
    assert numbers.epoch_E.tolist() == [1, 2]
    assert numbers.train_loss_E.tolist() == [2.0, 1.0]
    assert np.isnan(numbers.noise_rate_E).tolist() == [True, False]
    assert np.isnan(numbers.validation_accuracy_E).all()


def test_scores_against_true_labels_are_found_in_their_group() -> None:
    numbers = curve_numbers(
        [(1, {"metrics": {"auroc": 0.75}}), (2, {"auroc": 0.875}), (3, {"metrics": None})]
    )
    assert numbers.auroc_E[:2].tolist() == [0.75, 0.875]
    assert np.isnan(numbers.auroc_E[2])


def test_lines_nobody_knows_are_left_out_and_gaps_stay_gaps() -> None:
    figure = as_dict(curves_figure(curve_numbers(EPOCHS)))
    lines = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert lines == {
        "training loss": [2.0, 1.0],
        "agreement with given labels": [0.25, 0.5],
        "noise rate": [None, 0.4],
    }


def test_before_the_first_epoch_there_is_an_empty_figure_with_its_axes() -> None:
    figure = as_dict(curves_figure(curve_numbers([]), "dark"))
    assert figure["data"] == []
    assert "no epoch yet" in figure["layout"]["title"]["text"]
