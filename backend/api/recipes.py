"""The recipes a run may follow, what can be set in them, and about how long they take."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Query

from backend.api.context import In, Me
from backend.api.schemas.runs import RecipeAnswer, RecipeList, SettingInfo
from backend.audit.costs import run_seconds
from backend.audit.errors import BadInput
from backend.store import datasets
from worker.training.recipes import RECIPES, SETTABLE, Recipe, recipe

router = APIRouter(prefix="/api/recipes", tags=["runs"])

DESCRIPTIONS: Mapping[str, str] = {
    "epochs": "Passes over the dataset; the starts of phases below move with it.",
    "batch_size": "Images per step.",
    "fewest_steps": "An epoch has at least so many steps; small datasets get smaller batches.",
    "learning_rate": "Step size at its highest.",
    "momentum": "Share of the last step's direction that goes on into the next.",
    "nesterov": "Look ahead along the momentum.",
    "weight_decay": "Pull of the weights towards zero.",
    "schedule": "How the learning rate moves: in steps, or up and down once.",
    "milestones": "Epochs after which the learning rate falls (schedule steps).",
    "decay": "What the learning rate is divided by at a milestone.",
    "warmup_share": "Share of the training in which the rate climbs (schedule one-cycle).",
    "label_smoothing": "Probability taken from the given label and spread over all.",
    "network": "The paper's network, a narrower one made for short audits, or torchvision's for larger images.",
    "weights": "What torchvision's networks begin with: nothing, or weights pretrained on ImageNet (downloaded once).",
    "width": "Channels of the first stage (not torchvision's); the cost grows faster than the width.",
    "blocks": "Residual blocks in each of the four stages (the paper's network).",
    "networks": "Networks trained one after another in the given epochs; all of them judge the samples.",
    "image_size": "Side in pixels to which images are resized for training; 0 leaves them as stored.",
    "crop_share": "Border added before a random crop, as a share of the image's side.",
    "flip": "Random left-right flips: off, on, or only for images with colour.",
    "mixup": "Blend pairs of images: not, evenly, or led by the cleaner one.",
    "mixup_alpha": "How even the blends are; larger is more even.",
    "dynamic_mixup_start": "First epoch in which the cleaner image leads.",
    "bootstrap": "Let the network's guess stand in for suspect labels: not, a fixed share, or by posterior.",
    "guess": "The guess as a label, as probabilities, or going from these to that.",
    "static_weight": "Share of the guess with a fixed share.",
    "bootstrap_start": "First epoch in which the guess takes part.",
    "temperature_end": "How sharp the guess becomes at last (guess soft-to-hard).",
    "temperature_end_epoch": "Epoch in which it is sharpest (guess soft-to-hard).",
    "prior_weight": "Weight of the term against predicting one class for all.",
    "forward_correction": "Train through an estimated matrix of which classes are mistaken for which.",
    "correction_start": "First epoch trained through that matrix, if the classes can be told apart by then.",
    "mixture": "Which mixture on the losses gives the weights while training.",
    "normalisation": "How losses are brought to [0, 1] for the beta mixture.",
    "weights_from": "Losses behind the posteriors: tracked after each epoch, or anew for each batch.",
    "guess_from": "Guesses: of the same step, or tracked after each epoch, which is faster (hard guesses only).",
    "literal": "Compute as the paper's released code does: much slower, for comparison.",
    "weight_average": "Judge samples by weights averaged over about so many epochs; 0: by the weights as they are.",
    "judge_mirrored": "In the epochs that count, judge samples by their mirror images as well, where images are flipped.",
    "precision": "Number format; auto is bfloat16 where the hardware is made for it.",
    "compile": "Compile the network first; auto does on CUDA devices.",
    "record_steps": "On a CUDA device record whole steps, which are then started in one call each.",
    "ranking_skip": "Share of the first epochs that the ranking of samples leaves out.",
}
"""What each setting is, for a person who has to choose."""


@router.get("")
def list_recipes(
    context: In, caller: Me, dataset_id: Annotated[str | None, Query(max_length=32)] = None
) -> RecipeList:
    """All recipes, the recommended one first; with a dataset, about how long they take on it."""
    samples, pixels = 0, 0
    if dataset_id is not None:
        with context.database.transaction() as session:
            dataset = datasets.get(session, caller.id, dataset_id)
            samples = dataset.sample_count
            pixels = dataset.image_shape[0] * dataset.image_shape[1] if dataset.image_shape else 0
    return RecipeList(items=[_answer(each, samples, pixels) for each in RECIPES.values()])


def checked_recipe(name: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with these settings. Raises BadInput (INVALID) unless it exists and takes them."""
    try:
        return recipe(name, settings)
    except ValueError as error:
        known = next((key for key in settings if key in str(error)), None)
        raise BadInput(
            "INVALID",
            f"{error}.",
            item=f"settings.{known}" if known else "recipe" if name not in RECIPES else "settings",
        ) from error


def _answer(each: Recipe, samples: int, pixels: int) -> RecipeAnswer:
    hints = get_type_hints(Recipe)
    return RecipeAnswer(
        name=each.name,
        title=each.title,
        description=each.description,
        settings=[
            SettingInfo(
                name=field.name,
                type=_type(hints[field.name]),
                default=_default(getattr(each, field.name)),
                description=DESCRIPTIONS.get(field.name, ""),
            )
            for field in dataclasses.fields(Recipe)
            if field.name in SETTABLE
        ],
        estimate_seconds=run_seconds(each, samples, pixels),
    )


def _type(hint: Any) -> str:
    """`integer`, `number`, `boolean`, `integers`, or the words to choose from with | between."""
    if get_origin(hint) is tuple:
        return "integers"
    if choices := get_args(hint):
        return " | ".join(str(choice) for choice in choices)
    return {int: "integer", float: "number", bool: "boolean"}.get(hint, "text")


def _default(value: Any) -> Any:
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else value
