"""The two tables and their three file formats, read back cell by cell."""

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet
import pytest

from backend.audit.cleaning import cleaned_labels, count_cleaning
from backend.audit.exporting import Format, describe_file, sha256, to_csv, to_json, to_parquet, write
from backend.audit.tables import (
    Audit,
    cleaned_labels_table,
    decisions_hash,
    input_hash,
    manifest,
    samples_table,
    scores_table,
)

CLASSES = ["=cat", "dog, big", 'the "fox"']
NAMES = ["a.png", "=HYPERLINK(1)", "-1+2", "@x", "\ttab", "\rreturn", "+1", "new\nline", "＝wide", "plain -1"]
RNG = np.random.default_rng(0)
AUDIT = Audit(
    names=NAMES,
    classes=CLASSES,
    given_N=np.arange(10) % 3,
    true_N=(np.arange(10) + 1) % 3,
    suggested_N=np.arange(10)[::-1] % 3,
    noise_posterior_N=RNG.random(10),
    loss_N=RNG.random(10).astype(np.float32) * 7,
    margin_N=RNG.normal(size=10).astype(np.float32),
    flagged_N=np.arange(10) % 2 == 1,
    standing={1: ("relabel", 2, "ann", None), 3: ("remove", None), 4: ("cleared", None), 5: ("keep", None)},
)
CLEANED = cleaned_labels(AUDIT.given_N, AUDIT.suggested_N, AUDIT.flagged_N, AUDIT.standing, "accept")
MANIFEST = manifest(
    "samples",
    unreviewed="accept",
    counts=count_cleaning(AUDIT.given_N, AUDIT.flagged_N, CLEANED),
    dataset={"id": "d", "name": "ten"},
    run={"id": "r", "recipe": "fast", "seed": 0},
    as_of=datetime(2026, 1, 2, tzinfo=UTC),
    input_sha256="0" * 64,
    decisions_sha256="1" * 64,
    version="0.1.0",
)
SAMPLES = samples_table(AUDIT, CLEANED)
LABELS = cleaned_labels_table(AUDIT, CLEANED)


def test_the_columns_are_those_of_the_contract() -> None:
    assert SAMPLES.column_names == [
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
    assert LABELS.column_names == ["index", "name", "given_label", "cleaned_label", "changed", "because"]
    without = samples_table(AUDIT._replace(true_N=None), CLEANED)
    assert without.column_names == SAMPLES.column_names[:-1]


def test_json_holds_every_cell_as_it_is() -> None:
    document = json.loads(to_json(SAMPLES, MANIFEST))
    assert document["manifest"] == MANIFEST
    for index, row in enumerate(document["rows"]):
        assert row["index"] == index
        assert row["name"] == NAMES[index]
        assert row["given_label"] == CLASSES[AUDIT.given_N[index]]
        assert row["suggested_label"] == CLASSES[AUDIT.suggested_N[index]]
        assert row["true_label"] == CLASSES[AUDIT.true_N[index]]  # type: ignore[index]
        assert row["noise_posterior"] == AUDIT.noise_posterior_N[index]
        assert np.float32(row["loss"]) == AUDIT.loss_N[index]
        assert np.float32(row["margin"]) == AUDIT.margin_N[index]
        assert row["flagged"] is bool(AUDIT.flagged_N[index])
    assert [row["decision"] for row in document["rows"]] == (
        [None, "relabel", None, "remove", None, "keep"] + [None] * 4
    )
    assert document["rows"][3]["cleaned_label"] is None
    assert document["rows"][1]["cleaned_label"] == CLASSES[2]


def test_csv_neutralises_what_a_spreadsheet_would_run_and_leaves_numbers_alone() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(SAMPLES).decode(), newline="")))
    assert [row["name"] for row in rows] == [
        name if name in ("a.png", "new\nline", "plain -1") else f"'{name}" for name in NAMES
    ]
    assert {row["given_label"] for row in rows} == {"'=cat", "dog, big", 'the "fox"'}
    assert [float(row["noise_posterior"]) for row in rows] == AUDIT.noise_posterior_N.tolist()
    assert min(float(row["margin"]) for row in rows) < 0
    assert not any(row["margin"].startswith("'") for row in rows)
    assert rows[3]["cleaned_label"] == ""


def test_parquet_holds_the_same_rows_and_the_manifest() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(to_parquet(LABELS, MANIFEST)))
    assert table.to_pylist() == LABELS.to_pylist()
    assert json.loads(table.schema.metadata[b"noise_audit"]) == MANIFEST


def test_the_changed_column_agrees_with_the_labels() -> None:
    for row in LABELS.to_pylist():
        assert row["changed"] == (row["given_label"] != row["cleaned_label"])


@pytest.mark.parametrize("format", ["csv", "json", "jsonl", "parquet"])
def test_the_same_state_gives_the_same_bytes_and_the_manifest_names_their_hash(format: Format) -> None:
    data = write(SAMPLES, format, MANIFEST)
    assert data == write(samples_table(AUDIT, CLEANED), format, dict(MANIFEST))
    described = describe_file(MANIFEST, f"samples.{format}", data)
    assert described["file"] == {"name": f"samples.{format}", "bytes": len(data), "sha256": sha256(data)}


def test_a_number_that_is_none_becomes_null_in_json() -> None:
    table = samples_table(AUDIT._replace(loss_N=np.full(10, np.nan, np.float32)), CLEANED)
    assert {row["loss"] for row in json.loads(to_json(table, {}))["rows"]} == {None}


def test_json_lines_hold_the_same_rows_one_a_line() -> None:
    lines = write(SAMPLES, "jsonl", MANIFEST).decode().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(to_json(SAMPLES, MANIFEST))["rows"]


def test_scores_stand_behind_the_samples_columns() -> None:
    quality_N = np.linspace(0, 1, 10, dtype=np.float32)
    table = scores_table(AUDIT, CLEANED, {"label_quality": quality_N})
    assert table.column_names == [*SAMPLES.column_names, "label_quality"]
    assert table["label_quality"].to_numpy().tolist() == quality_N.tolist()


def test_anyone_can_make_the_hashes_of_input_and_decisions_again() -> None:
    images = np.arange(320, dtype=np.uint16).astype(np.uint8).reshape(10, 32)
    lines = [
        f"{bytes(images[index]).hex()}\t{CLASSES[AUDIT.given_N[index]]}\t{NAMES[index]}\n"
        for index in range(10)
    ]
    assert input_hash(NAMES, CLASSES, AUDIT.given_N, images) == sha256("".join(lines).encode())
    # What was taken back is no decision any more.
    assert decisions_hash(AUDIT.standing) == sha256(b"1\trelabel\t2\n3\tremove\t\n5\tkeep\t\n")
