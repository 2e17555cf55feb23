"""People's decisions: recorded, read, brought in from a table."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noise_audit.client.datasets import Datasets
from noise_audit.shapes import Decision, Recorded
from noise_audit.wire import Json

DECISIONS_AT_ONCE = 10_000
"""As many as the server takes in one request."""


class Decisions(Datasets):
    """What is done with decisions."""

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
        address = f"/api/datasets/{dataset_id}/decisions"
        recorded, answer = self._recorded(dataset_id, address, items, idempotency_key, run_id=run_id)
        return {"recorded": recorded, "counts": answer["counts"]}

    def decisions(self, dataset_id: str) -> list[Decision]:
        """The decision that stands on each sample that has one, by rising sample index."""
        return list(self._wire.json("GET", f"/api/datasets/{dataset_id}/decisions/standing")["items"])

    def import_decisions(
        self, dataset_id: str, path: str | Path, *, idempotency_key: str, dry_run: bool = False
    ) -> Json:
        """Record the decisions in a table (CSV, JSON Lines or Parquet: index or name, decision, label), or with `dry_run` say what it
        would change and which lines are wrong."""
        address = f"/api/datasets/{dataset_id}/decisions/import"
        body = {"upload_id": self._sent(path)}
        if dry_run:
            return self._wire.json("POST", f"{address}/preview", json=body)
        return self._wire.json("POST", address, json={**body, "idempotency_key": idempotency_key})

    def _recorded(
        self,
        dataset_id: str,
        address: str,
        items: Sequence[Decision | Mapping[str, Any]],
        idempotency_key: str | None,
        **said: Any,
    ) -> tuple[int, Json]:
        """Send items in as many requests as they need: how many were recorded, and the last answer."""
        key = idempotency_key or uuid.uuid4().hex
        classes: list[str] = []
        if any(isinstance(item.get("label"), str) for item in items):
            classes = self.dataset(dataset_id)["classes"]
        sent = [_with_class_index(dict(item), classes) for item in items]
        recorded, answer = 0, {}
        for begin in range(0, max(1, len(sent)), DECISIONS_AT_ONCE):
            part_key = f"{key}-{begin}" if begin else key
            part = {"items": sent[begin : begin + DECISIONS_AT_ONCE], "idempotency_key": part_key}
            answer = self._wire.json("POST", address, json={**part, **said})
            recorded += answer["recorded"]
        return recorded, answer


def _with_class_index(item: Json, classes: Sequence[str]) -> Json:
    label = item.get("label")
    if isinstance(label, str):
        if label not in classes:
            raise ValueError(f"There is no class {label!r}; there are {', '.join(map(repr, classes))}.")
        item["label"] = classes.index(label)
    return item
