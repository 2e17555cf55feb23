"""Every table, once: what is kept, in which column, under which constraint. No queries.

`sample` and `result` are partitioned by list: a dataset's or a run's rows live in a partition of
their own, filled by binary COPY and dropped whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from backend.audit.rights import ACCOUNT_ROLES, DATASET_ROLES, SCOPES, AccountRole, DatasetRole, Scope

DATASET_STATUSES = ("importing", "ready", "failed", "cancelled")
PREFLIGHT_STATUSES = ("looking", "ready", "failed", "cancelled")
RUN_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
VERDICTS = ("keep", "relabel", "remove", "unsure", "cleared")


class Base(DeclarativeBase):
    """Declarative base; JSON columns are JSONB, times are aware UTC."""

    type_annotation_map = {
        dict[str, Any]: JSONB,
        list[str]: JSONB,
        list[int]: JSONB,
        datetime: DateTime(timezone=True),
    }


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Account(Base):
    """Somebody who can sign in."""

    __tablename__ = "account"
    __table_args__ = (_one_of("role", ACCOUNT_ROLES),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    role: Mapped[AccountRole] = mapped_column(String(16), default="viewer")
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]
    """From then on no way in works; what the account did stays."""


class LoginCode(Base):
    """A one-time code printed with the address; spent by the sign-in that uses it."""

    __tablename__ = "login_code"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class Session(Base):
    """A browser's sign-in; the cookie holds the token, the table its SHA-256."""

    __tablename__ = "session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(
        String(32),
        unique=True,
        server_default=text("replace((gen_random_uuid())::text, '-'::text, ''::text)"),
    )
    """What it is called by; says nothing of the token."""
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    browser: Mapped[str] = mapped_column(String(200), server_default="")
    """As it named itself at the sign-in."""
    by_code: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """To within a few minutes."""
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A script's sign-in, sent as `Authorization: Bearer`."""

    __tablename__ = "api_token"
    __table_args__ = (_one_of("scope", SCOPES),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    scope: Mapped[Scope] = mapped_column(String(8), server_default="full")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime | None]
    """When it was last used, to within a few minutes."""
    expires_at: Mapped[datetime | None]


class Membership(Base):
    """Who besides the owner may work on a dataset."""

    __tablename__ = "membership"
    __table_args__ = (_one_of("role", DATASET_ROLES), Index("membership_by_account", "account_id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[DatasetRole] = mapped_column(String(16))


class Upload(Base):
    """A finished upload: bytes in the artifact store, waiting to become a dataset."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    filename: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 over the SHA-256 of each piece of 16 MiB."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Preflight(Base):
    """A look at an upload or a folder before it becomes a dataset: what was recognised, and what it would give."""

    __tablename__ = "preflight"
    __table_args__ = (_one_of("status", PREFLIGHT_STATUSES),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    source: Mapped[dict[str, Any]]
    """As a dataset's: {kind: upload|folder, ...}."""
    status: Mapped[str] = mapped_column(String(16), default="looking")
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]
    claim_id: Mapped[str | None] = mapped_column(String(64))
    starts: Mapped[int] = mapped_column(SmallInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Dataset(Base):
    """Images with given labels. A derived dataset (`parent_id`) shares its parent's images (`content_id`), unless it has more."""

    __tablename__ = "dataset"
    __table_args__ = (
        _one_of("status", DATASET_STATUSES),
        Index("dataset_by_owner", "owner_id", "created_at"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    owner_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    status: Mapped[str] = mapped_column(String(16), default="importing")
    content_id: Mapped[str] = mapped_column(String(32))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id"))
    source: Mapped[dict[str, Any]]
    """What it is made of: {kind: upload|folder|builtin|injection|labels|append, ...}."""
    classes: Mapped[list[str]] = mapped_column(default=list)
    class_counts: Mapped[list[int]] = mapped_column(default=list)
    sample_count: Mapped[int] = mapped_column(Integer, default=0)
    image_shape: Mapped[list[int]] = mapped_column(default=list)
    """(height, width, channels) of the training pixels."""
    has_true_labels: Mapped[bool] = mapped_column(Boolean, default=False)
    blind_since: Mapped[datetime | None]
    """From then on reviewers do not see each other's decisions; NULL: they do."""
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]
    claim_id: Mapped[str | None] = mapped_column(String(64))
    starts: Mapped[int] = mapped_column(SmallInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]


class Sample(Base):
    """One image's fixed row: `sample_index` is 0…N−1 for ever; the given label is never changed."""

    __tablename__ = "sample"
    __table_args__ = {"postgresql_partition_by": "LIST (dataset_id)"}
    dataset_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sample_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    given_label: Mapped[int] = mapped_column(Integer)
    true_label: Mapped[int | None] = mapped_column(Integer)
    content_hash: Mapped[str] = mapped_column(String(64))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    split: Mapped[str | None] = mapped_column(String(16))
    """train, val, test or other, as it was delivered; NULL where there are no splits."""


class Run(Base):
    """One execution of a recipe on a dataset."""

    __tablename__ = "run"
    __table_args__ = (_one_of("status", RUN_STATUSES), Index("run_by_dataset", "dataset_id", "created_at"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    recipe: Mapped[str] = mapped_column(String(64))
    config: Mapped[dict[str, Any]]
    """Only what the user set; the recipe's defaults are the recipe's."""
    seed: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16), default="queued")
    claim_id: Mapped[str | None] = mapped_column(String(64))
    starts: Mapped[int] = mapped_column(SmallInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{stage, epoch, epochs, fraction [0, 1], seconds_left, images_per_second, device, message}."""
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{samples, flagged, threshold, noise_rate, noise_rate_interval, model, trust, metrics?, first_epochs?, versions}."""
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Epoch(Base):
    """What one tracked epoch said: metrics, the histogram of all losses, both mixtures, the trust verdict."""

    __tablename__ = "epoch"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(Integer, primary_key=True)
    metrics: Mapped[dict[str, Any]]
    histogram: Mapped[dict[str, Any]]
    mixtures: Mapped[dict[str, Any]]
    trust: Mapped[dict[str, Any]]


class Result(Base):
    """What a run says of one sample. Never updated; a partition is attached whole when the run is published."""

    __tablename__ = "result"
    __table_args__ = (
        Index("result_by_posterior", "run_id", "noise_posterior", "sample_index"),
        {"postgresql_partition_by": "LIST (run_id)"},
    )
    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sample_index: Mapped[int] = mapped_column(Integer, primary_key=True)
    noise_posterior: Mapped[float] = mapped_column(Double)
    flagged: Mapped[bool] = mapped_column(Boolean)
    suggested_label: Mapped[int] = mapped_column(Integer)
    loss: Mapped[float] = mapped_column(REAL)
    """Cross-entropy to the given label after the last epoch, nats."""
    margin: Mapped[float] = mapped_column(REAL)
    """Given logit minus the best other, mean over the tracked epochs."""
    label_quality: Mapped[float] = mapped_column(REAL)
    """Probability of the given label after the last epoch, [0, 1]; low is suspect."""
    x: Mapped[float] = mapped_column(REAL)
    y: Mapped[float] = mapped_column(REAL)
    agreement: Mapped[int | None] = mapped_column(SmallInteger)
    """How many of the run's scores put it among as many suspects as were flagged; NULL: the run is older than this."""


class Decision(Base):
    """A person's verdict on a sample; append-only, the newest row of a sample counts (`cleared` takes back)."""

    __tablename__ = "decision"
    __table_args__ = (
        _one_of("verdict", VERDICTS),
        CheckConstraint("(verdict = 'relabel') = (label IS NOT NULL)", name="label_goes_with_relabel"),
        Index("decision_newest", "dataset_id", "sample_index", "id"),
        Index("decision_once", "dataset_id", "idempotency_key", "sample_index", unique=True),
        Index("decision_in_turn", "dataset_id", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    sample_index: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(16))
    label: Mapped[int | None] = mapped_column(Integer)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id"))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())
    adjudicates: Mapped[bool] = mapped_column(Boolean, server_default="false")
    """It settles a blind review; it is no reviewer's own."""
    carried_from: Mapped[str | None] = mapped_column(String(32))
    """The dataset in which it was made, where that is another one; it may be gone by now."""


class Worker(Base):
    """What a worker says of itself, every half minute; kept for a week after its last word."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The job queue's name for it."""
    host: Mapped[str] = mapped_column(String(255))
    device: Mapped[str] = mapped_column(String(200))
    cores: Mapped[int] = mapped_column(Integer)
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Of the machine, or of the container."""
    memory_free_bytes: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Activity(Base):
    """Who did what; a trigger of the database refuses to change or remove a row."""

    __tablename__ = "activity"
    __table_args__ = (Index("activity_by_subject", "subject", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    account_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    happened_at: Mapped[datetime] = mapped_column(server_default=func.now())
