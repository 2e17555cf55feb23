"""A database as an earlier revision left it: one row or more in every table that it had, in the columns that it had.

The tables are read from the database itself, so a revision that is added later needs words here only for a column that may
not be empty.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, text
from sqlalchemy.orm import Session

DATASET, DERIVED, RUN = "d" * 32, "e" * 32, "a" * 32
ANN, BEN = "1" * 32, "2" * 32
TOKEN = "the-token-of-a-script"
SAMPLES, EPOCHS = 12, 2
THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOT_OURS = ("chancy_", "alembic_")

Rows = dict[str, list[dict[str, Any]]]

_HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
_JOB = {
    "status": "ready",
    "report": {},
    "progress": {},
    "error": None,
    "starts": 1,
    "cancel_requested": False,
}
_DATASET = {
    **_JOB,
    "name": "Pets",
    "owner_id": ANN,
    "content_id": DATASET,
    "source": {"kind": "builtin"},
    "classes": ["cat", "dog", "fox"],
    "class_counts": [4, 4, 4],
    "sample_count": SAMPLES,
    "image_shape": [8, 8, 3],
    "has_true_labels": True,
    "created_at": THEN,
    "ready_at": THEN,
}
_CURVE = {
    "weights": [0.7, 0.3],
    "x": [0.0, 1.0],
    "components": [[1, 0], [0, 1]],
    "sum": [1, 1],
    "threshold": 1.0,
}

ROWS: Rows = {
    "account": [
        {"id": ANN, "name": "ann", "role": "admin", "created_at": THEN},
        {"id": BEN, "name": "ben", "role": "editor", "password_hash": "$argon2id$", "created_at": THEN},
    ],
    "login_code": [{"code_hash": "c" * 64, "account_id": ANN, "expires_at": THEN}],
    "session": [{"token_hash": "b" * 64, "account_id": BEN, "created_at": THEN, "expires_at": THEN}],
    "api_token": [{"id": "f" * 32, "token_hash": _HASH, "account_id": ANN, "name": "ci", "created_at": THEN}],
    "upload": [
        {
            "id": "3" * 32,
            "account_id": ANN,
            "filename": "a.zip",
            "size": 7,
            "digest": "0" * 64,
            "created_at": THEN,
        }
    ],
    "preflight": [
        {**_JOB, "id": "4" * 32, "account_id": ANN, "source": {"kind": "folder"}, "created_at": THEN}
    ],
    "dataset": [
        {**_DATASET, "id": DATASET},
        {**_DATASET, "id": DERIVED, "parent_id": DATASET, "status": "failed", "sample_count": 0},
    ],
    "membership": [{"dataset_id": DATASET, "account_id": BEN, "role": "reviewer"}],
    "sample": [
        {
            "dataset_id": DATASET,
            "sample_index": index,
            "name": f"{index:02d}.png",
            "given_label": index % 3,
            "true_label": (index + (index == 5)) % 3,
            "content_hash": f"{index:064x}",
            "width": 20,
            "height": 12,
            "split": "train",
        }
        for index in range(SAMPLES)
    ],
    "run": [
        {
            "id": RUN,
            "dataset_id": DATASET,
            "account_id": ANN,
            "recipe": "fast",
            "config": {"epochs": EPOCHS},
            "seed": 3,
            "status": "succeeded",
            "starts": 1,
            "cancel_requested": False,
            "progress": {},
            "outcome": {"samples": SAMPLES, "flagged": 3, "threshold": 0.7, "model": "beta"},
            "created_at": THEN,
            "started_at": THEN,
            "finished_at": THEN,
        }
    ],
    "epoch": [
        {
            "run_id": RUN,
            "epoch": epoch,
            "metrics": {"train_loss": 1.0},
            "histogram": {"edges": [0.0, 1.0, 2.0], "counts": [8, 4]},
            "mixtures": {"beta": _CURVE, "gaussian": _CURVE, "chosen": "beta"},
            "trust": {"verdict": "good", "reasons": []},
        }
        for epoch in range(1, EPOCHS + 1)
    ],
    "result": [
        {
            "run_id": RUN,
            "sample_index": index,
            "noise_posterior": index / SAMPLES,
            "flagged": index >= 9,
            "suggested_label": (index + 1) % 3,
            "loss": 0.5,
            "margin": -0.25,
            "label_quality": 0.125,
            "x": float(index),
            "y": 0.0,
            "agreement": 2,
        }
        for index in range(SAMPLES)
    ],
    "decision": [
        {
            "dataset_id": DATASET,
            "sample_index": index,
            "verdict": verdict,
            "label": label,
            "account_id": account,
            "run_id": RUN,
            "idempotency_key": f"key-{number}",
            "decided_at": THEN,
        }
        for number, (index, verdict, label, account) in enumerate(
            [
                (9, "keep", None, ANN),
                (10, "relabel", 2, BEN),
                (9, "remove", None, BEN),
                (11, "cleared", None, ANN),
            ]
        )
    ],
    "activity": [
        {"account_id": ANN, "action": "dataset.create", "subject": DATASET, "detail": {}, "happened_at": THEN}
    ],
}
"""What each table holds, in the columns of all revisions so far."""


def revisions() -> list[str]:
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", "migrations")
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def populate(session: Session) -> Rows:
    """Fill the tables that are there; gives what was written, by table, in the columns that they have."""
    for parent, subject in (("sample", DATASET), ("result", RUN)):
        session.execute(
            text(f"CREATE TABLE \"{parent}_{subject}\" PARTITION OF {parent} FOR VALUES IN ('{subject}')")
        )
    written = {}
    for table in tables(session):
        columns = table.columns.keys()
        rows = [{name: row[name] for name in row if name in columns} for row in ROWS.get(table.name, [])]
        for row in rows:
            # One by one: sent together, all would have the columns of the first.
            session.execute(table.insert(), row)
        written[table.name] = rows
    return written


def tables(session: Session) -> list[Table]:
    """Our tables as the database has them, without partitions, those that others point at first."""
    partitions = {
        str(name).strip('"')
        for name in session.scalars(text("SELECT inhrelid::regclass::text FROM pg_inherits"))
    }
    found = MetaData()
    found.reflect(
        session.connection(),
        only=lambda name, _: not name.startswith(NOT_OURS) and name not in partitions,
    )
    return found.sorted_tables
