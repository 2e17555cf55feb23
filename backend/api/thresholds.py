"""What each threshold on the noise posterior would flag, and what to expect of it."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.context import Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas.summaries import ThresholdRow, Thresholds
from backend.audit.flagging import posterior_distribution
from backend.store.results import ResultColumns

router = APIRouter(prefix="/api/runs/{run_id}", tags=["runs"])


@router.get("/thresholds")
def get_thresholds(run_id: Id, context: In, caller: Me) -> Thresholds:
    """The distribution of the noise posteriors, and flags, expected precision and recall at each threshold."""
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to weigh thresholds")
        columns = context.published.results(session, run_id)
        own = run.outcome.get("threshold")
    return context.published.summary((run_id, "thresholds"), lambda: _thresholds(columns, own))


def _thresholds(columns: ResultColumns, own: float | None) -> Thresholds:
    distribution = posterior_distribution(columns.noise_posterior, own)
    rows = zip(*(values.tolist() for values in distribution.at), strict=True)
    return Thresholds(
        threshold=own,
        samples=len(columns.noise_posterior),
        edges=distribution.edge_B1.tolist(),
        counts=distribution.count_B.tolist(),
        items=[
            ThresholdRow(threshold=at, flagged=flagged, expected_precision=precision, expected_recall=recall)
            for at, flagged, precision, recall in rows
        ],
    )
