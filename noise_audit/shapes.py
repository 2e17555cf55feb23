"""What the server answers, as types: plain dictionaries at run time. The same keys as in its OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Verdict = Literal["keep", "relabel", "remove", "unsure", "cleared"]
Unreviewed = Literal["keep", "accept", "remove"]
"""What happens to flagged samples that nobody reviewed."""
Export = Literal["cleaned-labels", "samples", "scores", "dataset", "embedding", "model", "report"]
FigureName = Literal["loss", "curves", "posterior", "classes", "matrix", "map"]


class Error(TypedDict):
    """Why something did not work, and what to do."""

    code: str
    message: str
    hint: str
    item: str | None
    limit: float | str | None
    found: float | str | None
    request_id: str | None


class LogLine(TypedDict):
    """A line of a job's log; `at` in ISO 8601."""

    at: str
    text: str


class Progress(TypedDict):
    """Where a job is; `fraction` in [0, 1] over all of it. `log` holds its last lines, and none in lists."""

    stage: str
    fraction: float
    done: int | None
    total: int | None
    epoch: int | None
    epochs: int | None
    seconds_left: float | None
    images_per_second: float | None
    device: str | None
    message: str
    log: list[LogLine]


class Dataset(TypedDict):
    """A dataset; `classes` in the order of the class indices, `blind` where reviewers do not see each other's decisions."""

    id: str
    name: str
    status: Literal["importing", "ready", "failed", "cancelled"]
    parent_id: str | None
    source: dict[str, Any]
    classes: list[str]
    class_counts: list[int]
    sample_count: int
    image_shape: list[int]
    has_true_labels: bool
    report: dict[str, Any]
    progress: Progress
    error: Error | None
    decided: int
    blind: bool
    created_at: str
    ready_at: str | None


class Trust(TypedDict):
    """How far a run's noise posteriors can be believed, in words."""

    verdict: str
    reasons: list[str]


class Metrics(TypedDict):
    """Against true labels, where they are known."""

    auroc: float | None
    average_precision: float | None
    f1: float | None
    precision: float | None
    recall: float | None


class Run(TypedDict):
    """A run; what it found is None until it has succeeded."""

    id: str
    dataset_id: str
    dataset_name: str
    recipe: str
    settings: dict[str, Any]
    seed: int
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: Progress
    error: Error | None
    seconds: float | None
    samples: int | None
    flagged: int | None
    threshold: float | None
    noise_rate: float | None
    noise_rate_interval: list[float] | None
    mixture: str | None
    trust: Trust | None
    metrics: Metrics | None
    notes: list[str]
    map_from: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class Decision(TypedDict, total=False):
    """A verdict on a sample. To write one, `index` and `verdict` are enough; `label` (class name or index) goes with
    relabel alone. Read back, it has its reviewer and time too, `carried_from` is
    the dataset in which it was made if not here, and `label` is the class index."""

    index: int
    verdict: Verdict
    label: str | int | None
    account: str
    decided_at: str
    carried_from: str | None


class Recorded(TypedDict):
    """How many decisions were recorded, and how many samples now stand at each verdict."""

    recorded: int
    counts: dict[str, int]
