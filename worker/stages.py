"""What every run goes through, however its findings come about: the dataset's labels, the map, and publishing.

Shape letters: N samples, C classes, F features, K neighbours.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import Damaged, NotFound
from backend.settings import Settings
from backend.store import claims, datasets, keeping, results, runs, selections, uploads
from backend.store.artifacts import Artifacts
from backend.store.database import patiently
from backend.store.tables import Run
from worker.claimed import Claimed
from worker.embedding import embed, neighbours
from worker.noise.scores import consensus, neighbour_disagreement
from worker.results import agreement, write_parquet

MAPPED = 0.97
"""Share of the whole run that is done after the map."""
NEAREST = 8
PREDICTED = "the predicted probabilities"
"""Whose features a map shows that nothing better was there for."""
VERSIONS = ("noise-audit", "torch", "numpy", "scipy", "umap-learn")


@dataclass(frozen=True)
class Findings:
    """What a run says of every sample, (N,) each; the meanings are those of `training.reports.Outcome`."""

    noise_posterior_N: NDArray[np.float64]
    flagged_N: NDArray[np.bool_]
    suggested_label_N: NDArray[np.int64]
    loss_N: NDArray[np.float32]
    margin_N: NDArray[np.float32]
    label_quality_N: NDArray[np.float32]
    predicted_probability_NC: NDArray[Any]
    scores: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Labels:
    """The dataset as a run needs it beside pixels."""

    content_id: str
    classes: list[str]
    given_N: NDArray[np.int64]
    true_N: NDArray[np.int64] | None


@dataclass(frozen=True)
class Layout:
    """Where samples lie by what the features say: the map, each sample's nearest, and in words whose features they are."""

    feature_NF: NDArray[Any]
    xy_N2: NDArray[np.float32]
    neighbour_NK: NDArray[np.int32]
    source: str


class Stages:
    """What one run needs in hand while it goes through its stages."""

    def __init__(
        self, settings: Settings, artifacts: Artifacts, claimed: Claimed, run: Run, folder: Path
    ) -> None:
        self.settings, self.database, self.artifacts = settings, claimed.database, artifacts
        self.claimed = claimed
        self.run_id, self.dataset_id, self.account_id = run.id, run.dataset_id, run.account_id
        self.seed, self.directory = run.seed, folder
        self.config: dict[str, Any] = dict(run.config)
        self.device: str | None = None
        """What trains; None where nothing is trained."""

    def labels(self) -> Labels:
        """The dataset's classes and labels."""
        with self.database.transaction() as session:
            dataset = datasets.get(session, self.account_id, self.dataset_id)
            content_id, classes = dataset.content_id, list(dataset.classes)
            given_N, true_N = datasets.labels(session, self.dataset_id)
        return Labels(
            content_id,
            classes,
            given_N.astype(np.int64),
            None if true_N is None else true_N.astype(np.int64),
        )

    def fetch_upload(self) -> tuple[Path, list[str]]:
        """The file that people sent for this run, and the samples' names, by which its rows are put in order."""
        # Only the ending of the user's file name is used, to recognise the format; never its path.
        path = self.directory / f"upload{Path(self.config['filename']).suffix.lower()[:16]}"
        uploads.fetch(self.database, self.artifacts, self.config["upload_id"], path)
        with self.database.transaction() as session:
            return path, datasets.names(session, self.dataset_id)

    def forget_upload(self) -> None:
        """What the run was made of is no longer needed; its results stand."""
        keeping.drop(self.database, self.artifacts, uploads.key(self.config["upload_id"]))

    def layout(self, feature_NF: NDArray[Any], source: str, begun: float) -> Layout:
        """The 2-D map and the neighbours of these features; `begun` is the share of the run done before."""
        self.claimed.enter("map", begun, "Drawing the map")
        self.claimed.check()

        def advance(fraction: float) -> None:
            self.claimed.check()
            self.claimed.progress(
                stage="map", fraction=begun + (MAPPED - begun) * fraction, message="Drawing the map"
            )

        xy_N2 = embed(feature_NF, seed=self.seed, progress=advance)
        return Layout(feature_NF, xy_N2, neighbours(feature_NF, k=NEAREST), source)

    def layout_of(self, run: Run) -> Layout | None:
        """The map of an earlier run on the same images, None when it has left none."""

        def stored(name: str) -> NDArray[Any]:
            data = io.BytesIO(self.artifacts.get(f"{runs.place(run)}/{name}.npy"))
            array: NDArray[Any] = np.load(data, allow_pickle=False)
            return array

        try:
            feature_NF, neighbour_NK = stored("features"), stored("neighbours")
        except (NotFound, Damaged):
            # Another run's, and without it goes as well.
            return None
        with self.database.transaction() as session:
            columns = results.columns(session, run.id)
        xy_N2 = np.stack([columns.x, columns.y], axis=1)
        source = run.outcome.get("map_from") or f"what {run.recipe} learned ({run.created_at:%Y-%m-%d %H:%M})"
        return Layout(feature_NF, xy_N2, neighbour_NK, source)

    def earlier(self) -> Layout | None:
        """The map of the newest earlier run of this dataset that has one of features."""
        with self.database.transaction() as session:
            candidates = [run for run in runs.list_for(session, self.account_id, self.dataset_id)
                          if run.status == "succeeded" and run.outcome.get("map_from") != PREDICTED]  # fmt: skip
            session.expunge_all()
        return next((found for run in candidates if (found := self.layout_of(run)) is not None), None)

    def publish(
        self,
        findings: Findings,
        layout: Layout,
        given_N: NDArray[np.int64],
        folder: Path,
        outcome: dict[str, Any],
        epochs: int,
    ) -> None:
        """Artifacts first (idempotent), then rows and the run's end in one fenced transaction.

        `folder` may hold further files of the run already; `outcome` is what the run's row keeps.
        """
        self.claimed.enter("publish", MAPPED, "Storing the results")
        result = np.zeros(len(given_N), dtype=results.RESULT_DTYPE)
        result["sample_index"] = np.arange(len(result))
        result["noise_posterior"] = findings.noise_posterior_N
        result["flagged"] = findings.flagged_N
        result["suggested_label"] = findings.suggested_label_N
        result["loss"] = findings.loss_N
        result["margin"] = findings.margin_N
        result["label_quality"] = findings.label_quality_N
        result["x"], result["y"] = layout.xy_N2.T
        # Stored by rows: a page reads the row of one sample alone.
        np.save(folder / "features.npy", layout.feature_NF.astype(np.float16, order="C"))
        np.save(folder / "probabilities.npy", findings.predicted_probability_NC.astype(np.float16, order="C"))
        np.save(folder / "neighbours.npy", layout.neighbour_NK)
        scores = {
            **findings.scores,
            "neighbour_disagreement": neighbour_disagreement(layout.neighbour_NK, given_N),
        }
        result["agreement"] = agreement(scores, int(findings.flagged_N.sum()))
        scores["consensus"] = consensus(scores)
        write_parquet(folder / "results.parquet", result, given_N, scores)
        # Asked before each file, to stop early: where they go nobody else writes.
        outcome = {**outcome, runs.PUBLISHED_BY: self.claimed.claim_id}
        self.artifacts.upload_folder(
            folder, runs.place_of(self.run_id, outcome), before_each=self.claimed.check
        )
        self.claimed.say(f"{int(findings.flagged_N.sum()):,} of {len(result):,} samples flagged")
        kept = {**outcome, "map_from": layout.source, "versions": {name: version(name) for name in VERSIONS}}

        def write() -> None:
            with self.database.transaction() as session:
                done = {"stage": "done", "fraction": 1.0, "epoch": epochs, "epochs": epochs}
                done |= {"device": self.device, **self.claimed.log}
                claims.fenced_update(session, Run, self.run_id, self.claimed.claim_id, progress=done)
                results.publish_results(session, self.run_id, self.claimed.claim_id, result, outcome=kept)

        patiently(write)
        self.tidy()

    def tidy(self) -> None:
        """Drop what only a run that goes on needs: checkpoints, and what earlier starts had stored of results."""
        own = f"runs/{self.run_id}"
        folders = {key.split("/")[2] for key in self.artifacts.list(own) if key.count("/") > 2}
        for folder in folders - {self.claimed.claim_id, selections.FOLDER}:
            keeping.drop(self.database, self.artifacts, f"{own}/{folder}/")
