"""Blind double review of a dataset: whose decisions an account is shown, what reviewers said, and what it comes to.

The rule is `audit.blind`'s; here are the rows. A dataset is blind from `blind_since` on; what was decided before
counts as its reviewers' own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Subquery, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from backend.audit.blind import WITHOUT_LABEL, Settled, answer_of, settle
from backend.store import bulk, datasets
from backend.store.decisions import Standing
from backend.store.tables import Account, Dataset, Decision

_NEWEST: bulk.Fixed = [("sample_index", "i4"), ("code", "i4"), ("decided_at", "f8")]


class Reviewed(NamedTuple):
    """What the answers of a dataset come to, with the time of the newest that counts, in seconds since the epoch."""

    settled: Settled
    time_S: NDArray[np.float64]

    def standing(self) -> dict[int, Standing]:
        """The answer that stands on each sample that does not wait; it is nobody's alone, and so has no name."""
        index_S, _, code_S = self.settled
        return {
            int(index_S[place]): Standing(
                *answer_of(int(code_S[place])), "", datetime.fromtimestamp(float(self.time_S[place]), UTC)
            )
            for place in np.flatnonzero(code_S >= 0)
        }


class Said(NamedTuple):
    """One sample's answers, each reviewer's newest, oldest first, and what was adjudicated."""

    answers: list[Standing]
    adjudication: Standing | None


def shown_to(session: Session, dataset_id: str, account_id: str) -> str | None:
    """The one reviewer whose decisions this account is shown: itself while the dataset is blind; None: everybody's."""
    # As a whole, since nearly everybody who asks has it in the session already, or needs it next.
    return None if datasets.load(session, dataset_id).blind_since is None else account_id


def set_blind(session: Session, dataset: Dataset, blind: bool) -> bool:
    """Make the review of the dataset blind, or open; whether that changed anything."""
    if blind == (dataset.blind_since is not None):
        return False
    value = func.now() if blind else None
    session.execute(update(Dataset).where(Dataset.id == dataset.id).values(blind_since=value))
    session.refresh(dataset)
    return True


def reviewed(session: Session, dataset_id: str) -> Reviewed:
    """Every sample that somebody decided or adjudicated, and what stands on it."""
    answer_D = bulk.read(session, _newest(dataset_id, adjudicates=False), _NEWEST)
    judged_J = bulk.read(session, _newest(dataset_id, adjudicates=True), _NEWEST)
    settled = settle(answer_D["sample_index"], answer_D["code"], judged_J["sample_index"], judged_J["code"])
    time_S = np.zeros(len(settled.index_S))
    np.maximum.at(time_S, np.searchsorted(settled.index_S, answer_D["sample_index"]), answer_D["decided_at"])
    time_S[np.searchsorted(settled.index_S, judged_J["sample_index"])] = judged_J["decided_at"]
    return Reviewed(settled, time_S)


def reviewers(session: Session, dataset_id: str) -> dict[str, int]:
    """How many samples each reviewer's own decision stands on, by name, the busiest first."""
    own = _own_newest(dataset_id)
    query = (
        select(Account.name, func.count())
        .join(own, own.c.account_id == Account.id)
        .where(own.c.verdict != "cleared")
        .group_by(Account.name)
        .order_by(func.count().desc(), Account.name)
    )
    return dict(session.execute(query).all())


def decided_by(session: Session, dataset_id: str, name: str) -> NDArray[np.int64]:
    """The samples on which this reviewer's own decision stands."""
    own = _own_newest(dataset_id)
    query = (
        select(own.c.sample_index)
        .join(Account, own.c.account_id == Account.id)
        .where(own.c.verdict != "cleared", Account.name == name)
    )
    return np.array(session.scalars(query).all(), dtype=np.int64)


def said(session: Session, dataset_id: str, indices: Sequence[int]) -> dict[int, Said]:
    """What was said of each of these samples."""
    query = text(
        "SELECT d.*, a.name FROM (SELECT DISTINCT ON (sample_index, adjudicates, whose) *"
        # All adjudications are one voice, the newest of which counts.
        " FROM (SELECT *, CASE WHEN adjudicates THEN '' ELSE account_id END AS whose FROM decision"
        " WHERE dataset_id = :dataset_id AND sample_index = ANY(CAST(:indices AS int[]))) every"
        " ORDER BY sample_index, adjudicates, whose, id DESC) d"
        " JOIN account a ON a.id = d.account_id WHERE d.verdict <> 'cleared' ORDER BY d.id"
    )
    found = {index: Said([], None) for index in indices}
    for row in session.execute(query, {"dataset_id": dataset_id, "indices": list(indices)}):
        stood = Standing(row.verdict, row.label, row.name, row.decided_at)
        if row.adjudicates:
            found[row.sample_index] = found[row.sample_index]._replace(adjudication=stood)
        else:
            found[row.sample_index].answers.append(stood)
    return found


def _own_newest(dataset_id: str) -> Subquery:
    """Account, sample and verdict of each reviewer's newest decision of each sample."""
    return (
        select(Decision.account_id, Decision.sample_index, Decision.verdict)
        .where(Decision.dataset_id == dataset_id, ~Decision.adjudicates)
        .ext(distinct_on(Decision.account_id, Decision.sample_index))
        .order_by(Decision.account_id, Decision.sample_index, Decision.id.desc())
        .subquery()
    )


def _newest(dataset_id: str, *, adjudicates: bool) -> sql.Composed:
    """Sample index, code of the answer and time of each reviewer's newest decision, or of the newest adjudication."""
    return sql.SQL(
        "SELECT sample_index, CASE verdict {cases} ELSE {beyond} + label END, extract(epoch FROM decided_at)::float8"
        " FROM (SELECT DISTINCT ON ({whose}sample_index) * FROM decision"
        " WHERE dataset_id = {dataset} AND {kind} ORDER BY {whose}sample_index, id DESC) newest"
        " WHERE verdict <> 'cleared' ORDER BY sample_index"
    ).format(
        cases=sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN {}").format(sql.Literal(verdict), sql.SQL(str(code)))
            for code, verdict in enumerate(WITHOUT_LABEL)
        ),
        beyond=sql.SQL(str(len(WITHOUT_LABEL))),
        whose=sql.SQL("" if adjudicates else "account_id, "),
        dataset=sql.Literal(dataset_id),
        kind=sql.SQL("adjudicates" if adjudicates else "NOT adjudicates"),
    )
