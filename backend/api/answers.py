"""Rows of the store → what travels over HTTP. No queries, no rules."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from backend.api.schemas.accounts import AccountAnswer, TokenAnswer
from backend.api.schemas.base import ErrorAnswer, Progress
from backend.api.schemas.datasets import DatasetAnswer
from backend.api.schemas.runs import EpochAnswer, RunAnswer, Trust
from backend.store.tables import ApiToken, Dataset, Epoch, Run


def account_answer(account: Any) -> AccountAnswer:
    """An account, or the caller."""
    return AccountAnswer(id=account.id, name=account.name, role=account.role)


def token_answer(row: ApiToken, token: str | None = None) -> TokenAnswer:
    """A token's row; the token itself only in the answer that creates it."""
    return TokenAnswer.model_validate(row).model_copy(update={"token": token})


def dataset_answer(row: Dataset, decided: int = 0) -> DatasetAnswer:
    """A dataset with the number of its samples that have a standing decision."""
    source = dict(row.source)
    if "path" in source:
        # A path of this machine is nobody's business beyond its last word.
        source["path"] = PurePath(str(source["path"])).name
    return DatasetAnswer(
        id=row.id,
        name=row.name,
        status=row.status,
        parent_id=row.parent_id,
        source=source,
        classes=row.classes,
        class_counts=row.class_counts,
        sample_count=row.sample_count,
        image_shape=row.image_shape,
        has_true_labels=row.has_true_labels,
        report=row.report,
        progress=Progress.model_validate(row.progress),
        error=ErrorAnswer.model_validate(row.error) if row.error else None,
        decided=decided,
        blind=row.blind_since is not None,
        created_at=row.created_at,
        ready_at=row.ready_at,
    )


def run_answer(row: Run, dataset_name: str, now: datetime) -> RunAnswer:
    """A run; what its outcome does not (yet) know stays empty."""
    outcome = row.outcome
    return RunAnswer(
        id=row.id,
        dataset_id=row.dataset_id,
        dataset_name=dataset_name,
        recipe=row.recipe,
        settings={key: value for key, value in row.config.items() if key != "upload_id"},
        seed=row.seed,
        status=row.status,
        progress=Progress.model_validate(row.progress),
        error=ErrorAnswer.model_validate(row.error) if row.error else None,
        seconds=((row.finished_at or now) - row.started_at).total_seconds() if row.started_at else None,
        samples=outcome.get("samples"),
        flagged=outcome.get("flagged"),
        threshold=outcome.get("threshold"),
        noise_rate=outcome.get("noise_rate"),
        noise_rate_interval=outcome.get("noise_rate_interval"),
        mixture=outcome.get("model"),
        trust=outcome.get("trust"),
        metrics=outcome.get("metrics"),
        notes=outcome.get("notes") or [],
        map_from=outcome.get("map_from"),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def epoch_answer(row: Epoch) -> EpochAnswer:
    """One tracked epoch."""
    return EpochAnswer(
        epoch=row.epoch,
        metrics=row.metrics,
        histogram=row.histogram,
        mixtures=row.mixtures,
        trust=Trust.model_validate(row.trust),
    )
