"""A connection to one server, and what is done to a dataset or a run alike: wait for it, delete it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar, cast

from noise_audit import upload, waiting
from noise_audit.shapes import Dataset, Run
from noise_audit.waiting import Told
from noise_audit.wire import Json, Wire

Job = TypeVar("Job", Dataset, Run)


class Connection:
    """What every part of the client speaks through."""

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

    def wait(self, job: Job, *, progress: Told | None = None) -> Job:
        """The dataset or run once it is ready or has succeeded. Raises `JobFailed` when it ends otherwise.

        `progress` hears (fraction done, what is being done); without it there is a bar in a terminal or a notebook.
        """
        noun, title = ("runs", "Auditing") if "recipe" in job else ("datasets", "Importing")
        return waiting.succeed(
            lambda: cast(Job, self._wire.json("GET", f"/api/{noun}/{job['id']}")), title, progress
        )

    def deletion(self, kind: Literal["datasets", "runs"], id_: str) -> Json:
        """What deleting a dataset or a run would free, in rows and bytes; nothing is deleted."""
        return self._wire.json("GET", f"/api/{kind}/{id_}/deletion")

    def delete(self, kind: Literal["datasets", "runs"], id_: str) -> Json:
        """Delete a dataset (with its runs and decisions) or a run for good; gives what was freed."""
        return self._wire.json("DELETE", f"/api/{kind}/{id_}")

    def _sent(self, path: str | Path, uploading: upload.Progress = lambda sent, total: None) -> str:
        return self._wire.send(Path(path), uploading)[0]
