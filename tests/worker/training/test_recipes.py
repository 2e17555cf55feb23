"""Recipes are data: every number settable, every wrong one named."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from worker.training.recipes import RECIPES, SETTABLE, recipe

ALL = (
    "ce",
    "st-s",
    "st-h",
    "dy-s",
    "dy-h",
    "m",
    "m-dyr-s",
    "m-dyr-h",
    "md-dyr-h",
    "md-dyr-sh",
    "forward",
    "fast",
)


def test_every_named_system_is_there_and_fast_is_the_default() -> None:
    assert set(RECIPES) == set(ALL)
    assert next(iter(RECIPES)) == "fast"
    for name, each in RECIPES.items():
        assert each.name == name
        assert each.title
        assert each.description.endswith(".")
        json.dumps(each.as_dict(), allow_nan=False)


def test_the_papers_settings_are_the_default_of_its_method() -> None:
    paper = recipe("m-dyr-h")
    assert (paper.epochs, paper.batch_size, paper.learning_rate) == (300, 128, 0.1)
    assert (paper.momentum, paper.nesterov, paper.weight_decay) == (0.9, False, 1e-4)
    assert (paper.milestones, paper.bootstrap_start, paper.mixup_alpha) == ((100, 250), 106, 32.0)
    assert (paper.width, paper.blocks, paper.prior_weight) == (64, 2, 1.0)


def test_settings_may_be_text() -> None:
    made = recipe(
        "ce",
        {"epochs": "30", "learning_rate": "0.05", "nesterov": "true", "milestones": "3, 7", "flip": "off"},
    )
    assert (made.epochs, made.learning_rate, made.nesterov, made.milestones, made.flip) == (
        30,
        0.05,
        True,
        (3, 7),
        "off",
    )


def test_milestones_and_starts_move_with_the_epochs() -> None:
    short = recipe("md-dyr-sh", {"epochs": 30})
    assert short.milestones == (10, 25)
    assert (short.dynamic_mixup_start, short.bootstrap_start, short.temperature_end_epoch) == (11, 11, 20)
    assert recipe("md-dyr-sh", {"epochs": 30, "bootstrap_start": 14}).bootstrap_start == 14
    assert recipe("m-dyr-h", {"epochs": 1}).milestones == (1,)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"epoch": 3}, r"unknown setting 'epoch'; did you mean epochs\? settings are epochs, batch_size"),
        ({"name": "x"}, "unknown setting 'name'"),
        ({"epochs": 0}, "epochs must lie between 1 and 10000, found 0"),
        ({"epochs": "ten"}, "epochs must be a whole number, found 'ten'"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"learning_rate": "nan"}, "learning_rate must be a number"),
        ({"learning_rate": "1e9"}, "learning_rate must lie between"),
        ({"width": True}, "width must be a whole number"),
        ({"nesterov": "perhaps"}, "nesterov must be true or false"),
        ({"milestones": "7,3"}, "milestones must rise"),
        ({"milestones": "a"}, "milestones must be whole numbers separated by commas"),
        ({"flip": "maybe"}, "flip must be one of"),
        ({"flip": 3}, "flip must be a word"),
        ({"momentum": 1.0}, "momentum must lie between"),
        ({"width": None}, "width must be a whole number"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(overrides: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        recipe("fast", overrides)


def test_an_unknown_recipe_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no recipe is named 'best'; there are fast, ce"):
        recipe("best")


def test_every_settable_field_takes_its_own_value_as_text() -> None:
    for name in ALL:
        for key in SETTABLE:
            value = getattr(RECIPES[name], key)
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            assert getattr(recipe(name, {key: text}), key) == value


def test_reading_the_recipes_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, worker.training.recipes; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
