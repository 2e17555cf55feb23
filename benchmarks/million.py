"""An installation with a run on very many samples, written through the store as a worker would publish it.

Shapes: N samples, C classes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy.orm import Session

from backend.store import accounts, claims, datasets, deciding, results, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Account, Dataset, Membership, Run

CLASSES, EPOCHS = 10, 60
NOISE = 0.2
BINS, CURVE = 100, 200
"""Of an epoch's histogram and of its mixtures' curves, as the trainer writes them."""
THUMBNAILS = 960
"""Different ones; the samples take turns."""


class Kept(NamedTuple):
    """A recorded decision's fields."""

    index: int
    verdict: str = "keep"
    label: int | None = None


@dataclass(frozen=True)
class Written:
    """What the store holds, and who may ask for it (by token)."""

    dataset_id: str
    run_id: str
    other_id: str
    undecided: list[int]
    """Flagged samples, the most suspect first."""
    owner: str
    reviewers: list[str]


def write(database: Database, artifacts: Artifacts, samples: int, decided: int, reviewers: int) -> Written:
    """A dataset, two runs that find much the same, decisions on the most suspect samples, and reviewers."""
    rng = np.random.default_rng(0)
    given_N = rng.integers(0, CLASSES, samples)
    noisy_N = rng.random(samples) < NOISE
    with database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        token = accounts.new_api_token(session, owner, "benchmark")[1]
        dataset_id = _write_dataset(session, owner, given_N)
    _write_thumbnails(artifacts, dataset_id, samples)
    run_id, result_N = _write_run(database, owner, dataset_id, given_N, noisy_N, 1)
    other_id, _ = _write_run(database, owner, dataset_id, given_N, noisy_N, 2)
    ranked = np.argsort(-result_N["noise_posterior"])
    flagged = ranked[result_N["flagged"][ranked]].tolist()
    with database.transaction() as session:
        for start in range(0, decided, 10_000):
            items = [Kept(index) for index in flagged[start : min(start + 10_000, decided)]]
            deciding.append(session, dataset_id, deciding.Request(owner, items, run_id, uuid.uuid4().hex))
        tokens = [_reviewer(session, dataset_id, f"reviewer {place}") for place in range(reviewers)]
    return Written(dataset_id, run_id, other_id, flagged[decided:], token, tokens)


def _write_dataset(session: Session, owner: str, given_N: NDArray[np.int64]) -> str:
    samples = len(given_N)
    dataset_id = datasets.create(session, owner, "very many", {"kind": "builtin"}).id
    claims.claim(session, Dataset, dataset_id, "import", 5)
    datasets.publish_samples(
        session,
        dataset_id,
        names=[f"{index:07d}.png" for index in range(samples)],
        given_label_N=given_N,
        content_hash=["0" * 64] * samples,
        width_N=np.full(samples, 32),
        height_N=np.full(samples, 32),
    )
    claims.finish(
        session,
        Dataset,
        dataset_id,
        "import",
        "ready",
        classes=[f"class {label}" for label in range(CLASSES)],
        class_counts=np.bincount(given_N, minlength=CLASSES).tolist(),
        sample_count=samples,
        image_shape=[32, 32, 3],
    )
    return dataset_id


def _write_run(
    database: Database,
    owner: str,
    dataset_id: str,
    given_N: NDArray[np.int64],
    noisy_N: NDArray[np.bool_],
    seed: int,
) -> tuple[str, NDArray[np.void]]:
    rng = np.random.default_rng(seed)
    samples = len(given_N)
    result_N = np.zeros(samples, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(samples)
    posterior_N = np.where(noisy_N, rng.beta(6, 0.7, samples), rng.beta(0.3, 9, samples))
    result_N["noise_posterior"] = np.clip(posterior_N, 0, 1)
    result_N["flagged"] = posterior_N >= 0.5
    result_N["suggested_label"] = np.where(noisy_N, rng.integers(0, CLASSES, samples), given_N)
    result_N["loss"] = rng.exponential(np.where(noisy_N, 3.0, 0.2))
    result_N["margin"] = rng.normal(np.where(noisy_N, -3, 5))
    result_N["label_quality"] = np.exp(-result_N["loss"])
    result_N["x"] = rng.normal(size=samples) + 6 * np.cos(given_N)
    result_N["y"] = rng.normal(size=samples) + 6 * np.sin(given_N)
    result_N["agreement"] = rng.integers(0, 6, samples)
    outcome = {
        "samples": samples,
        "flagged": int(result_N["flagged"].sum()),
        "threshold": 0.5,
        "noise_rate": NOISE,
    }
    with database.transaction() as session:
        run_id = runs.create(session, owner, dataset_id, "fast", {}, seed).id
        claims.claim(session, Run, run_id, "run", 5)
        for epoch in range(1, EPOCHS + 1):
            runs.write_epoch(session, run_id, "run", epoch, **_epoch(epoch, samples))
    with database.transaction() as session:
        results.publish_results(session, run_id, "run", result_N, outcome)
    return run_id, result_N


def _epoch(epoch: int, samples: int) -> dict[str, Any]:
    x_X = np.linspace(0, 10, CURVE)
    clean_X, noisy_X = np.exp(-x_X * epoch) * epoch * 0.8, np.exp(-((x_X - 5) ** 2) / 2) * 0.08
    mixture = {
        "weights": [0.8, 0.2],
        "x": x_X.tolist(),
        "components": [clean_X.tolist(), noisy_X.tolist()],
        "sum": (clean_X + noisy_X).tolist(),
        "log_likelihood": -1.5,
        "threshold": 2.5,
    }
    counts = np.random.default_rng(epoch).multinomial(samples, np.full(BINS, 1 / BINS)).tolist()
    return {
        "metrics": {"train_loss": 2 / epoch, "train_accuracy": 0.6, "noise_rate": NOISE},
        "histogram": {"edges": np.linspace(0, 10, BINS + 1).tolist(), "counts": counts},
        "mixtures": {"beta": mixture, "gaussian": mixture, "chosen": "beta"},
        "trust": {"verdict": "good", "reasons": []},
    }


def _write_thumbnails(artifacts: Artifacts, dataset_id: str, samples: int) -> None:
    """One pack of WebP thumbnails with the grain of photographs, 128 pixels to a side."""
    rng = np.random.default_rng(0)
    thumbnails = []
    for _ in range(THUMBNAILS):
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        file = BytesIO()
        coarse.resize((128, 128), Image.Resampling.BICUBIC).save(file, "WEBP", quality=80, method=0)
        thumbnails.append(file.getvalue())
    size_N = np.array([len(one) for one in thumbnails], np.int64)[np.arange(samples) % THUMBNAILS]
    whole = b"".join(thumbnails)
    repeats = -(-samples // THUMBNAILS)
    stem = f"datasets/{dataset_id}/thumbs"
    artifacts.put(f"{stem}.pack", (whole * repeats)[: int(size_N.sum())])
    file = BytesIO()
    np.save(file, np.concatenate([[0], np.cumsum(size_N)]))
    artifacts.put(f"{stem}.offsets.npy", file.getvalue())


def _reviewer(session: Session, dataset_id: str, name: str) -> str:
    account = Account(id=uuid.uuid4().hex, name=name, role="reviewer")
    session.add(account)
    session.flush()
    session.add(Membership(dataset_id=dataset_id, account_id=account.id, role="reviewer"))
    return accounts.new_api_token(session, account.id, "benchmark")[1]
