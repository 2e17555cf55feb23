"""What every shape of the HTTP interface is built on: bodies, answers, errors and progress. No behaviour."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A request body: a misspelt key is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer; built from rows or dictionaries."""

    model_config = ConfigDict(from_attributes=True)


class ErrorAnswer(Answer):
    """The body of every 4xx and 5xx."""

    code: str
    message: str
    hint: str = ""
    item: str | None = None
    limit: float | str | None = None
    found: float | str | None = None
    request_id: str | None = None


class LogLine(Answer):
    at: datetime
    text: str


class Progress(Answer):
    """Where a job is. `fraction` in [0, 1] over the whole job; seconds are wall-clock."""

    stage: str = ""
    fraction: float = 0.0
    done: int | None = None
    total: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    seconds_left: float | None = None
    images_per_second: float | None = None
    device: str | None = None
    message: str = ""
    log: list[LogLine] = Field(default_factory=list, description="the job's last lines; empty in lists")
