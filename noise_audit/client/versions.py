"""Datasets derived from others: planted noise, new labels, more data, and what that changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from noise_audit import upload
from noise_audit.client.datasets import Datasets
from noise_audit.shapes import Dataset, Recorded
from noise_audit.wire import Json


class Versions(Datasets):
    """What is made of a dataset."""

    def inject(
        self,
        dataset_id: str,
        *,
        kind: str = "symmetric",
        rate: float | None = None,
        matrix: list[list[float]] | None = None,
        seed: int = 0,
    ) -> Dataset:
        """Derive a dataset with planted noise; its true labels are kept to measure against."""
        body = {"kind": kind, "rate": rate, "matrix": matrix, "seed": seed}
        return cast(Dataset, self._wire.json("POST", f"/api/datasets/{dataset_id}/inject", json=body))

    def relabelled(
        self,
        dataset_id: str,
        path: str | Path,
        *,
        name: str | None = None,
        new_classes: bool = False,
        carry_decisions: bool = True,
    ) -> Dataset:
        """Derive a version of a dataset with new labels for the same images: CSV, JSON Lines or Parquet with index or name, and label.

        With `new_classes` labels that are none of its classes become classes. Decisions on samples whose label stays
        are carried over.
        """
        body = {
            "upload_id": self._sent(path),
            "name": name,
            "new_classes": new_classes,
            "carry_decisions": carry_decisions,
        }
        return cast(Dataset, self._wire.json("POST", f"/api/datasets/{dataset_id}/labels", json=body))

    def append(
        self,
        dataset_id: str,
        path: str | Path,
        *,
        on_server: bool = False,
        progress: upload.Progress = lambda sent, total: None,
        **options: Any,
    ) -> Dataset:
        """Upload what `path` holds and start a version of the dataset with it behind the old samples, without waiting.

        Options as in `append_delivered`.
        """
        return self.append_delivered(
            dataset_id, self.deliver(path, on_server=on_server, progress=progress), **options
        )

    def append_delivered(
        self,
        dataset_id: str,
        delivery: Json,
        *,
        columns: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Dataset:
        """Start a version of the dataset with a delivery's samples behind its own.

        Options: name, format, split, limit and all_or_nothing as in an import; `duplicates` ("skip" or "keep": images
        that are there already) and `carry_decisions`.
        """
        body = {**delivery, "columns": dict(columns or {}), **options}
        return cast(Dataset, self._wire.json("POST", f"/api/datasets/{dataset_id}/append", json=body))

    def difference(self, dataset_id: str) -> Json:
        """What a version changes and adds beside the dataset that it was derived from."""
        return self._wire.json("GET", f"/api/datasets/{dataset_id}/difference")

    def clear_carried(self, dataset_id: str) -> Recorded:
        """Take back the decisions that were carried over from another dataset and still stand."""
        return cast(Recorded, self._wire.json("DELETE", f"/api/datasets/{dataset_id}/decisions/carried"))
