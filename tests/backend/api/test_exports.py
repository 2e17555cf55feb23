"""Exports over HTTP, compared cell by cell with the decisions made."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from typing import Any

import httpx
import pyarrow.parquet
import pytest

CLASSES = ["cat", "dog", "=fox"]


@pytest.fixture
def decided(client: httpx.Client, planted: Any) -> dict[int, tuple[str, int | None]]:
    """One of each verdict on flagged and on other samples, one taken back."""
    flagged = [int(index) for index in planted.result_N["sample_index"][planted.result_N["flagged"]]]
    others = [index for index in range(60) if index not in flagged]
    verdicts: dict[int, tuple[str, int | None]] = {
        flagged[0]: ("keep", None),
        flagged[1]: ("relabel", (int(planted.given_N[flagged[1]]) + 1) % 3),
        flagged[2]: ("remove", None),
        flagged[3]: ("unsure", None),
        others[0]: ("relabel", (int(planted.given_N[others[0]]) + 2) % 3),
        others[1]: ("remove", None),
    }
    items: list[dict[str, Any]] = [
        {"index": index, "verdict": verdict, **({} if label is None else {"label": label})}
        for index, (verdict, label) in verdicts.items()
    ]
    items.append({"index": flagged[4], "verdict": "remove"})
    address = f"/api/datasets/{planted.dataset_id}/decisions"
    client.post(address, json={"items": items, "idempotency_key": uuid.uuid4().hex})
    cleared = {"items": [{"index": flagged[4], "verdict": "cleared"}], "idempotency_key": uuid.uuid4().hex}
    assert client.post(address, json=cleared).status_code == 200
    return verdicts


def expected_labels(
    planted: Any, decided: dict[int, tuple[str, int | None]], unreviewed: str
) -> list[str | None]:
    """The rule in its plainest form: a decision wins, else the policy speaks for flags."""
    labels: list[str | None] = []
    for index in range(60):
        given = CLASSES[planted.given_N[index]]
        verdict, label = decided.get(index, (None, None))
        if verdict is None and planted.result_N["flagged"][index]:
            suggested = CLASSES[planted.result_N["suggested_label"][index]]
            labels.append({"keep": given, "accept": suggested, "remove": None}[unreviewed])
        elif verdict == "relabel":
            assert label is not None
            labels.append(CLASSES[label])
        else:
            labels.append(None if verdict == "remove" else given)
    return labels


def download(client: httpx.Client, run_id: str, what: str, **query: str) -> httpx.Response:
    answer = client.get(f"/api/runs/{run_id}/exports/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def rows(content: bytes, format: str) -> list[dict[str, Any]]:
    if format == "csv":
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    if format == "json":
        return list(json.loads(content)["rows"])
    return list(pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist())


@pytest.mark.parametrize("unreviewed", ["keep", "accept", "remove"])
@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_cleaned_labels_agree_with_the_decisions_cell_by_cell(
    client: httpx.Client, planted: Any, decided: Any, unreviewed: str, format: str
) -> None:
    answer = download(client, planted.run_id, "cleaned-labels", format=format, unreviewed=unreviewed)
    expected = expected_labels(planted, decided, unreviewed)
    found = rows(answer.content, format)
    assert len(found) == 60
    mark = "'" if format == "csv" else ""
    for index, row in enumerate(found):
        given = CLASSES[planted.given_N[index]]

        def cell(text: str | None) -> str | None:
            if text is None:
                return "" if format == "csv" else None
            return f"{mark}{text}" if text.startswith("=") else text

        assert int(row["index"]) == index
        assert row["name"] == cell(planted.names[index])
        assert row["given_label"] == cell(given)
        assert row["cleaned_label"] == cell(expected[index])
        assert str(row["changed"]).lower() == str(expected[index] != given).lower()
        assert row["because"].startswith("reviewer") == (index in decided)


def test_samples_hold_every_column_and_the_decision(client: httpx.Client, planted: Any, decided: Any) -> None:
    found = rows(download(client, planted.run_id, "samples", format="json").content, "json")
    assert list(found[0]) == [
        "index",
        "name",
        "given_label",
        "suggested_label",
        "noise_posterior",
        "loss",
        "margin",
        "flagged",
        "decision",
        "cleaned_label",
        "true_label",
    ]
    for index, row in enumerate(found):
        assert row["noise_posterior"] == planted.result_N["noise_posterior"][index]
        assert row["decision"] == decided.get(index, (None,))[0]
        assert row["true_label"] == CLASSES[planted.true_N[index]]


@pytest.mark.parametrize(
    ("what", "format"),
    [
        *(
            (what, format)
            for what in ("cleaned-labels", "samples", "scores")
            for format in ("csv", "jsonl", "parquet")
        ),
        ("model", "safetensors"),
    ],
)
def test_the_manifest_names_the_hash_of_exactly_this_file(
    client: httpx.Client, planted: Any, decided: Any, what: str, format: str
) -> None:
    file = download(client, planted.run_id, what, format=format, unreviewed="accept")
    about = client.get(
        f"/api/runs/{planted.run_id}/exports/{what}/manifest",
        params={"format": format, "unreviewed": "accept"},
    ).json()
    assert about["file"]["sha256"] == hashlib.sha256(file.content).hexdigest()
    assert about["file"]["bytes"] == len(file.content)
    assert f'filename="{about["file"]["name"]}"' in file.headers["Content-Disposition"]
    assert about["file"]["name"] == f"pets-co-{what}.{format}"
    assert about["run"]["seed"] == 3
    assert about["run"]["recipe"] == "fast"
    assert about["dataset"]["classes"] == CLASSES
    assert about["counts"]["samples"] == 60
    assert about["counts"]["decided"] == {"keep": 1, "relabel": 2, "remove": 2, "unsure": 1}


def test_the_manifest_travels_inside_json_and_parquet(client: httpx.Client, planted: Any) -> None:
    inside = json.loads(download(client, planted.run_id, "samples", format="json").content)["manifest"]
    table = pyarrow.parquet.read_table(
        io.BytesIO(download(client, planted.run_id, "samples", format="parquet").content)
    )
    assert json.loads(table.schema.metadata[b"noise_audit"]) == inside
    assert inside["run"]["id"] == planted.run_id


@pytest.mark.parametrize("unreviewed", ["keep", "accept", "remove"])
def test_the_preview_announces_exactly_what_the_file_then_holds(
    client: httpx.Client, planted: Any, decided: Any, unreviewed: str
) -> None:
    preview = client.get(
        f"/api/runs/{planted.run_id}/exports/preview", params={"unreviewed": unreviewed}
    ).json()
    found = rows(
        download(client, planted.run_id, "cleaned-labels", format="json", unreviewed=unreviewed).content,
        "json",
    )
    changed = [row for row in found if row["changed"]]
    assert preview["changes_total"] == len(changed) == preview["relabelled"] + preview["removed"]
    assert preview["removed"] == sum(row["cleaned_label"] is None for row in found)
    assert preview["unchanged"] == 60 - len(changed)
    for change, row in zip(preview["changes"], changed, strict=True):
        label = change["cleaned_label"]
        assert change["index"] == row["index"]
        assert (None if label is None else CLASSES[label]) == row["cleaned_label"]
        assert change["because"] == row["because"]


def test_downloading_is_noted_and_a_wrong_wish_is_refused(client: httpx.Client, planted: Any) -> None:
    for query in ({"format": "xlsx"}, {"unreviewed": "guess"}):
        answer = client.get(f"/api/runs/{planted.run_id}/exports/samples", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
    assert client.get(f"/api/runs/{planted.run_id}/exports/secrets").status_code == 422
