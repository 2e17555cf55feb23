"""A byte that rotted in the artifact store is told, named and passed on to nobody; what is whole is still shown."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from backend.store.artifacts import SEAL, Artifacts

ROUTES = {
    "datasets/{dataset}/images.pack": "/api/datasets/{dataset}/samples/3/image",
    "datasets/{dataset}/images.offsets.npy": "/api/datasets/{dataset}/samples/3/image",
    "datasets/{dataset}/thumbs.pack": "/api/datasets/{dataset}/samples/3/thumbnail",
    "datasets/{dataset}/thumbs.offsets.npy": "/api/datasets/{dataset}/atlas?indices=1,2,3",
    "runs/{run}/features.npy": "/api/runs/{run}/samples/3",
    "runs/{run}/probabilities.npy": "/api/runs/{run}/samples/3",
    "runs/{run}/neighbours.npy": "/api/runs/{run}/samples/3",
    "runs/{run}/history.npz": "/api/runs/{run}/samples/3",
    "runs/{run}/model.safetensors": "/api/runs/{run}/exports/model?format=safetensors",
    "runs/{run}/selections/{selection}.u4": "/api/runs/{run}/samples?selection={selection}",
}
"""Every kind of artifact that a page or an export reads, with an address that does."""


@pytest.fixture
def rot(artifacts: Artifacts) -> Callable[[str], None]:
    """Flips a bit in the middle of an artifact, below the store."""

    def flip(key: str) -> None:
        data = bytearray(artifacts.objects.get(key))
        data[len(data) // 2] ^= 4
        artifacts.objects.put(key, bytes(data), replace=True)

    return flip


@pytest.mark.parametrize("of", ["", SEAL])
@pytest.mark.parametrize("kind", ROUTES)
def test_every_kind_of_artifact_is_checked_when_it_is_read(
    client: httpx.Client, planted: Any, rot: Callable[[str], None], kind: str, of: str
) -> None:
    names = {"dataset": planted.dataset_id, "run": planted.run_id, "selection": ""}
    if "{selection}" in kind:
        kept = client.post(f"/api/runs/{planted.run_id}/selections", json={"indices": [1, 2, 3]})
        names["selection"] = kept.json()["id"]
    key = kind.format(**names)
    rot(key + of)
    answer = client.get(ROUTES[kind].format(**names))
    assert answer.status_code == 503, answer.text
    body = answer.json()
    assert (body["code"], body["item"]) == ("ARTIFACT_CORRUPT", key)
    assert body["hint"]


def test_an_atlas_crosses_out_what_is_damaged_and_is_not_kept(
    client: httpx.Client, planted: Any, rot: Callable[[str], None]
) -> None:
    def cells() -> tuple[httpx.Response, np.ndarray[Any, Any]]:
        answer = client.get(f"/api/datasets/{planted.dataset_id}/atlas?indices=3,50&side=40")
        sheet = np.asarray(Image.open(io.BytesIO(answer.content))).astype(np.int16)
        return answer, sheet[20, [10, 50]]

    # The fixture's thumbnails share one chunk: a single bit takes all of them.
    rot(f"datasets/{planted.dataset_id}/thumbs.pack")
    answer, colours = cells()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (np.abs(colours - 0x8A) < 8).all()


def test_a_report_is_written_with_what_is_left(
    client: httpx.Client, planted: Any, rot: Callable[[str], None]
) -> None:
    rot(f"datasets/{planted.dataset_id}/thumbs.pack")
    answer = client.get(f"/api/runs/{planted.run_id}/report")
    assert answer.status_code == 200
    assert "data:image/png;base64," in answer.text


def test_a_dataset_with_a_damaged_image_is_not_exported_as_if_it_were_whole(
    client: httpx.Client, planted: Any, rot: Callable[[str], None]
) -> None:
    rot(f"datasets/{planted.dataset_id}/images.pack")
    address = f"/api/runs/{planted.run_id}/exports/dataset?format=class-folder"
    # It is sent while it is read: what breaks off cannot be taken for a whole one.
    try:
        sent = client.get(address)
    except httpx.RemoteProtocolError:
        return
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(sent.content))
