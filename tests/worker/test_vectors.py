"""A head on vectors: what passes through a training as bytes is as good as the vectors themselves."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from worker.training.recipes import RECIPES, recipe
from worker.vectors import as_pixels, built_head, settings_of


def test_bytes_tell_as_much_as_the_vectors() -> None:
    digits = load_digits()
    rotation_FF = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 64)))[0]
    vector_NF = (digits.data @ rotation_FF * np.logspace(-3, 3, 64)).astype(np.float32)
    byte_NF = as_pixels(vector_NF)[:, 0, 0].astype(np.float64)
    unit_NF = (vector_NF - vector_NF.mean(axis=0)) / vector_NF.std(axis=0)
    of_bytes, of_vectors = (
        cross_val_score(LogisticRegression(max_iter=300), each, digits.target, cv=3).mean()
        for each in (byte_NF / 32, unit_NF)
    )
    assert abs(of_bytes - of_vectors) < 0.005


def test_features_that_never_change_become_the_middle() -> None:
    pixel_NHWC = as_pixels(np.array([[1.0, 5.0], [1.0, 6.0]], np.float32))
    assert pixel_NHWC.shape == (2, 1, 1, 2)
    assert pixel_NHWC[..., 0].tolist() == [[[128]], [[128]]]
    assert pixel_NHWC[0, 0, 0, 1] < 127 < pixel_NHWC[1, 0, 0, 1]


def test_the_head_is_the_seeds_and_gives_logits_of_its_features() -> None:
    one, other = (built_head(recipe("fast"), 5, 7, torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    one.eval()
    image_BCHW = torch.rand((4, 7, 1, 1), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(one.head(one.features(image_BCHW)), one(image_BCHW))


def test_every_recipe_takes_the_settings_of_vectors() -> None:
    for name in RECIPES:
        chosen = recipe(name, settings_of({"epochs": 3, "flip": "on"}))
        assert (chosen.epochs, chosen.flip, chosen.crop_share) == (3, "off", 0.0)
