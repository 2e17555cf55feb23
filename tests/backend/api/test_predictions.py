"""Predictions over HTTP: an upload becomes a run, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

Upload = Callable[[str, bytes], str]


def test_an_upload_of_predictions_becomes_a_queued_run(
    client: httpx.Client, ready_dataset: Callable[..., str], uploaded: Upload
) -> None:
    dataset_id = ready_dataset()
    body = {"upload_id": uploaded("mine.csv", b"cat,dog"), "in_sample": True}
    answer = client.post(f"/api/datasets/{dataset_id}/predictions", json=body)
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert (run["recipe"], run["status"]) == ("predictions", "queued")
    assert run["settings"] == {"filename": "mine.csv", "in_sample": True, "logits": False}
    assert client.get("/api/runs", params={"dataset_id": dataset_id}).json()["items"] == [run]


def test_an_upload_that_is_not_there_or_no_longer_is_refused(
    client: httpx.Client, planted: Any, uploaded: Upload, artifacts: Any
) -> None:
    address = f"/api/datasets/{planted.dataset_id}/predictions"
    assert client.post(address, json={"upload_id": "0" * 32}).status_code == 404
    upload_id = uploaded("p.npy", b"0")
    artifacts.delete(f"uploads/{upload_id}")
    refused = client.post(address, json={"upload_id": upload_id})
    assert (refused.status_code, refused.json()["code"]) == (404, "UPLOAD_USED")


def test_the_recipe_of_predictions_cannot_be_trained(client: httpx.Client, planted: Any) -> None:
    refused = client.post(f"/api/datasets/{planted.dataset_id}/runs", json={"recipe": "predictions"})
    assert (refused.status_code, refused.json()["item"]) == (422, "recipe")


def test_an_embedding_goes_with_a_run_of_any_recipe(
    client: httpx.Client, planted: Any, uploaded: Upload
) -> None:
    body = {"recipe": "ce", "settings": {"epochs": 3}, "embedding_upload_id": uploaded("v.npy", b"0")}
    run = client.post(f"/api/datasets/{planted.dataset_id}/runs", json=body).json()
    assert run["settings"] == {"epochs": 3, "filename": "v.npy"}
    body["embedding_upload_id"] = "0" * 32
    assert client.post(f"/api/datasets/{planted.dataset_id}/runs", json=body).status_code == 404
