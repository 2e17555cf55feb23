"""The client's types name exactly the keys that the server's OpenAPI document names."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from backend.api.openapi import document
from noise_audit import shapes

SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
PAIRS = [
    (shapes.Error, "ErrorAnswer"),
    (shapes.LogLine, "LogLine"),
    (shapes.Progress, "Progress"),
    (shapes.Dataset, "DatasetAnswer"),
    (shapes.Trust, "Trust"),
    (shapes.Metrics, "DetectionMetrics"),
    (shapes.Run, "RunAnswer"),
    (shapes.Decision, "StandingDecision"),
    (shapes.Recorded, "DecisionsAnswer"),
]


@pytest.mark.parametrize(("shape", "schema"), PAIRS, ids=[schema for _, schema in PAIRS])
def test_a_type_has_the_keys_of_the_servers_answer(shape: Any, schema: str) -> None:
    assert set(shape.__annotations__) == set(SCHEMAS[schema]["properties"])


def test_the_kinds_of_exports_and_figures_are_the_servers() -> None:
    paths = document()["paths"]
    export = paths["/api/runs/{run_id}/exports/{what}"]["get"]["parameters"]
    what = next(parameter for parameter in export if parameter["name"] == "what")
    assert set(get_args(shapes.Export)) == set(what["schema"]["enum"])
    for name in get_args(shapes.FigureName):
        assert f"/api/runs/{{run_id}}/figures/{name}" in paths
