"""Annotators' labels over HTTP: read from a table, shown per sample, exported, and never in the way of the given labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

Upload = Callable[[str, bytes], str]
CLASSES = ["cat", "dog", "=fox"]


@pytest.fixture
def send(client: httpx.Client, planted: Any, uploaded: Upload) -> Callable[[str], httpx.Response]:
    """Sends a CSV of annotators' labels for the planted dataset."""

    def go(text: str) -> httpx.Response:
        body = {"upload_id": uploaded("labels.csv", text.encode())}
        return client.post(f"/api/datasets/{planted.dataset_id}/annotations", json=body)

    return go


def test_agreement_and_consensus_stand_beside_a_sample(
    client: httpx.Client, planted: Any, send: Callable[[str], httpx.Response]
) -> None:
    true_N = planted.true_N
    rows = [
        f"{n},{CLASSES[true_N[n]]},{CLASSES[true_N[n]]},{CLASSES[(true_N[n] + n % 2) % 3]}" for n in range(60)
    ]
    rows[5] = "5,,,"
    rows[7] = "7,dog,,"
    answer = send("\n".join(["index,Ann,Bob,Cy", *rows, ""]))
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert [each["labels"] for each in said["annotators"]] == [59, 58, 58]
    assert said["annotators"][0]["accuracy"] > 0.85 > 0.7 > said["annotators"][2]["accuracy"]
    assert said["annotated"] == 59
    address = f"/api/datasets/{planted.dataset_id}/annotations"
    assert client.get(address).json() == said
    assert (
        client.get(f"/api/datasets/{planted.dataset_id}").json()["report"]["annotations"]["annotated"] == 59
    )

    sample = client.get(f"/api/runs/{planted.run_id}/samples/3").json()["annotations"]
    assert [each["annotator"] for each in sample["labels"]] == ["Ann", "Bob", "Cy"]
    assert sample["majority"] == sample["consensus"] == true_N[3]
    assert sample["agreement"] == pytest.approx(2 / 3, abs=1e-3)
    assert sample["consensus_probability"] > 0.8
    assert client.get(f"/api/runs/{planted.run_id}/samples/5").json()["annotations"] is None

    expected = [n for n in range(60) if n not in (5, 7) and true_N[n] != planted.given_N[n]]
    expected = sorted([*expected, *([7] if planted.given_N[7] != 1 else [])])
    differing = np.frombuffer(client.get(f"{address}/differing").content, "<u4")
    assert differing.tolist() == expected
    assert said["differing"] == len(expected)

    exported = client.get(f"/api/runs/{planted.run_id}/exports/samples").text
    row = list(csv.DictReader(io.StringIO(exported)))[3]
    assert row["consensus_label"].removeprefix("'") == CLASSES[true_N[3]]
    assert float(row["annotator_agreement"]) == pytest.approx(2 / 3)
    assert list(row)[-1] == "true_label"


def test_labels_may_be_numbers_and_come_by_name(send: Callable[[str], httpx.Response]) -> None:
    said = send("name,Ann\n000.png,2\n'=007.png,0\n").json()
    assert (said["annotated"], said["annotators"][0]["labels"]) == (2, 2)


@pytest.mark.parametrize(
    ("text", "code", "item"),
    [
        ("index,Ann\n0,cat\n1,wolf\n", "LABEL_UNKNOWN", "line 3"),
        ("index,Ann\n0,cat\n0,dog\n", "DUPLICATE_SAMPLE", "line 3"),
        ("index,Ann\n60,cat\n", "SAMPLE_UNKNOWN", "line 2"),
        ("name,Ann\nnobody.png,cat\n", "SAMPLE_UNKNOWN", "line 2"),
        ("Ann,Bob\ncat,dog\n", "LABEL_COUNT", None),
        ("index\n0\n", "LABEL_MISSING", None),
        ("index,Ann\n0,cat,dog\n", "CSV_PARSE", "line 2"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(
    send: Callable[[str], httpx.Response], text: str, code: str, item: str | None
) -> None:
    refused = send(text)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json().get("item") == item
