"""Blind double review: switched on and off, looked at, settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from noise_audit.client.decisions import Decisions
from noise_audit.shapes import Decision
from noise_audit.wire import Json

PAGE = 200
"""As many samples as the server gives at once."""


class Reviews(Decisions):
    """What is done with a review in which people decide independently of each other."""

    def review(self, dataset_id: str) -> Json:
        """Whether it is blind, since when, how many decisions are one's own, and, for its owner, how far everybody is."""
        return self._wire.json("GET", f"/api/datasets/{dataset_id}/review")

    def review_blind(self, dataset_id: str, blind: bool = True) -> Json:
        """From now on reviewers see their own decisions alone; with False the newest decision of each sample stands."""
        return self._wire.json("PUT", f"/api/datasets/{dataset_id}/review", json={"blind": blind})

    def reviewed(
        self, dataset_id: str, status: Literal["once", "agreed", "disagree", "adjudicated"] | None = None
    ) -> Iterator[Json]:
        """Samples of a blind review by rising index with `answers`, what each reviewer said; for its owner."""
        address, offset = f"/api/datasets/{dataset_id}/review/samples", 0
        asked: dict[str, Any] = {"limit": PAGE} if status is None else {"limit": PAGE, "status": status}
        while True:
            page = self._wire.json("GET", address, params={**asked, "offset": offset})
            yield from page["items"]
            offset += len(page["items"])
            if not page["items"] or offset >= page["total"]:
                return

    def adjudicate(
        self,
        dataset_id: str,
        items: Sequence[Decision | Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Settle samples of a blind review, items as in `decide`: what is said here stands, whatever the reviewers say."""
        address = f"/api/datasets/{dataset_id}/review/adjudications"
        recorded, answer = self._recorded(dataset_id, address, items, idempotency_key)
        return {**answer, "recorded": recorded}
