"""The client: one method per thing a person can do; answers are the server's JSON as dictionaries."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from noise_audit import upload
from noise_audit.address import server_token, server_url
from noise_audit.problems import ServerError, ServerUnreachable

Json = dict[str, Any]
FINAL = {"ready", "succeeded", "failed", "cancelled", "done"}
POLL_SECONDS = 0.5


class Client:
    """A connection to one Noise Audit server.

    Without arguments it talks to `NOISE_AUDIT_URL` or the server started last on this machine, with
    `NOISE_AUDIT_TOKEN` or the token that server left for this user. Raises `ServerError` when the
    server refuses and `ServerUnreachable` when none answers.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self.url = (url or server_url()).rstrip("/")
        token = token or server_token(self.url)
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(120, connect=5),
            event_hooks={"response": [_refuse]},
            # Only the address named is spoken to: no proxy from the environment in between.
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # --- datasets --------------------------------------------------------------------------------

    def datasets(self) -> list[Json]:
        """All datasets of this account, newest first."""
        return list(self._json("GET", "/api/datasets")["items"])

    def dataset(self, dataset_id: str) -> Json:
        """One dataset: status, classes, counts, import report."""
        return self._json("GET", f"/api/datasets/{dataset_id}")

    def import_path(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        format: str = "auto",
        split: str = "train",
        limit: int | None = None,
        on_server: bool = False,
        progress: upload.Progress = lambda sent, total: None,
    ) -> Json:
        """Upload what `path` holds (or name a folder of the server) and start its import."""
        body: Json = {"format": format, "split": split, "limit": limit}
        body["name"] = name or Path(path).resolve().name.split(".")[0] or "dataset"
        if on_server:
            body["server_folder"] = str(path)
        else:
            with upload.as_file(Path(path)) as file:
                body["upload_id"] = self._send(file, progress)
        return self._json("POST", "/api/datasets", json=body)

    def import_digits(self, *, noise_rate: float = 0.2, seed: int = 0) -> Json:
        """Make the built-in demo dataset: handwritten digits with planted noise."""
        return self._json(
            "POST", "/api/datasets/builtin/digits", json={"noise_rate": noise_rate, "seed": seed}
        )

    def inject(
        self,
        dataset_id: str,
        *,
        kind: str = "symmetric",
        rate: float | None = None,
        matrix: list[list[float]] | None = None,
        seed: int = 0,
    ) -> Json:
        """Derive a dataset with planted noise; its true labels are kept to measure against."""
        body = {"kind": kind, "rate": rate, "matrix": matrix, "seed": seed}
        return self._json("POST", f"/api/datasets/{dataset_id}/inject", json=body)

    # --- runs ------------------------------------------------------------------------------------

    def audit(
        self,
        dataset_id: str,
        *,
        recipe: str = "fast",
        settings: Json | None = None,
        seed: int = 0,
        embedding: str | Path | None = None,
        progress: upload.Progress = lambda sent, total: None,
    ) -> Json:
        """Queue a run of a recipe on a dataset; with the file of an `embedding` (a vector for each sample; npy, npz, CSV or
        Parquet) it trains a head on that instead of a network on the images."""
        body: Json = {"recipe": recipe, "settings": settings or {}, "seed": seed}
        if embedding is not None:
            body["embedding_upload_id"] = self._send(Path(embedding), progress)
        return self._json("POST", f"/api/datasets/{dataset_id}/runs", json=body)

    def audit_predictions(
        self,
        dataset_id: str,
        path: str | Path,
        *,
        in_sample: bool = False,
        logits: bool = False,
        progress: upload.Progress = lambda sent, total: None,
    ) -> Json:
        """Queue a run that judges by the predicted probabilities (or logits) in a file, without training.

        npy, npz, CSV or Parquet with a row for each sample and a column for each class. `in_sample` says that the network
        which predicts was trained on these labels.
        """
        body = {"upload_id": self._send(Path(path), progress), "in_sample": in_sample, "logits": logits}
        return self._json("POST", f"/api/datasets/{dataset_id}/predictions", json=body)

    def runs(self, dataset_id: str | None = None) -> list[Json]:
        """All runs, or those of one dataset, newest first."""
        query = {"dataset_id": dataset_id} if dataset_id else {}
        return list(self._json("GET", "/api/runs", params=query)["items"])

    def run(self, run_id: str) -> Json:
        """One run: status, progress, and once finished its outcome."""
        return self._json("GET", f"/api/runs/{run_id}")

    def stop(self, run_id: str) -> Json:
        """Ask a run to stop."""
        return self._json("POST", f"/api/runs/{run_id}/stop", json={})

    def wait_for_dataset(self, dataset_id: str, on_change: Callable[[Json], None] = lambda _: None) -> Json:
        """Wait until an import is over; `on_change` sees each state on the way."""
        return self._wait(lambda: self.dataset(dataset_id), on_change)

    def wait_for_run(self, run_id: str, on_change: Callable[[Json], None] = lambda _: None) -> Json:
        """Wait until a run is over; `on_change` sees each state on the way."""
        return self._wait(lambda: self.run(run_id), on_change)

    def import_decisions(
        self, dataset_id: str, path: str | Path, *, idempotency_key: str, dry_run: bool = False
    ) -> Json:
        """Record the decisions in a table (CSV or Parquet: index or name, decision, label), or with `dry_run` say what it
        would change and which lines are wrong."""
        address = f"/api/datasets/{dataset_id}/decisions/import"
        body = {"upload_id": self._send(Path(path), lambda sent, total: None)}
        if dry_run:
            return self._json("POST", f"{address}/preview", json=body)
        return self._json("POST", address, json={**body, "idempotency_key": idempotency_key})

    # --- several annotators ------------------------------------------------------------------------

    def annotate(self, dataset_id: str, path: str | Path) -> Json:
        """Send several annotators' labels: CSV or Parquet with a column index or name, and a column for each annotator."""
        body = {"upload_id": self._send(Path(path), lambda sent, total: None)}
        return self._json("POST", f"/api/datasets/{dataset_id}/annotations", json=body)

    def relabelled(self, dataset_id: str, path: str | Path, *, name: str | None = None) -> Json:
        """Derive a version of a dataset with new labels for the same images: CSV or Parquet with index or name, and label."""
        body = {"upload_id": self._send(Path(path), lambda sent, total: None), "name": name}
        return self._json("POST", f"/api/datasets/{dataset_id}/labels", json=body)

    # --- duplicates --------------------------------------------------------------------------------

    def find_duplicates(self, dataset_id: str, **filters: Any) -> Json:
        """Search a dataset for images that are nearly the same, wait, and give the first groups.

        Filters as in `GET /api/datasets/{id}/duplicates`: exact, different_labels, across_splits, offset, limit.
        """
        address = f"/api/datasets/{dataset_id}/duplicates"
        found = self._json("GET", address, params=filters)
        if found["status"] in ("none", "failed"):
            self._json("POST", f"{address}/search", json={})
        return self._wait(lambda: self._json("GET", address, params=filters), lambda _: None)

    # --- decisions and exports -------------------------------------------------------------------

    def samples(self, run_id: str, **filters: Any) -> Json:
        """One page of a run's samples; filters as in `GET /api/runs/{id}/samples`."""
        return self._json("GET", f"/api/runs/{run_id}/samples", params=filters)

    def decide(
        self, dataset_id: str, items: list[Json], *, idempotency_key: str, run_id: str | None = None
    ) -> Json:
        """Record decisions: items of {index, verdict, label?}; the same key twice records once."""
        body = {"items": items, "run_id": run_id, "idempotency_key": idempotency_key}
        return self._json("POST", f"/api/datasets/{dataset_id}/decisions", json=body)

    def export(
        self,
        run_id: str,
        what: str,
        path: str | Path,
        *,
        format: str = "csv",
        unreviewed: str = "keep",
    ) -> Json:
        """Write an export to `path` and its manifest beside it (`PATH.manifest.json`); returns the manifest."""
        query = {"format": format, "unreviewed": unreviewed}
        address, target = f"/api/runs/{run_id}/exports/{what}", Path(path)
        partial = target.with_name(target.name + ".part")
        with (
            self._reaching(),
            self._http.stream("GET", address, params=query) as answer,
            partial.open("wb") as file,
        ):
            for chunk in answer.iter_bytes():
                file.write(chunk)
        manifest = self._http.get(f"{address}/manifest", params=query)
        partial.replace(target)
        target.with_name(target.name + ".manifest.json").write_bytes(manifest.content)
        return dict(manifest.json())

    # --- the wire --------------------------------------------------------------------------------

    def _json(self, method: str, address: str, **options: Any) -> Json:
        with self._reaching():
            return dict(self._http.request(method, address, **options).json())

    def _send(self, file: Path, progress: upload.Progress) -> str:
        with self._reaching():
            return upload.send(self._http, file, progress)

    def _reaching(self) -> _Reaching:
        return _Reaching(self.url)

    @staticmethod
    def _wait(ask: Callable[[], Json], on_change: Callable[[Json], None]) -> Json:
        while True:
            state = ask()
            on_change(state)
            if state["status"] in FINAL:
                return state
            time.sleep(POLL_SECONDS)


class _Reaching:
    """Turns "nobody answers" into an error that says what to do."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            raise ServerUnreachable(
                f"No Noise Audit server answers at {self.url}. Start one with `noise-audit up`, "
                "or name it with NOISE_AUDIT_URL."
            ) from error


def _refuse(answer: httpx.Response) -> None:
    if answer.is_error:
        answer.read()
        try:
            body = answer.json()
        except ValueError:
            body = {"message": answer.text[:200]}
        raise ServerError(answer.status_code, body if isinstance(body, dict) else {})
