"""Figures and files to take away as they travel over HTTP. No behaviour."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.api.schemas.base import Answer
from backend.api.schemas.decisions import ReviewCounts
from backend.api.schemas.words import Unreviewed


class FigureAnswer(Answer):
    """A plotly figure, ready for `Plotly.react(element, data, layout)`."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class ExportChoice(Answer):
    """A form in which the cleaned dataset can leave with its images."""

    format: str
    title: str
    says: str
    images: str = Field(description="what the images in it are")
    refusal: str | None = Field(description="why this dataset cannot leave in this form")
    as_delivered: bool = Field(description="the dataset came in this form, or this stands in for it")


class ExportList(Answer):
    """What can be taken away; `formats` by export, the first is the default."""

    formats: dict[str, list[str]]
    forms: list[ExportChoice]
    images: int = Field(description="images that an export with this policy holds")
    image_bytes: int
    came_as: str = Field(description="the format that the import recognised")


class LabelChange(Answer):
    index: int
    name: str
    given_label: int
    cleaned_label: int | None
    because: str


class ExportPreview(Answer):
    """What an export with this policy would hold."""

    unreviewed: Unreviewed
    samples: int
    flagged: int
    decided: dict[str, int]
    flagged_unreviewed: int
    relabelled: int
    removed: int
    unchanged: int
    changes: list[LabelChange]
    changes_total: int
    review: ReviewCounts | None = Field(
        description="of a blind review; `once` and `disagree` wait, and count as not reviewed"
    )
