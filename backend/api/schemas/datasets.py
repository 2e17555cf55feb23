"""Datasets, deliveries and deletions as they travel over HTTP. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from backend.api.schemas.base import Answer, Body, ErrorAnswer, Progress
from backend.api.schemas.words import ColumnName, ColumnUse, DatasetStatus, ImportFormat, NoiseKind


class UploadAnswer(Answer):
    id: str
    filename: str
    size: int
    created_at: datetime


class Delivery(Body):
    """What somebody delivered: a finished upload, or a folder on the server; exactly one of the two."""

    upload_id: str | None = Field(None, max_length=64)
    server_folder: str | None = Field(None, max_length=4096)
    digest: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="of the upload's bytes as they were sent: SHA-256 over the SHA-256 of each piece of 16 MiB",
    )
    format: ImportFormat = "auto"
    columns: dict[ColumnUse, ColumnName] = Field(
        default_factory=dict, description="columns of a table by what they hold, where the guess was wrong"
    )


class DatasetCreate(Delivery):
    name: str | None = Field(None, min_length=1, max_length=200)
    split: Literal["train", "val", "test", "all"] = "train"
    limit: int | None = Field(None, ge=2)
    all_or_nothing: bool = False


class AppendCreate(DatasetCreate):
    """What is added to a dataset; the result is a new one, in which the old samples keep their indices."""

    duplicates: Literal["skip", "keep"] = Field(
        "skip", description="what becomes of images whose bytes the dataset holds already"
    )
    carry_decisions: bool = True


class ServerFolders(Answer):
    """Paths that could be meant; `opened` says whether this installation opened any folder."""

    opened: bool
    items: list[str]


class InjectCreate(Body):
    kind: NoiseKind = "symmetric"
    rate: float | None = Field(None, ge=0, le=1)
    matrix: list[list[float]] | None = Field(None, description="P(given | true), rows sum to 1")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    name: str | None = Field(None, min_length=1, max_length=200)


class DigitsCreate(Body):
    """The built-in handwritten digits with planted symmetric noise, for a first look."""

    noise_rate: float = Field(0.2, ge=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)


class DatasetAnswer(Answer):
    id: str
    name: str
    status: DatasetStatus
    parent_id: str | None
    source: dict[str, Any]
    classes: list[str]
    class_counts: list[int]
    sample_count: int
    image_shape: list[int]
    has_true_labels: bool
    report: dict[str, Any]
    progress: Progress
    error: ErrorAnswer | None
    decided: int = Field(0, description="samples with a standing decision; of one's own in a blind review")
    blind: bool = Field(False, description="reviewers do not see each other's decisions")
    created_at: datetime
    ready_at: datetime | None


class DatasetList(Answer):
    items: list[DatasetAnswer]


class DeletionAnswer(Answer):
    """What deleting frees, or has freed."""

    rows: int
    row_bytes: int
    artifact_bytes: int
    runs: int
    decisions: int = Field(description="deleted with the dataset; a run's decisions stay with its dataset")
    shared_with: int = Field(description="other datasets with the same images, which therefore stay")
