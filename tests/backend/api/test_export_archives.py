"""Archives over HTTP: the cleaned dataset in its forms, the network, the embedding; whole, announced and checked."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.store.artifacts import Artifacts
from backend.store.packs import Pack

CLASSES = ["cat", "dog", "=fox"]


def archive(client: httpx.Client, run_id: str, **query: str) -> zipfile.ZipFile:
    answer = client.get(f"/api/runs/{run_id}/exports/dataset", params=query)
    assert answer.status_code == 200, answer.text
    opened = zipfile.ZipFile(io.BytesIO(answer.content))
    assert opened.testzip() is None
    return opened


def test_class_folders_hold_the_stored_bytes_by_cleaned_label_without_the_removed(
    client: httpx.Client, planted: Any, artifacts: Artifacts
) -> None:
    with archive(client, planted.run_id, format="class-folder", unreviewed="remove") as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
        about = json.loads(opened.read("manifest.json"))
    kept = [index for index in range(60) if not planted.result_N["flagged"][index]]
    pack = Pack(artifacts, f"datasets/{planted.dataset_id}/images")
    expected = {
        f"{CLASSES[planted.given_N[index]]}/{planted.names[index]}": pack.read(index) for index in kept
    }
    assert {name: data for name, data in files.items() if "/" in name} == expected
    assert about["counts"]["removed"] == 60 - len(kept)
    assert about["images"] == {"files": len(kept), "are": "as delivered, byte for byte"}
    sums = dict(line.split("  ", 1)[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "SHA256SUMS"
    }


@pytest.mark.parametrize("form", ["class-folder", "manifest", "webdataset", "coco"])
def test_the_length_is_announced_and_nothing_is_packed_on_the_way(
    client: httpx.Client, planted: Any, form: str
) -> None:
    address = f"/api/runs/{planted.run_id}/exports/dataset"
    answer = client.get(address, params={"format": form}, headers={"Accept-Encoding": "gzip"})
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="pets-co-dataset-{form}.zip"'
    assert zipfile.is_zipfile(io.BytesIO(answer.content))


def test_an_accepted_suggestion_is_the_label_of_the_hugging_face_folder(
    client: httpx.Client, planted: Any
) -> None:
    with archive(client, planted.run_id, format="parquet", unreviewed="accept") as opened:
        table = pq.read_table(io.BytesIO(opened.read("data/train-00000-of-00001.parquet")))
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"_type": "ClassLabel", "names": CLASSES}
    flagged_N = planted.result_N["flagged"]
    accepted_N = np.where(flagged_N, planted.result_N["suggested_label"], planted.given_N)
    assert table["label"].to_pylist() == accepted_N.tolist()
    assert table["given_label"].to_pylist() == planted.given_N.tolist()
    assert table["image"].to_pylist()[7]["path"] == "=007.png"


def test_what_can_be_taken_away_is_told_with_the_reasons_against(client: httpx.Client, planted: Any) -> None:
    offered = client.get(f"/api/runs/{planted.run_id}/exports").json()
    assert offered["images"] == 60
    assert offered["formats"]["cleaned-labels"] == ["csv", "json", "jsonl", "parquet"]
    forms = {form["format"]: form for form in offered["forms"]}
    assert forms["cifar-binary"]["refusal"] == "only images of 32 × 32 pixels fit"
    assert [name for name, form in forms.items() if form["as_delivered"]] == ["class-folder"]
    fewer = client.get(f"/api/runs/{planted.run_id}/exports", params={"unreviewed": "remove"}).json()
    assert fewer["images"] == 60 - int(planted.result_N["flagged"].sum())


@pytest.mark.parametrize(
    ("what", "format"), [("dataset", "cifar-binary"), ("dataset", "csv"), ("samples", "webdataset")]
)
def test_a_format_that_does_not_suit_is_refused_with_what_does(
    client: httpx.Client, planted: Any, what: str, format: str
) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/exports/{what}", params={"format": format})
    assert (answer.status_code, answer.json()["code"]) == (422, "FORMAT_UNSUITABLE")
    assert answer.json()["found"] == format


def test_a_changed_image_breaks_the_download_off_instead_of_travelling(
    client: httpx.Client, planted: Any, artifacts: Artifacts
) -> None:
    key = f"datasets/{planted.dataset_id}/images.pack"
    data = bytearray(artifacts.get(key))
    data[len(data) // 2] ^= 1
    artifacts.put(key, bytes(data), replace=True)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"/api/runs/{planted.run_id}/exports/dataset", params={"format": "class-folder"})


def test_the_manifest_names_input_decisions_and_form(client: httpx.Client, planted: Any) -> None:
    address = f"/api/runs/{planted.run_id}/exports/dataset/manifest"
    about = client.get(address).json()
    assert about["form"] == "class-folder"
    assert about["file"]["name"] == "pets-co-dataset-class-folder.zip"
    before = about["decisions"]["sha256"]
    decision = {"items": [{"index": 3, "verdict": "remove"}], "idempotency_key": "a-decision"}
    client.post(f"/api/datasets/{planted.dataset_id}/decisions", json=decision)
    after = client.get(address).json()
    assert after["input"] == about["input"]
    assert after["decisions"]["sha256"] == hashlib.sha256(b"3\tremove\t\n").hexdigest() != before


def test_the_embedding_is_the_stored_features_by_sample(
    client: httpx.Client, planted: Any, artifacts: Artifacts
) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/exports/embedding")
    table = pq.read_table(io.BytesIO(answer.content))
    feature_NF = np.load(io.BytesIO(artifacts.get(f"runs/{planted.run_id}/features.npy")))
    assert table["name"].to_pylist() == planted.names
    assert np.array_equal(np.stack(table["feature"].to_numpy()), feature_NF.astype(np.float32))
    assert json.loads(table.schema.metadata[b"noise_audit"])["width"] == 6


def test_the_network_travels_with_its_readme(client: httpx.Client, planted: Any) -> None:
    answer = client.get(f"/api/runs/{planted.run_id}/exports/model")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.read("model.safetensors") == b"weights"
        assert 'load("model.safetensors")' in opened.read("README.md").decode()
        assert json.loads(opened.read("manifest.json"))["run"]["id"] == planted.run_id


def test_a_run_that_trained_nothing_says_so(client: httpx.Client, planted: Any, artifacts: Artifacts) -> None:
    artifacts.delete(f"runs/{planted.run_id}/model.safetensors")
    offered = client.get(f"/api/runs/{planted.run_id}/exports").json()["formats"]
    assert "model" not in offered
    assert "embedding" in offered
    answer = client.get(f"/api/runs/{planted.run_id}/exports/model")
    assert (answer.status_code, answer.json()["code"]) == (404, "EXPORT_MISSING")
