"""Looks at a delivery as they travel over HTTP. No behaviour."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from backend.api.schemas.base import Answer, ErrorAnswer, Progress
from backend.api.schemas.datasets import Delivery


class PreflightCreate(Delivery):
    append: bool = Field(False, description="it will be added to a dataset: one class is enough")


class ColumnsAnswer(Answer):
    """Columns by what they hold, and which others could hold it."""

    chosen: dict[str, str]
    candidates: dict[str, list[str]]


class Notice(Answer):
    code: str
    message: str


class UnreadableItem(Notice):
    item: str


class Readable(Answer):
    """Of the images that were tried, how many could not be read."""

    looked_at: int
    unreadable: int


class DuplicateExample(Answer):
    names: list[str]
    labels: list[str]
    splits: list[str | None]


class Duplicates(Answer):
    """Images whose bytes an earlier one has, among those `compared`; `complete` says whether these were all."""

    images: int
    across_splits: int
    different_labels: int
    compared: int
    complete: bool
    examples: list[DuplicateExample]


class PreflightReport(Answer):
    """What an import would give; `counts` holds the samples of each class by split ("" where there are none)."""

    recognised: str
    reason: str
    total: int
    ignored: int
    splits: dict[str, int]
    classes: list[str]
    counts: dict[str, dict[str, int]]
    columns: ColumnsAnswer | None
    annotators: list[str]
    readable: Readable
    unreadable: list[UnreadableItem]
    unreadable_count: int
    duplicates: Duplicates
    warnings: list[Notice]
    seconds: float = 0.0


class PreflightAnswer(Answer):
    id: str
    status: Literal["looking", "ready", "failed", "cancelled"]
    progress: Progress
    report: PreflightReport | None
    error: ErrorAnswer | None

    @field_validator("report", mode="before")
    @classmethod
    def _none_yet(cls, report: Any) -> Any:
        return report or None
