"""A look at an upload or a server folder before it becomes a dataset; keeps the report and nothing else.

`python -m worker.preflight PREFLIGHT CLAIM`; started by `worker.jobs`, one process per look.
"""

from __future__ import annotations

import sys
import time

from backend.settings import Settings
from backend.store import claims
from backend.store.artifacts import Artifacts
from backend.store.database import patiently
from backend.store.tables import Preflight
from worker.claimed import Claimed
from worker.delivered import delivered
from worker.door import Stopped, enter
from worker.ingest import Cancelled
from worker.ingest.preflight import look
from worker.scratch import scratch_folder


def preflight(settings: Settings, artifacts: Artifacts, claimed: Claimed, row: Preflight) -> None:
    """Look, and write the report on the row."""
    began = time.monotonic()

    def tell(message: str, fraction: float) -> None:
        claimed.progress(force=True, stage="look", message=message, fraction=fraction)

    tell("Opening the files", 0.0)
    with scratch_folder(settings.data, f"preflight-{row.id}-{claimed.claim_id}") as folder:
        try:
            # Always all splits: the page shows each, and the wish is for the import.
            wish = {**row.source, "split": "all"}
            with delivered(wish, settings, claimed.database, artifacts, folder) as source:
                part = bool(row.source.get("append"))
                report = look(source, settings.limits, tell, claimed.should_stop, part=part)
        except Cancelled as cancelled:
            raise Stopped from cancelled
    report["seconds"] = round(time.monotonic() - began, 2)

    def write() -> None:
        with claimed.database.transaction() as session:
            progress = {"stage": "done", "fraction": 1.0}
            claims.finish(
                session, Preflight, row.id, claimed.claim_id, "ready", report=report, progress=progress
            )

    patiently(write)


if __name__ == "__main__":
    sys.exit(enter(Preflight, preflight, sys.argv[1:]))
