"""Self-tests: noise planted on a dataset, and how well a recipe then found it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from backend.api.context import Id, In, Me
from backend.api.recipes import checked_recipe
from backend.api.schemas.base import Answer, Body, ErrorAnswer, Progress
from backend.api.schemas.words import NoiseKind, Setting
from backend.audit.errors import BadInput, TooMany
from backend.audit.selftest import SelfTestNumbers, count_found, words
from backend.store import datasets, runs, selftests
from backend.store.selftests import SelfTest
from backend.store.tables import Dataset

router = APIRouter(prefix="/api/datasets/{dataset_id}/self-tests", tags=["self-tests"])


class SelfTestCreate(Body):
    """Class-conditional noise turns each class into its next."""

    kind: NoiseKind = "symmetric"
    rate: float = Field(0.1, gt=0, le=0.9, description="share of the labels touched")
    recipe: str = Field("fast", max_length=64)
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=64)
    seed: int = Field(0, ge=0, le=2**31 - 1, description="of the noise and of the run")


class SelfTestAnswer(Answer):
    """A self-test; its numbers are there once its run has succeeded."""

    dataset_id: str = Field(description="the derived dataset")
    run_id: str | None = Field(description="there as soon as that dataset is ready")
    kind: NoiseKind
    rate: float
    recipe: str
    seed: int
    status: Literal["importing", "queued", "running", "succeeded", "failed", "cancelled"]
    progress: Progress
    error: ErrorAnswer | None
    planted: int | None = Field(description="samples whose label was made wrong")
    found: int | None = Field(description="planted ones among the flagged")
    flagged: int | None
    precision: float | None
    recall: float | None
    auroc: float | None
    average_precision: float | None
    noise_rate: float | None
    created_at: datetime
    words: list[str] = Field(description="what it means for this data")


class SelfTestList(Answer):
    items: list[SelfTestAnswer]


@router.post("", status_code=201)
def create_self_test(dataset_id: Id, body: SelfTestCreate, context: In, caller: Me) -> SelfTestAnswer:
    """Derive a dataset with planted noise; a run on it follows by itself."""
    limit = context.settings.limits.queued_runs
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(parent)
        checked_recipe(body.recipe, body.settings)
        if len(parent.classes) < 2:
            raise BadInput("INVALID", "Noise needs two classes.", limit=2, found=len(parent.classes))
        if runs.queued(session, caller.id) + selftests.preparing(session, caller.id) >= limit:
            raise TooMany(
                "QUEUE_FULL",
                f"{limit} of your runs are waiting already.",
                hint="Stop one, or wait until one has begun.",
                limit=limit,
            )
        dataset = selftests.create(session, caller.id, parent, **body.model_dump())
        return _answer(SelfTest(dataset, None), parent)


@router.get("")
def list_self_tests(dataset_id: Id, context: In, caller: Me) -> SelfTestList:
    """The dataset's self-tests, newest first."""
    with context.database.transaction() as session:
        parent = datasets.get(session, caller.id, dataset_id)
        found = selftests.list_for(session, caller.id, dataset_id)
        return SelfTestList(items=[_answer(each, parent) for each in found])


def _answer(each: SelfTest, parent: Dataset) -> SelfTestAnswer:
    dataset, run = each
    source = dataset.source
    numbers = _numbers(each, truth_known=parent.has_true_labels)
    at = run or dataset
    metrics = (run.outcome.get("metrics") if run else None) or {}
    return SelfTestAnswer(
        dataset_id=dataset.id,
        run_id=run.id if run else None,
        kind=source["noise"],
        rate=source["rate"],
        recipe=source[selftests.KEY]["recipe"],
        seed=source["seed"],
        status=at.status,
        progress=Progress.model_validate(at.progress),
        error=ErrorAnswer.model_validate(at.error) if at.error else None,
        planted=_planted(dataset),
        found=numbers.found if numbers else None,
        flagged=numbers.flagged if numbers else None,
        precision=numbers.precision if numbers else None,
        recall=numbers.recall if numbers else None,
        auroc=metrics.get("auroc"),
        average_precision=metrics.get("average_precision"),
        noise_rate=numbers.noise_rate if numbers else None,
        created_at=dataset.created_at,
        words=words(numbers) if numbers else [],
    )


def _numbers(each: SelfTest, *, truth_known: bool) -> SelfTestNumbers | None:
    """The numbers of a self-test whose run has succeeded."""
    dataset, run = each
    planted = _planted(dataset)
    if run is None or run.status != "succeeded" or planted is None:
        return None
    outcome, metrics = run.outcome, run.outcome.get("metrics") or {}
    return SelfTestNumbers(
        kind=dataset.source["noise"],
        samples=dataset.sample_count,
        planted=planted,
        flagged=int(outcome["flagged"]),
        found=count_found(int(outcome["flagged"]), metrics.get("precision")),
        auroc=metrics.get("auroc"),
        noise_rate=outcome.get("noise_rate"),
        truth_known=truth_known,
    )


def _planted(dataset: Dataset) -> int | None:
    """How many labels of a ready self-test dataset were made wrong."""
    share = dataset.report.get("planted", {}).get("share_wrong")
    return None if share is None else round(share * dataset.sample_count)
