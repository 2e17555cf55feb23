"""The OpenAPI document, walked from end to end: whoever generates a client from it, or reads it, finds everything."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

from backend.api.described import TAGS
from backend.api.gate import is_public
from backend.api.openapi import document

with warnings.catch_warnings():
    # Theirs, while it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from jsonschema import Draft202012Validator
    from openapi_spec_validator import OpenAPIV31SpecValidator

DOCUMENT = document()
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"),
    OPERATIONS,
    ids=[operation["operationId"] for _, _, operation in OPERATIONS],
)


def bodies(operation: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(which, media type, content) of what is sent and answered."""
    parts = {"request": operation.get("requestBody", {}), **operation["responses"]}
    return [
        (name, kind, content)
        for name, body in parts.items()
        for kind, content in body.get("content", {}).items()
    ]


def test_the_document_is_valid_and_every_name_is_its_own() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names)) > 50
    assert DOCUMENT["info"]["description"]
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == set(TAGS)


@each_operation
def test_an_operation_says_what_it_does_and_what_it_refuses(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
    assert 5 < len(operation["summary"]) <= 130
    assert not operation["summary"].endswith(".")
    assert operation["description"]
    assert len(operation["tags"]) == 1
    for status in ("4XX", "422", "5XX"):
        content = operation["responses"][status]["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}
    assert any(status.startswith("2") for status in operation["responses"])
    for parameter in operation.get("parameters", []):
        assert "schema" in parameter, parameter["name"]


@each_operation
def test_every_body_has_a_shape_and_an_example_that_fits_it(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    for name, kind, content in bodies(operation):
        assert "schema" in content, (name, kind)
        if kind != "application/json":
            continue
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert errors == [], (name, content["example"])


@each_operation
def test_the_ways_to_sign_in_are_those_of_the_gate(method: str, path: str, operation: dict[str, Any]) -> None:
    assert (operation.get("security") == []) == is_public(method, path)
    assert DOCUMENT["security"] == [{"token": []}, {"session": []}]


def test_an_example_of_a_request_is_one_that_the_server_takes(client: Any, planted: Any) -> None:
    """The shapes are the document's own; that they mean something is seen by sending two of them."""
    sent = {
        (f"/api/datasets/{planted.dataset_id}/runs", "create_run"): {},
        (f"/api/datasets/{planted.dataset_id}/decisions", "create_decisions"): {"run_id": planted.run_id},
    }
    examples = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["example"]
        for _, _, operation in OPERATIONS
        if "requestBody" in operation
    }
    for (address, name), changed in sent.items():
        answer = client.post(address, json={**examples[name], **changed})
        assert answer.is_success, answer.text
