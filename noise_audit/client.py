"""The client: one method per thing a person can do; answers are the server's JSON as typed dictionaries."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

from noise_audit import upload, waiting
from noise_audit.shapes import Dataset, Decision, Export, FigureName, Recorded, Run, Unreviewed
from noise_audit.waiting import Told
from noise_audit.wire import Bytes, Json, Wire

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go
    import pyarrow as pa

Job = TypeVar("Job", Dataset, Run)
DECISIONS_AT_ONCE = 10_000
"""As many as the server takes in one request."""


class Client:
    """A connection to one Noise Audit server.

    Without arguments it talks to `NOISE_AUDIT_URL` or the server started last on this machine, with
    `NOISE_AUDIT_TOKEN` or the token that server left for this user. Raises `ServerError` when the
    server refuses and `ServerUnreachable` when none answers.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._wire = Wire(url, token)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._wire.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    # --- datasets --------------------------------------------------------------------------------

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

    def wait_for_dataset(
        self, dataset_id: str, on_change: Callable[[Dataset], None] = lambda _: None
    ) -> Dataset:
        """Wait until an import is over, well or not; `on_change` sees each state on the way."""
        return waiting.wait(lambda: self.dataset(dataset_id), on_change)

    def relabelled(
        self,
        dataset_id: str,
        path: str | Path,
        *,
        name: str | None = None,
        new_classes: bool = False,
        carry_decisions: bool = True,
    ) -> Dataset:
        """Derive a version of a dataset with new labels for the same images: CSV or Parquet with index or name, and label.

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

    def annotate(self, dataset_id: str, path: str | Path) -> Json:
        """Send several annotators' labels: CSV or Parquet with a column index or name, and a column for each annotator."""
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

    def _sent(self, path: str | Path, uploading: upload.Progress = lambda sent, total: None) -> str:
        return self._wire.send(Path(path), uploading)[0]

    # --- runs ------------------------------------------------------------------------------------

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

        With the file of an `embedding` (a vector for each sample; npy, npz, CSV or Parquet) it trains a head on that
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

        npy, npz, CSV or Parquet with a row for each sample and a column for each class. `in_sample` says that the network
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

    def wait(self, job: Job, *, progress: Told | None = None) -> Job:
        """The dataset or run once it is ready or has succeeded. Raises `JobFailed` when it ends otherwise.

        `progress` hears (fraction done, what is being done); without it there is a bar in a terminal or a notebook.
        """
        noun, title = ("runs", "Auditing") if "recipe" in job else ("datasets", "Importing")
        return waiting.succeed(
            lambda: cast(Job, self._wire.json("GET", f"/api/{noun}/{job['id']}")), title, progress
        )

    # --- deleting --------------------------------------------------------------------------------

    def deletion(self, kind: Literal["datasets", "runs"], id_: str) -> Json:
        """What deleting a dataset or a run would free, in rows and bytes; nothing is deleted."""
        return self._wire.json("GET", f"/api/{kind}/{id_}/deletion")

    def delete(self, kind: Literal["datasets", "runs"], id_: str) -> Json:
        """Delete a dataset (with its runs and decisions) or a run for good; gives what was freed."""
        return self._wire.json("DELETE", f"/api/{kind}/{id_}")

    # --- what a run found ------------------------------------------------------------------------

    def results(self, run_id: str, *, unreviewed: Unreviewed = "keep") -> pd.DataFrame:
        """One row per sample, its index the sample index: labels, noise posterior, every score, decision.

        Needs pandas.
        """
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "results() gives a pandas DataFrame: pip install pandas, or take results_table()."
            ) from error
        return self.results_table(run_id, unreviewed=unreviewed).to_pandas().set_index("index")

    def results_table(self, run_id: str, *, unreviewed: Unreviewed = "keep") -> pa.Table:
        """The same as a pyarrow Table, by rising sample index."""
        import pyarrow.parquet

        query = {"format": "parquet", "unreviewed": unreviewed}
        answer = self._wire.answer("GET", f"/api/runs/{run_id}/exports/scores", params=query)
        return pyarrow.parquet.read_table(io.BytesIO(answer.content))

    def get_label_quality_scores(self, run_id: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The label quality score (N,) of every sample, in [0, 1]; low is suspect. The name is cleanlab's."""
        import numpy as np

        table = self.results_table(run_id)
        return np.asarray(table["label_quality"].to_numpy(), dtype=np.float64)

    def find_label_issues(self, run_id: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The indices of the flagged samples, most suspect first, as cleanlab's `find_label_issues` ranks them."""
        import numpy as np

        table = self.results_table(run_id)
        flagged_M = np.flatnonzero(table["flagged"].to_numpy())
        posterior_M = table["noise_posterior"].to_numpy()[flagged_M]
        return flagged_M[np.lexsort((flagged_M, -posterior_M))].astype(np.int64)

    def samples(self, run_id: str, **filters: Any) -> Json:
        """One page of a run's samples; filters as in `GET /api/runs/{id}/samples`."""
        return self._wire.json("GET", f"/api/runs/{run_id}/samples", params=filters)

    def figure(self, run_id: str, name: FigureName, **query: Any) -> go.Figure:
        """A figure of the dashboard as a plotly Figure; the query as in `GET /api/runs/{id}/figures/{name}`."""
        import plotly.graph_objects as go

        drawn = self._wire.json("GET", f"/api/runs/{run_id}/figures/{name}", params=query)
        return go.Figure(data=drawn["data"], layout=drawn["layout"])

    # --- decisions and exports -------------------------------------------------------------------

    def decide(
        self,
        dataset_id: str,
        items: Sequence[Decision | Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,
        run_id: str | None = None,
    ) -> Recorded:
        """Record decisions: items of {index, verdict, label?}, a label as class name or index.

        The same key twice records once. More than 10 000 are recorded in several steps.
        """
        key = idempotency_key or uuid.uuid4().hex
        classes: list[str] = []
        if any(isinstance(item.get("label"), str) for item in items):
            classes = self.dataset(dataset_id)["classes"]
        sent = [_with_class_index(dict(item), classes) for item in items]
        recorded, counts = 0, {}
        for begin in range(0, max(1, len(sent)), DECISIONS_AT_ONCE):
            body = {
                "items": sent[begin : begin + DECISIONS_AT_ONCE],
                "run_id": run_id,
                "idempotency_key": f"{key}-{begin}" if begin else key,
            }
            answer = self._wire.json("POST", f"/api/datasets/{dataset_id}/decisions", json=body)
            recorded, counts = recorded + answer["recorded"], answer["counts"]
        return {"recorded": recorded, "counts": counts}

    def decisions(self, dataset_id: str) -> list[Decision]:
        """The decision that stands on each sample that has one, by rising sample index."""
        return list(self._wire.json("GET", f"/api/datasets/{dataset_id}/decisions/standing")["items"])

    def import_decisions(
        self, dataset_id: str, path: str | Path, *, idempotency_key: str, dry_run: bool = False
    ) -> Json:
        """Record the decisions in a table (CSV or Parquet: index or name, decision, label), or with `dry_run` say what it
        would change and which lines are wrong."""
        address = f"/api/datasets/{dataset_id}/decisions/import"
        body = {"upload_id": self._sent(path)}
        if dry_run:
            return self._wire.json("POST", f"{address}/preview", json=body)
        return self._wire.json("POST", address, json={**body, "idempotency_key": idempotency_key})

    def export(
        self,
        run_id: str,
        what: Export,
        path: str | Path,
        *,
        format: str | None = None,
        unreviewed: Unreviewed = "keep",
        progress: Bytes = lambda received, total: None,
    ) -> Json:
        """Write an export to `path` and its manifest beside it (`PATH.manifest.json`); returns the manifest."""
        query = {"unreviewed": unreviewed, **({} if format is None else {"format": format})}
        address, target = f"/api/runs/{run_id}/exports/{what}", Path(path)
        file = self._wire.fetch(address, target, progress, params=query)
        manifest = {**self._wire.json("GET", f"{address}/manifest", params=query), "file": file}
        text = json.dumps(manifest, ensure_ascii=False, indent=2)
        target.with_name(target.name + ".manifest.json").write_text(text, encoding="utf-8")
        return manifest


def _with_class_index(item: Json, classes: Sequence[str]) -> Json:
    label = item.get("label")
    if isinstance(label, str):
        if label not in classes:
            raise ValueError(f"There is no class {label!r}; there are {', '.join(map(repr, classes))}.")
        item["label"] = classes.index(label)
    return item


def named_after(path: str | Path) -> str:
    """What a dataset is called when nobody says: the file's or folder's name without its endings."""
    return Path(path).resolve().name.split(".")[0] or "dataset"
