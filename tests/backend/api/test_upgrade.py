"""Every earlier revision's database, populated, comes to this version whole: rows, artifacts and pages; killed in between too."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from PIL import Image
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from backend.audit.errors import Unavailable
from backend.settings import Settings
from backend.store import accounts
from backend.store.artifacts import Artifacts
from backend.store.database import Database, is_migrated, migrate, revision_of
from tests.earlier import DATASET, RUN, SAMPLES, TOKEN, Rows, populate, revisions, tables

EARLIER = revisions()[:-1]
PAGES = (
    "/api/datasets",
    f"/api/datasets/{DATASET}",
    f"/api/datasets/{DATASET}/members",
    f"/api/datasets/{DATASET}/activity",
    f"/api/datasets/{DATASET}/review",
    f"/api/datasets/{DATASET}/decisions",
    f"/api/datasets/{DATASET}/decisions/agreement",
    f"/api/datasets/{DATASET}/samples/3/thumbnail",
    f"/api/datasets/{DATASET}/deletion",
    f"/api/runs/{RUN}",
    f"/api/runs/{RUN}/epochs",
    f"/api/runs/{RUN}/samples?flagged=true",
    f"/api/runs/{RUN}/samples/9",
    f"/api/runs/{RUN}/classes",
    f"/api/runs/{RUN}/thresholds",
    f"/api/runs/{RUN}/figures/loss",
    f"/api/runs/{RUN}/figures/map",
    f"/api/runs/{RUN}/sign-off",
    f"/api/runs/{RUN}/exports/preview",
    f"/api/runs/{RUN}/exports/samples?format=csv",
    f"/api/runs/{RUN}/report",
    "/api/sessions",
    "/api/tokens",
    "/api/accounts",
    "/api/activity",
    "/api/installation",
    "/metrics",
)


@pytest.fixture
def earlier(opened: Database) -> Callable[[str], Rows]:
    """Makes the empty database one of this revision, and fills it."""

    def make(revision: str) -> Rows:
        migrate(opened.url, revision)
        with opened.transaction() as session:
            return populate(session)

    return make


@pytest.fixture
def opened(empty_database_url: str) -> Iterator[Database]:
    """The database, whatever revision it is at."""
    database = Database(empty_database_url)
    yield database
    database.dispose()


@pytest.fixture
def kept(tmp_path: Path) -> Artifacts:
    """The images of that time."""
    artifacts = Artifacts.open("", tmp_path)
    file, offsets = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (20, 12), (40, 100, 200)).save(file, "WEBP")
    for kind in ("images", "thumbs"):
        artifacts.put(f"datasets/{DATASET}/{kind}.pack", file.getvalue() * SAMPLES)
    np.save(offsets, np.arange(SAMPLES + 1, dtype=np.int64) * len(file.getvalue()))
    for kind in ("images", "thumbs"):
        artifacts.put(f"datasets/{DATASET}/{kind}.offsets.npy", offsets.getvalue())
    return artifacts


def _missing(database: Database, written: Rows) -> list[tuple[str, Any]]:
    """The rows that are not there any more as they were written."""
    with database.transaction() as session:
        found = {
            table.name: [dict(row) for row in session.execute(select(table)).mappings()]
            for table in tables(session)
        }
    return [
        (table, row)
        for table, rows in written.items()
        for row in rows
        if not any(all(one.get(name) == value for name, value in row.items()) for one in found[table])
    ]


@pytest.mark.parametrize("revision", EARLIER)
def test_an_earlier_database_comes_up_with_every_row_and_its_pages_answer(
    opened: Database, earlier: Any, kept: Artifacts, start: Any, revision: str, tmp_path: Path
) -> None:
    written = earlier(revision)
    assert {"account", "dataset", "sample", "result", "decision", "activity"} <= set(written)
    migrate(opened.url)
    assert _missing(opened, written) == []
    with (
        start(Settings(data=tmp_path / "data"), opened, kept) as live,
        live.browser({"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        answers = {page: client.get(page).status_code for page in PAGES}
        assert answers == dict.fromkeys(PAGES, 200)
        detail = client.get(f"/api/runs/{RUN}/samples/9").json()
        assert [one["verdict"] for one in detail["history"]] == ["keep", "remove"]
        assert detail["decision"]["account"] == "ben"
        body = {"items": [{"index": 0, "verdict": "keep"}], "idempotency_key": "after the upgrade"}
        told = client.post(f"/api/datasets/{DATASET}/decisions", json=body).json()
        assert told["counts"] == {"keep": 1, "relabel": 1, "remove": 1}


def test_a_role_that_is_none_any_more_becomes_one(opened: Database) -> None:
    migrate(opened.url, "0003")
    with psycopg.connect(opened.url) as connection:
        connection.execute("INSERT INTO account (id, name, role) VALUES ('old', 'old', 'member')")
    migrate(opened.url)
    with opened.transaction() as session:
        assert accounts.named(session, "old").role == "editor"


@contextmanager
def _cut_at(statement: int) -> Iterator[list[str]]:
    """The connection is lost at the n-th change of a migration; gives the changes that were asked for."""
    asked: list[str] = []

    def before(_connection: Any, _cursor: Any, said: str, *_: Any) -> None:
        if said.lstrip().upper().startswith(("ALTER", "CREATE", "UPDATE", "INSERT", "DROP")):
            asked.append(said)
            if len(asked) == statement:
                raise OperationalError(said, None, psycopg.OperationalError("cut off"))

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", before)


def test_a_migration_that_is_cut_off_anywhere_is_finished_by_the_next(opened: Database, earlier: Any) -> None:
    """Each round gets a little further, until one is not cut any more: no row is ever lost, nor a step half made."""
    written, known, reached, rounds = earlier(EARLIER[0]), revisions(), EARLIER[0], 0
    while not is_migrated(opened.url):
        rounds += 1
        with _cut_at(3 * rounds - 2) as asked:
            try:
                migrate(opened.url)
            except Unavailable:
                assert asked
        with opened.transaction() as session:
            now = revision_of(session)
        assert now in known
        assert known.index(now) >= known.index(reached)
        reached = now
        assert _missing(opened, written) == []
        assert rounds < 30
    assert rounds > 2
