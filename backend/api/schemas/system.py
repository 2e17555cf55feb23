"""The installation as it travels over HTTP. No behaviour."""

from __future__ import annotations

from backend.api.schemas.base import Answer


class SystemAnswer(Answer):
    version: str
    workers: int
    device: str
    torch: str | None
    data_free_bytes: int | None
    limits: dict[str, float]
