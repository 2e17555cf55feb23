"""What travels over HTTP: every request and answer as a pydantic model. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.audit.rights import AccountRole, Scope

DatasetStatus = Literal["importing", "ready", "failed", "cancelled"]
RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Verdict = Literal["keep", "relabel", "remove", "unsure", "cleared"]
Unreviewed = Literal["keep", "accept", "remove"]
NoiseKind = Literal["symmetric", "symmetric-exclusive", "class-conditional", "instance"]
ExportFormat = Literal[
    "csv",
    "json",
    "jsonl",
    "parquet",
    "as-delivered",
    "class-folder",
    "manifest",
    "webdataset",
    "coco",
    "cifar-binary",
    "zip",
    "safetensors",
    "html",
]
ImportFormat = Literal[
    "auto", "class-folder", "manifest", "parquet", "webdataset", "cifar", "idx", "arrays", "coco"
]
ColumnUse = Literal["image", "label", "true_label", "split", "annotators"]
ColumnName = Annotated[str, Field(max_length=4096)]
Setting = str | int | float | bool


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


# --- sign-in -------------------------------------------------------------------------------------


class SignIn(Body):
    """Either the one-time code from the printed address, or a name and password."""

    code: str | None = Field(None, max_length=128)
    name: str | None = Field(None, max_length=128)
    password: str | None = Field(None, max_length=1024)


class AccountAnswer(Answer):
    id: str
    name: str
    role: AccountRole


class TokenCreate(Body):
    name: str = Field(min_length=1, max_length=128)
    days: int | None = Field(None, ge=1, le=3650, description="expires after; empty: never")
    scope: Scope = "full"


class TokenAnswer(Answer):
    id: str
    name: str
    scope: Scope
    created_at: datetime
    seen_at: datetime | None = Field(description="last used, to within minutes")
    expires_at: datetime | None
    token: str | None = Field(None, description="shown once, in the answer that creates it")


# --- datasets ------------------------------------------------------------------------------------


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


class PreflightCreate(Delivery):
    append: bool = Field(False, description="it will be added to a dataset: one class is enough")


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


# --- recipes and runs ----------------------------------------------------------------------------


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


# --- samples and decisions -----------------------------------------------------------------------


class DecisionAnswer(Answer):
    verdict: Verdict
    label: int | None
    account: str
    decided_at: datetime
    carried_from: str | None = Field(
        None, description="the dataset in which it was made, where that is another one"
    )


class SampleAnswer(Answer):
    """One row of the gallery; labels are class indices, the names are the dataset's."""

    index: int
    name: str
    given_label: int
    suggested_label: int
    noise_posterior: float
    label_quality: float
    loss: float
    margin: float
    flagged: bool
    x: float
    y: float
    width: int = Field(description="of the original, pixels")
    height: int
    agreement: int | None = Field(
        None, description="how many of the run's scores put it among as many suspects as were flagged"
    )
    true_label: int | None = None
    split: str | None = None
    decision: DecisionAnswer | None = None


class SamplePage(Answer):
    """`total` counts all that match the filter; `next` continues after the last item."""

    items: list[SampleAnswer]
    total: int
    next: str | None


class Likely(Answer):
    label: int
    probability: float


class Neighbour(Answer):
    index: int
    given_label: int
    distance: float


class Annotation(Answer):
    annotator: str
    label: int


class SampleAnnotations(Answer):
    """What several annotators say of one sample."""

    labels: list[Annotation]
    majority: int
    agreement: float = Field(description="share of the annotators whose label is the majority's")
    consensus: int = Field(description="the label that they give together, each weighed by his reliability")
    consensus_probability: float


class SampleDetail(SampleAnswer):
    loss_by_epoch: list[float]
    margin_by_epoch: list[float]
    prediction_by_epoch: list[int]
    likely: list[Likely]
    neighbours: list[Neighbour]
    why: list[str]
    annotations: SampleAnnotations | None = None
    history: list[DecisionAnswer]


class DecisionItem(Body):
    index: int = Field(ge=0)
    verdict: Verdict
    label: int | None = Field(None, ge=0)


class DecisionsCreate(Body):
    """Sending the same `idempotency_key` again changes nothing and answers the same."""

    items: list[DecisionItem] = Field(min_length=1, max_length=10_000)
    run_id: str | None = Field(None, max_length=32)
    idempotency_key: str = Field(min_length=8, max_length=64)


class DecisionsAnswer(Answer):
    recorded: int
    counts: dict[str, int] = Field(description="standing decisions of the dataset by verdict")


class StandingDecision(DecisionAnswer):
    index: int


class StandingDecisions(Answer):
    items: list[StandingDecision]


class DecisionCounts(Answer):
    counts: dict[str, int] = Field(description="standing decisions of the dataset by verdict")


# --- figures, exports and the installation -----------------------------------------------------------------


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


class ReviewCounts(Answer):
    """Samples of a double review by what its reviewers' answers come to."""

    once: int = Field(description="decided by one reviewer: a second is waited for")
    agreed: int = Field(description="two or more said the same, and nobody another thing")
    disagree: int = Field(description="they did not, and nobody has adjudicated")
    adjudicated: int


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


class SystemAnswer(Answer):
    version: str
    workers: int
    device: str
    torch: str | None
    data_free_bytes: int | None
    limits: dict[str, float]
