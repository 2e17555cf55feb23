"""Recipes, runs and their epochs as they travel over HTTP. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from backend.api.schemas.base import Answer, Body, ErrorAnswer, Progress
from backend.api.schemas.words import RunStatus, Setting


class SettingInfo(Answer):
    name: str
    type: str
    default: Setting | None
    description: str


class RecipeAnswer(Answer):
    name: str
    title: str
    description: str
    settings: list[SettingInfo]
    estimate_seconds: float | None = Field(None, description="on this dataset and the slowest known device")


class RecipeList(Answer):
    items: list[RecipeAnswer]


class RunCreate(Body):
    recipe: str = Field("fast", max_length=64)
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=64)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    embedding_upload_id: str | None = Field(
        None,
        max_length=64,
        description="a finished upload with a vector for each sample, on which a head is trained instead of on images",
    )


class RunEstimate(Answer):
    """What is not known before the dataset is ready is empty."""

    seconds: float | None = Field(None, description="on two CPU cores, the slowest known device")
    disk_bytes: int | None = Field(None, description="at its fullest, while the run works")
    free_bytes: int | None = Field(None, description="where artifacts are kept; empty for a bucket")


class Trust(Answer):
    verdict: str = ""
    reasons: list[str] = Field(default_factory=list)


class DetectionMetrics(Answer):
    """Against the true labels of a dataset whose noise was planted."""

    auroc: float | None
    average_precision: float | None
    f1: float | None
    precision: float | None
    recall: float | None


class RunAnswer(Answer):
    id: str
    dataset_id: str
    dataset_name: str
    recipe: str
    settings: dict[str, Any]
    seed: int
    status: RunStatus
    progress: Progress
    error: ErrorAnswer | None
    seconds: float | None = Field(None, description="from start to finish, or to now while it runs")
    samples: int | None = None
    flagged: int | None = None
    threshold: float | None = None
    noise_rate: float | None = None
    noise_rate_interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    mixture: str | None = Field(None, description="beta, gaussian or none")
    trust: Trust | None = None
    metrics: DetectionMetrics | None = None
    notes: list[str] = Field(
        default_factory=list, description="what was not done as asked, or taken for granted"
    )
    map_from: str | None = Field(None, description="in words, whose features the map shows")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunList(Answer):
    items: list[RunAnswer]


class EpochAnswer(Answer):
    """One tracked epoch; `histogram` and `mixtures` are on the loss scale (nats)."""

    epoch: int
    metrics: dict[str, Any]
    histogram: dict[str, Any]
    mixtures: dict[str, Any]
    trust: Trust


class EpochList(Answer):
    items: list[EpochAnswer]
