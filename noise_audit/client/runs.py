"""Runs: queued, watched, stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from noise_audit import upload, waiting
from noise_audit.client.connection import Connection
from noise_audit.shapes import Run
from noise_audit.waiting import Told
from noise_audit.wire import Json


class Runs(Connection):
    """What is done with runs."""

    def audit(
        self,
        dataset_id: str,
        *,
        recipe: str = "fast",
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
        embedding: str | Path | None = None,
        wait: bool = False,
        progress: Told | None = None,
        uploading: upload.Progress = lambda sent, total: None,
    ) -> Run:
        """Queue a run of a recipe on a dataset, and with `wait` come back when it has succeeded, as from `wait`.

        With the file of an `embedding` (a vector for each sample; npy, npz, CSV, JSON Lines or Parquet) it trains a head on that
        instead of a network on the images.
        """
        body: Json = {"recipe": recipe, "settings": dict(settings or {}), "seed": seed}
        if embedding is not None:
            body["embedding_upload_id"] = self._sent(embedding, uploading)
        run = cast(Run, self._wire.json("POST", f"/api/datasets/{dataset_id}/runs", json=body))
        return self.wait(run, progress=progress) if wait else run

    def audit_predictions(
        self,
        dataset_id: str,
        path: str | Path,
        *,
        in_sample: bool = False,
        logits: bool = False,
        wait: bool = False,
        progress: Told | None = None,
        uploading: upload.Progress = lambda sent, total: None,
    ) -> Run:
        """Queue a run that judges by the predicted probabilities (or logits) in a file, without training.

        npy, npz, CSV, JSON Lines or Parquet with a row for each sample and a column for each class. `in_sample` says that the network
        which predicts was trained on these labels. `wait` and `progress` as in `audit`.
        """
        body = {"upload_id": self._sent(path, uploading), "in_sample": in_sample, "logits": logits}
        run = cast(Run, self._wire.json("POST", f"/api/datasets/{dataset_id}/predictions", json=body))
        return self.wait(run, progress=progress) if wait else run

    def runs(self, dataset_id: str | None = None) -> list[Run]:
        """All runs, or those of one dataset, newest first."""
        query = {"dataset_id": dataset_id} if dataset_id else {}
        return list(self._wire.json("GET", "/api/runs", params=query)["items"])

    def run(self, run_id: str) -> Run:
        """One run: status, progress, and once finished its outcome."""
        return cast(Run, self._wire.json("GET", f"/api/runs/{run_id}"))

    def stop(self, run_id: str) -> Run:
        """Ask a run to stop."""
        return cast(Run, self._wire.json("POST", f"/api/runs/{run_id}/stop", json={}))

    def wait_for_run(self, run_id: str, on_change: Callable[[Run], None] = lambda _: None) -> Run:
        """Wait until a run is over, well or not; `on_change` sees each state on the way."""
        return waiting.wait(lambda: self.run(run_id), on_change)
