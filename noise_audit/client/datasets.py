"""Datasets: brought in, looked at beforehand, searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from noise_audit import upload, waiting
from noise_audit.client.connection import Connection
from noise_audit.shapes import Dataset
from noise_audit.waiting import Told
from noise_audit.wire import Json


class Datasets(Connection):
    """What is done with datasets."""

    def datasets(self) -> list[Dataset]:
        """All datasets of this account, newest first."""
        return list(self._wire.json("GET", "/api/datasets")["items"])

    def dataset(self, dataset_id: str) -> Dataset:
        """One dataset: status, classes, counts, import report."""
        return cast(Dataset, self._wire.json("GET", f"/api/datasets/{dataset_id}"))

    def import_dataset(
        self,
        path: str | Path,
        *,
        progress: Told | None = None,
        uploading: upload.Progress = lambda sent, total: None,
        **options: Any,
    ) -> Dataset:
        """Upload what `path` holds and wait until it is a dataset; further options as in `import_path`.

        `uploading` hears (bytes sent, in all), `progress` as in `wait`. Raises `JobFailed` when nothing could be
        made of it.
        """
        return self.wait(self.import_path(path, progress=uploading, **options), progress=progress)

    def import_path(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        format: str = "auto",
        split: str = "train",
        limit: int | None = None,
        columns: Mapping[str, str] | None = None,
        on_server: bool = False,
        progress: upload.Progress = lambda sent, total: None,
    ) -> Dataset:
        """Upload what `path` holds (or name a folder of the server) and start its import, without waiting.

        `columns` says which column of a table is the `image`, `label`, `true_label`, `split` or (several, with commas)
        `annotators`, where the guess is wrong.
        """
        delivery = self.deliver(path, on_server=on_server, progress=progress)
        name = name or named_after(path)
        return self.import_delivered(
            delivery, name=name, format=format, split=split, limit=limit, columns=columns
        )

    def deliver(
        self,
        path: str | Path,
        *,
        on_server: bool = False,
        progress: upload.Progress = lambda sent, total: None,
    ) -> Json:
        """Upload what `path` holds (or name a folder of the server); what `preflight` and `import_delivered` take."""
        if on_server:
            return {"server_folder": str(path)}
        with upload.as_file(Path(path)) as file:
            upload_id, digest = self._wire.send(file, progress)
        return {"upload_id": upload_id, "digest": digest}

    def preflight(
        self,
        delivery: Json,
        *,
        format: str = "auto",
        columns: Mapping[str, str] | None = None,
        append: bool = False,
        progress: Told | None = None,
    ) -> Json:
        """Look at a delivery before anything is kept; waits, and gives the report. Raises `JobFailed`.

        `append` says that it is to be added to a dataset: then it may hold one class alone.
        """
        body = {**delivery, "format": format, "columns": dict(columns or {}), "append": append}
        begun = self._wire.json("POST", "/api/preflights", json=body)

        def ask() -> Json:
            return self._wire.json("GET", f"/api/preflights/{begun['id']}")

        return dict(waiting.succeed(ask, "Looking", progress)["report"])

    def import_delivered(
        self,
        delivery: Json,
        *,
        name: str | None = None,
        format: str = "auto",
        split: str = "train",
        limit: int | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Start the import of a delivery."""
        body: Json = {**delivery, "name": name, "format": format, "split": split, "limit": limit}
        body["columns"] = dict(columns or {})
        return cast(Dataset, self._wire.json("POST", "/api/datasets", json=body))

    def import_digits(self, *, noise_rate: float = 0.2, seed: int = 0) -> Dataset:
        """Make the built-in demo dataset: handwritten digits with planted noise."""
        body = {"noise_rate": noise_rate, "seed": seed}
        return cast(Dataset, self._wire.json("POST", "/api/datasets/builtin/digits", json=body))

    def wait_for_dataset(
        self, dataset_id: str, on_change: Callable[[Dataset], None] = lambda _: None
    ) -> Dataset:
        """Wait until an import is over, well or not; `on_change` sees each state on the way."""
        return waiting.wait(lambda: self.dataset(dataset_id), on_change)

    def annotate(self, dataset_id: str, path: str | Path) -> Json:
        """Send several annotators' labels: CSV, JSON Lines or Parquet with a column index or name, and a column for each annotator."""
        body = {"upload_id": self._sent(path)}
        return self._wire.json("POST", f"/api/datasets/{dataset_id}/annotations", json=body)

    def find_duplicates(self, dataset_id: str, **filters: Any) -> Json:
        """Search a dataset for images that are nearly the same, wait, and give the first groups.

        Filters as in `GET /api/datasets/{id}/duplicates`: exact, different_labels, across_splits, offset, limit.
        """
        address = f"/api/datasets/{dataset_id}/duplicates"
        found = self._wire.json("GET", address, params=filters)
        if found["status"] in ("none", "failed"):
            self._wire.json("POST", f"{address}/search", json={})
        return waiting.wait(lambda: self._wire.json("GET", address, params=filters))


def named_after(path: str | Path) -> str:
    """What a dataset is called when nobody says: the file's or folder's name without its endings."""
    return Path(path).resolve().name.split(".")[0] or "dataset"
