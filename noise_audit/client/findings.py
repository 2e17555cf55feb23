"""What a run found: tables, figures and files to take away."""

from __future__ import annotations

import io
import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noise_audit.client.connection import Connection
from noise_audit.shapes import Export, FigureName, Unreviewed
from noise_audit.wire import Bytes, Json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import plotly.graph_objects as go
    import pyarrow as pa


class Findings(Connection):
    """What is read of a finished run."""

    def results(self, run_id: str, *, unreviewed: Unreviewed = "keep") -> pd.DataFrame:
        """One row per sample, its index the sample index: labels, noise posterior, every score, decision.

        Needs pandas.
        """
        if find_spec("pandas") is None:
            raise ImportError(
                "results() gives a pandas DataFrame: pip install pandas, or take results_table()."
            )
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
