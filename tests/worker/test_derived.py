"""A dataset made of another one: planted noise, new labels, further samples, and the decisions that go with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from backend.audit.importing import Item
from backend.store import annotators, datasets, deciding, decisions, runs, uploads
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.packs import Pack
from backend.store.tables import Account, Dataset
from tests.worker.ingest.written import as_zip, png, table
from tests.worker.ingest.written import digits as labelled_digits
from worker import door, prepare

Prepare = Callable[..., Dataset]


def test_planted_noise_keeps_the_true_labels_and_shares_the_images(
    digits: str, prepared: Prepare, database: Database
) -> None:
    source = {"kind": "injection", "noise": "symmetric-exclusive", "rate": 0.3, "matrix": None, "seed": 4}
    derived = prepared(source, parent_id=digits)
    assert derived.status == "ready", derived.error
    assert derived.has_true_labels
    assert derived.content_id == digits
    with database.transaction() as session:
        given_N, true_N = datasets.labels(session, derived.id)
        _, parents_true_N = datasets.labels(session, digits)
    assert true_N is not None
    assert parents_true_N is not None
    np.testing.assert_array_equal(true_N, parents_true_N)
    assert np.mean(given_N != true_N) == pytest.approx(0.3, abs=0.001)
    assert derived.report["planted"]["share_wrong"] == pytest.approx(0.3, abs=0.001)


def test_instance_dependent_noise_looks_at_the_pixels(digits: str, prepared: Prepare) -> None:
    source = {"kind": "injection", "noise": "instance", "rate": 0.2, "matrix": None, "seed": 4}
    derived = prepared(source, parent_id=digits)
    assert derived.status == "ready", derived.error
    assert derived.report["planted"]["share_wrong"] == pytest.approx(0.2, abs=0.05)


def test_a_matrix_that_is_none_fails_in_words(digits: str, prepared: Prepare) -> None:
    source = {"kind": "injection", "noise": "class-conditional", "rate": None, "matrix": [[1.0]], "seed": 0}
    derived = prepared(source, parent_id=digits)
    assert derived.status == "failed"
    assert derived.error is not None
    assert derived.error["code"] == "INVALID"
    assert "10 × 10" in derived.error["message"]


def test_a_self_test_has_its_run_queued_as_soon_as_its_labels_stand(
    digits: str, prepared: Prepare, database: Database, owner: str
) -> None:
    wish = {"recipe": "fast", "settings": {"epochs": 2}, "seed": 6}
    source = {"kind": "injection", "noise": "class-conditional", "rate": 0.2, "seed": 6, "self_test": wish}
    derived = prepared(source, parent_id=digits)
    assert derived.status == "ready", derived.error
    assert derived.report["planted"]["share_wrong"] == pytest.approx(0.2, abs=0.03)
    with database.transaction() as session:
        (run,) = runs.list_for(session, owner, derived.id)
        assert (run.status, run.recipe, run.config, run.seed) == ("queued", "fast", {"epochs": 2}, 6)
        assert runs.list_for(session, owner, digits) == []


def test_new_labels_make_a_version_of_the_same_images(
    digits: str, owner: str, database: Database, artifacts: Artifacts
) -> None:
    with database.transaction() as session:
        before = datasets.samples(session, digits)
        parent = datasets.load(session, digits)
        source = {"kind": "labels", "upload_id": "table", "filename": "labels.csv"}
        version = datasets.create(session, owner, "digits, again", source, parent).id
    changed = (before.given_label_N[[5, 9]] + 1) % 10
    artifacts.put("uploads/table", f"index,label\n9,{changed[1]}\n5,{changed[0]}\n7,\n".encode())
    assert door.enter(Dataset, prepare.prepare, [version, uuid4().hex]) == 0
    with database.transaction() as session:
        made, after = datasets.load(session, version), datasets.samples(session, version)
        assert made.status == "ready", made.error
        assert (made.content_id, made.report["relabelled"]) == (digits, 2)
        assert "planted" not in made.report
    assert np.flatnonzero(after.given_label_N != before.given_label_N).tolist() == [5, 9]
    assert after.given_label_N[[5, 9]].tolist() == changed.tolist()
    np.testing.assert_array_equal(after.true_label_N, before.true_label_N)
    assert not artifacts.exists("uploads/table")


def test_a_table_of_labels_that_rotted_where_it_is_stored_makes_no_version(
    digits: str, prepared: Prepare, owner: str, database: Database, artifacts: Artifacts
) -> None:
    artifacts.put("uploads/table", b"index,label\n9,3\n")
    with database.transaction() as session:
        uploads.record(session, owner, "table", "labels.csv", 16, digest="of what arrived")
    source = {"kind": "labels", "upload_id": "table", "filename": "labels.csv"}
    version = prepared(source, parent_id=digits)
    assert version.error is not None
    assert (version.status, version.error["code"]) == ("failed", "UPLOAD_CORRUPT")


def digit_files(tmp_path: Path, name: str, labels: dict[int, str], **columns: dict[int, str]) -> bytes:
    """A zip of digits with a table of their labels; images and rows are named by the digits' places."""
    image = labelled_digits(max(labels) + 1).image
    rows = [
        {"image": f"{place}.png", "label": label}
        | {column: cells.get(place) for column, cells in columns.items()}
        for place, label in labels.items()
    ]
    files = {f"{place}.png": png(image[place]) for place in labels}
    return as_zip(tmp_path / name, {**files, "table.csv": table(rows, "csv")}).read_bytes()


@pytest.fixture
def bring(prepared: Prepare, artifacts: Artifacts, tmp_path: Path) -> Prepare:
    """Imports digits, or adds them to a dataset."""

    def make(
        labels: dict[int, str],
        onto: Dataset | None = None,
        wish: dict[str, object] | None = None,
        **columns: dict[int, str],
    ) -> Dataset:
        upload = uuid4().hex
        artifacts.put(f"uploads/{upload}", digit_files(tmp_path, f"{upload}.zip", labels, **columns))
        kind = "upload" if onto is None else "append"
        source = {"kind": kind, "upload_id": upload, "filename": "digits.zip", "split": "all", **(wish or {})}
        return prepared(source, onto.id if onto else None)

    return make


def said_of(database: Database, dataset: Dataset) -> list[tuple[str, str]]:
    """(name, class) of each sample."""
    with database.transaction() as session:
        rows = datasets.samples(session, dataset.id)
    return [
        (name, dataset.classes[label]) for name, label in zip(rows.names, rows.given_label_N, strict=True)
    ]


def test_what_is_appended_stands_behind_what_was_there_and_what_was_there_already_is_left_out(
    bring: Prepare, database: Database, artifacts: Artifacts
) -> None:
    first = bring({0: "cat", 1: "dog", 2: "cat", 3: "dog"})
    second = bring({3: "dog", 1: "cat", 7: "ant", 8: "dog"}, first)
    assert second.status == "ready", second.error
    assert second.classes == ["cat", "dog", "ant"]
    assert said_of(database, second) == [
        *said_of(database, first),
        ("7.png", "ant"),
        ("8.png", "dog"),
    ]
    appended = second.report["appended"]
    assert (appended["before"], appended["added"], appended["new_classes"]) == (4, 2, ["ant"])
    assert (appended["already_there"], appended["skipped"], appended["differing"]) == (2, 2, 1)
    assert {"item": "1.png", "index": 1, "label": "cat", "given_label": "dog"} in appended["examples"]
    assert (second.report["total"], second.report["imported"], second.class_counts) == (8, 6, [2, 3, 1])
    together = bring({place: "ab"[place % 2] for place in (0, 1, 2, 3, 7, 8)})
    for kind in ("images", "thumbs"):
        packs = [Pack(artifacts, f"datasets/{one.content_id}/{kind}") for one in (second, together)]
        assert packs[0].read_many(range(6)) == packs[1].read_many(range(6))
    assert artifacts.get(f"datasets/{second.id}/pixels.npy") == artifacts.get(
        f"datasets/{together.id}/pixels.npy"
    )
    assert second.content_id == second.id
    assert second.parent_id == first.id
    assert not [key for key in artifacts.list("uploads/") if key]


def test_one_class_and_known_images_may_be_appended_and_nothing_new_is_said_to_be_nothing(
    bring: Prepare, database: Database, artifacts: Artifacts
) -> None:
    first = bring({0: "cat", 1: "dog", 2: "cat"})
    more = bring({5: "cat"}, first)
    assert more.status == "ready", more.error
    assert said_of(database, more)[3:] == [("5.png", "cat")]
    nothing = bring({0: "cat", 5: "dog"}, more)
    assert nothing.status == "failed"
    assert nothing.error is not None
    assert nothing.error["code"] == "NOTHING_NEW"
    assert artifacts.list(f"datasets/{nothing.id}/") == []
    kept = bring({0: "dog"}, first, {"duplicates": "keep"})
    assert said_of(database, kept)[3:] == [("0.png", "dog")]
    assert (kept.report["duplicates"], kept.report["appended"]["skipped"]) == (1, 0)


def test_splits_true_labels_and_annotations_of_both_are_kept(
    bring: Prepare, database: Database, artifacts: Artifacts
) -> None:
    first = bring(
        {0: "a", 1: "b", 2: "b"},
        split={0: "train", 1: "test", 2: "test"},
        rater_1={0: "a", 1: "a"},
        rater_2={0: "b"},
    )
    second = bring({5: "b", 6: "c"}, first, true_label={5: "c"}, rater_2={5: "c"}, rater_3={6: "b"})
    assert second.status == "ready", second.error
    with database.transaction() as session:
        rows = datasets.samples(session, second.id)
    assert rows.split == ["train", "test", "test", None, None]
    assert rows.true_label_N is not None
    assert rows.true_label_N.tolist() == [-1, -1, -1, 2, -1]
    assert not second.has_true_labels
    kept = annotators.load(artifacts, second.id, annotators.version_of(second) or "")
    assert kept.annotators == ["rater_1", "rater_2", "rater_3"]
    assert kept.label_NA.tolist() == [[0, 1, -1], [0, -1, -1], [-1, -1, -1], [-1, 2, -1], [-1, -1, 1]]


def test_decisions_go_with_the_samples_whose_label_stays_and_can_be_taken_back(
    bring: Prepare, prepared: Prepare, database: Database, artifacts: Artifacts, owner: str
) -> None:
    first = bring({place: "ab"[place % 2] for place in range(6)})
    with database.transaction() as session:
        session.add(Account(id="somebody", name="somebody", role="reviewer"))
    verdicts = [(0, "keep", None), (1, "relabel", 0), (2, "remove", None), (3, "keep", None)]
    with database.transaction() as session:
        items = [Item(*each) for each in verdicts]
        deciding.append(session, first.id, deciding.Request(owner, items[:3], None, "by the owner"))
        deciding.append(session, first.id, deciding.Request("somebody", items[3:], None, "by somebody"))
        deciding.append(
            session, first.id, deciding.Request(owner, [Item(2, "cleared", None)], None, "taken back")
        )
        before = decisions.standing(session, first.id)
    artifacts.put("uploads/t", b"index,label\n0,b\n4,b\n")
    wish = {"kind": "labels", "upload_id": "t", "filename": "t.csv", "carry_decisions": True}
    version = prepared(wish, first.id)
    assert version.report["carried"] == {"decisions": 2, "left_out": 1}
    more = bring({8: "a"}, version, {"carry_decisions": True})
    assert more.report["carried"] == {"decisions": 2, "left_out": 0}
    with database.transaction() as session:
        standing = decisions.standing(session, more.id)
        assert standing == {index: before[index]._replace(carried_from=first.id) for index in (1, 3)}
        assert [one.account for one in standing.values()] == ["local", "somebody"]
        assert decisions.recent(session, more.id, owner, 10, 100) == []
        assert deciding.clear_carried(session, more.id, owner) == 2
        assert deciding.clear_carried(session, more.id, owner) == 0
        assert decisions.standing(session, more.id) == {}
        (batch,) = decisions.recent(session, more.id, owner, 10, 100)
        assert [change.before for change in batch.changes] == [("relabel", 0), ("keep", None)]
        assert decisions.standing(session, version.id).keys() == {1, 3}
    without = bring({9: "a"}, first)
    assert "carried" not in without.report
    with database.transaction() as session:
        assert decisions.standing(session, without.id) == {}


def test_a_label_table_may_bring_new_classes_where_that_is_meant(
    bring: Prepare, prepared: Prepare, database: Database, artifacts: Artifacts
) -> None:
    first = bring({0: "cat", 1: "dog", 2: "cat"})

    def relabelled(cells: str, **wish: object) -> Dataset:
        upload = uuid4().hex
        artifacts.put(f"uploads/{upload}", f"index,label\n{cells}".encode())
        return prepared({"kind": "labels", "upload_id": upload, "filename": "t.csv", **wish}, first.id)

    refused = relabelled("0,fox\n")
    assert refused.error is not None
    assert (refused.error["code"], refused.error["item"]) == ("LABEL_UNKNOWN", "line 2")
    assert "--new-classes" in refused.error["hint"]
    version = relabelled("0,fox\n1,ant\n2,dog\n", new_classes=True)
    assert version.status == "ready", version.error
    assert (version.classes, version.class_counts) == (["cat", "dog", "ant", "fox"], [0, 1, 1, 1])
    assert [label for _, label in said_of(database, version)] == ["fox", "ant", "dog"]
    # A number means one of the classes that were there, or nothing.
    numbers = relabelled("0,1\n1,fox\n", new_classes=True)
    assert [label for _, label in said_of(database, numbers)] == ["dog", "fox", "cat"]
    wrong = relabelled("0,2\n1,fox\n", new_classes=True)
    assert wrong.error is not None
    assert wrong.error["code"] == "LABEL_UNKNOWN"
