"""The Python client against the application: what it reads is what was published, and what breaks is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.store import accounts
from backend.store.artifacts import Artifacts
from noise_audit import BrokenOff, Client, JobFailed, ServerError, ServerUnreachable
from noise_audit.shapes import FigureName
from noise_audit.waiting import succeed


@pytest.fixture
def python(live: Any, account_id: str) -> Iterator[Client]:
    """The client with a token of the local account."""
    with live.database.transaction() as session:
        _, token = accounts.new_api_token(session, account_id, "a script", None)
    with Client(live.url, token) as client:
        yield client


@pytest.fixture
def scored(planted: Any, artifacts: Artifacts) -> Any:
    """The planted run with the file of scores that a worker leaves."""
    columns = {name: planted.result_N[name] for name in ("label_quality", "agreement", "x", "y")}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({**columns, "score_margin": planted.result_N["margin"]}), sink)
    artifacts.put(f"runs/{planted.run_id}/results.parquet", sink.getvalue().to_pybytes())
    return planted


def test_results_are_what_was_published_by_sample_index(python: Client, scored: Any) -> None:
    frame = python.results(scored.run_id)
    assert frame.index.tolist() == list(range(60))
    assert np.array_equal(frame["noise_posterior"], scored.result_N["noise_posterior"])
    assert frame["name"].tolist() == scored.names
    assert np.array_equal(frame["score_margin"], scored.result_N["margin"])
    assert python.results_table(scored.run_id).num_rows == 60


def test_issues_are_the_flags_most_suspect_first_and_scores_the_label_quality(
    python: Client, scored: Any
) -> None:
    posterior_N, flagged_N = scored.result_N["noise_posterior"], scored.result_N["flagged"]
    expected = [index for index in np.argsort(-posterior_N, kind="stable") if flagged_N[index]]
    assert python.find_label_issues(scored.run_id).tolist() == expected
    quality_N = python.get_label_quality_scores(scored.run_id)
    assert np.array_equal(quality_N.astype(np.float32), scored.result_N["label_quality"])


def test_every_figure_is_a_plotly_figure_with_data(python: Client, planted: Any) -> None:
    for name in get_args(FigureName):
        figure = python.figure(planted.run_id, name)
        assert isinstance(figure, go.Figure)
        assert len(figure.data) > 0, name


def test_decisions_are_written_by_class_name_and_read_back(python: Client, planted: Any) -> None:
    decided: list[dict[str, Any]] = [
        {"index": 5, "verdict": "relabel", "label": "=fox"},
        {"index": 2, "verdict": "keep"},
        {"index": 9, "verdict": "remove"},
    ]
    assert python.decide(planted.dataset_id, decided, idempotency_key="the-same-key")["recorded"] == 3
    assert python.decide(planted.dataset_id, decided, idempotency_key="the-same-key")["recorded"] == 0
    python.decide(planted.dataset_id, [{"index": 9, "verdict": "cleared"}])
    found = python.decisions(planted.dataset_id)
    assert [(each["index"], each["verdict"], each["label"]) for each in found] == [
        (2, "keep", None),
        (5, "relabel", 2),
    ]
    assert {each["account"] for each in found} == {"local"}
    with pytest.raises(ValueError, match="no class 'wolf'; there are 'cat', 'dog', '=fox'"):
        python.decide(planted.dataset_id, [{"index": 1, "verdict": "relabel", "label": "wolf"}])


def test_an_export_tells_how_far_it_is_and_its_manifest_knows_its_hash(
    python: Client, planted: Any, tmp_path: Path
) -> None:
    heard: list[tuple[int, int | None]] = []
    target = tmp_path / "pets.zip"
    manifest = python.export(
        planted.run_id, "dataset", target, progress=lambda received, total: heard.append((received, total))
    )
    assert heard[-1] == (target.stat().st_size, target.stat().st_size)
    assert manifest["file"]["name"] == "pets.zip"
    assert manifest["form"] == "class-folder"


def test_a_file_that_breaks_off_leaves_nothing_behind(
    python: Client, planted: Any, artifacts: Artifacts, tmp_path: Path
) -> None:
    key = f"datasets/{planted.dataset_id}/images.pack"
    artifacts.put(key, bytes(len(artifacts.get(key))), replace=True)
    with pytest.raises(BrokenOff):
        python.export(planted.run_id, "dataset", tmp_path / "pets.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_and_an_absence_are_said_in_words(python: Client) -> None:
    with pytest.raises(ServerError, match="NOT_FOUND"):
        python.run("0" * 32)
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(ServerUnreachable, match="noise-audit up"):
        nobody.datasets()


def test_a_job_that_fails_is_raised_with_its_code_after_it_was_told() -> None:
    states = iter(
        [
            {"status": "running", "progress": {"fraction": 0.5, "message": "Epoch 1"}},
            {
                "status": "failed",
                "progress": {"fraction": 0.5, "message": ""},
                "error": {"code": "DIVERGED", "message": "Not a number.", "hint": "Other settings."},
            },
        ]
    )
    told: list[tuple[float, str]] = []
    with pytest.raises(JobFailed) as failed:
        succeed(lambda: next(states), "Auditing", lambda fraction, message: told.append((fraction, message)))
    assert told == [(0.5, "Epoch 1"), (0.5, "failed")]
    assert (failed.value.code, failed.value.hint) == ("DIVERGED", "Other settings.")
