"""Datasets and their samples: who may see them, and the samples' columns in bulk. Shapes: N samples."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg import sql
from sqlalchemy import ColumnElement, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound
from backend.store import bulk, claims, events
from backend.store.tables import Account, Dataset, Membership, Sample

Labels = npt.NDArray[np.int32]
COLUMNS = [
    "dataset_id",
    "sample_index",
    "name",
    "given_label",
    "true_label",
    "content_hash",
    "width",
    "height",
    "split",
]
NULL = struct.pack(">i", -1)
SPLITS = ("train", "val", "test", "other", "none")
"""What a sample's split can be, in the order in which people read them."""
NO_SPLIT = SPLITS.index("none")


@dataclass(frozen=True)
class SampleColumns:
    """All samples of a dataset by sample index; `true_label_N` is None where none is known, −1 where one is not."""

    names: list[str]
    given_label_N: Labels
    true_label_N: Labels | None
    content_hash: list[str]
    width_N: Labels
    height_N: Labels
    split: list[str | None]


class Fingerprints(NamedTuple):
    """Of each sample's image as it was delivered: width, height (N,) in pixels, and its SHA-256 (N, 32)."""

    width_N: Labels
    height_N: Labels
    sha256_N32: npt.NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return self.width_N.nbytes + self.height_N.nbytes + self.sha256_N32.nbytes


def visible_to(account_id: str) -> ColumnElement[bool]:
    """The condition under which an account may see a dataset: it owns it, is a member, or is an admin."""
    shared = select(Membership.dataset_id).where(Membership.account_id == account_id)
    admin = exists().where(Account.id == account_id, Account.role == "admin")
    return or_(Dataset.owner_id == account_id, Dataset.id.in_(shared), admin)


def create(
    session: Session,
    owner_id: str,
    name: str,
    source: dict[str, Any],
    parent: Dataset | None = None,
    *,
    own_images: bool = False,
) -> Dataset:
    """A new dataset, importing; the caller enqueues its job in the same transaction.

    With `parent` it is derived: it shares the parent's images, unless it has `own_images`. Raises Conflict
    (DATASET_NOT_READY) when the parent is not ready.
    """
    if parent is not None:
        require_ready(parent)
    fresh = uuid.uuid4().hex
    dataset = Dataset(
        id=fresh,
        name=name,
        owner_id=owner_id,
        source=source,
        content_id=parent.content_id if parent and not own_images else fresh,
        parent_id=parent.id if parent else None,
    )
    session.add(dataset)
    session.flush()
    session.refresh(dataset)
    return dataset


def get(session: Session, account_id: str, dataset_id: str) -> Dataset:
    """The dataset, if this account may see it. Raises NotFound otherwise, as if it did not exist."""
    found = session.scalar(select(Dataset).where(Dataset.id == dataset_id, visible_to(account_id)))
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such dataset.")
    return found


def load(session: Session, dataset_id: str) -> Dataset:
    """The dataset, whoever owns it: for jobs, which act for nobody. Raises NotFound."""
    found = session.get(Dataset, dataset_id)
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such dataset.")
    return found


def list_for(session: Session, account_id: str) -> list[Dataset]:
    """Every dataset that the account may see, newest first."""
    query = select(Dataset).where(visible_to(account_id)).order_by(Dataset.created_at.desc(), Dataset.id)
    return list(session.scalars(query))


def require_ready(dataset: Dataset) -> None:
    """Raise Conflict (DATASET_NOT_READY) unless the dataset's import succeeded."""
    if dataset.status != "ready":
        raise Conflict(
            "DATASET_NOT_READY",
            "The dataset is not ready.",
            hint="Wait until its import has succeeded.",
            found=dataset.status,
            limit="ready",
        )


def request_stop(session: Session, account_id: str, dataset_id: str) -> Dataset:
    """Stop an import; see `claims.request_stop`. Raises NotFound for strangers."""
    get(session, account_id, dataset_id)
    return claims.request_stop(session, Dataset, dataset_id)


def write_report(session: Session, dataset_id: str, key: str, value: dict[str, Any]) -> None:
    """Say something further of a dataset in its report, in the place of what stood there under this key."""
    added = func.jsonb_build_object(key, cast(value, JSONB))
    statement = update(Dataset).where(Dataset.id == dataset_id).values(report=Dataset.report.op("||")(added))
    session.execute(statement.execution_options(synchronize_session=False))
    events.notify(session, "dataset", dataset_id)


def publish_samples(
    session: Session,
    dataset_id: str,
    *,
    names: Sequence[str],
    given_label_N: npt.NDArray[np.integer[Any]],
    content_hash: Sequence[str],
    width_N: npt.NDArray[np.integer[Any]],
    height_N: npt.NDArray[np.integer[Any]],
    true_label_N: npt.NDArray[np.integer[Any]] | None = None,
    split: Sequence[str | None] | None = None,
) -> bool:
    """Make the dataset's samples, indices 0…N−1, visible all at once when the caller's transaction commits.

    A negative true label is one that is not known.

    False, and nothing changed, when they were published before. The caller finishes the dataset's claim
    in the same transaction, so that a stale worker's samples vanish with it.
    """
    columns: list[Sized] = [names, content_hash, given_label_N, width_N, height_N]
    if true_label_N is not None:
        columns.append(true_label_N)
    if split is not None:
        columns.append(split)
    if any(len(column) != len(names) for column in columns):
        raise ValueError("the columns of the samples differ in length")
    session.execute(select(Dataset.id).where(Dataset.id == dataset_id).with_for_update(key_share=True))
    nothing: list[None] = [None] * len(names)
    true_label = nothing if true_label_N is None else [n if n >= 0 else None for n in true_label_N.tolist()]
    rows = zip(
        *(range(len(names)), names, given_label_N.tolist(), true_label),
        *(content_hash, width_N.tolist(), height_N.tolist(), nothing if split is None else split),
        strict=True,
    )
    fill = _encode(dataset_id, rows)
    return bulk.attach_partition(session, "sample", "dataset_id", dataset_id, fill, COLUMNS, [])


def labels(session: Session, dataset_id: str) -> tuple[Labels, Labels | None]:
    """The given labels (N,) and, where all are known, the true labels (N,), by sample index."""
    given_N, true_N = _labels(session, dataset_id)
    return given_N, true_N if len(true_N) and (true_N >= 0).all() else None


def _labels(session: Session, dataset_id: str) -> tuple[Labels, Labels]:
    """The given and the true labels (N,), −1 where a true one is not known."""
    query = sql.SQL(
        "SELECT given_label, coalesce(true_label, -1) FROM sample WHERE dataset_id = {} ORDER BY sample_index"
    ).format(sql.Literal(dataset_id))
    rows_N = bulk.read(session, query, [("given", "i4"), ("true", "i4")])
    return rows_N["given"].copy(), rows_N["true"].copy()


def names(session: Session, dataset_id: str) -> list[str]:
    """The samples' names by sample index."""
    query = select(Sample.name).where(Sample.dataset_id == dataset_id).order_by(Sample.sample_index)
    return list(session.scalars(query))


def splits(session: Session, dataset_id: str) -> list[str | None] | None:
    """The samples' splits by sample index; None where the dataset came without any."""
    query = select(Sample.split).where(Sample.dataset_id == dataset_id).order_by(Sample.sample_index)
    found = list(session.scalars(query))
    return found if any(found) else None


def split_codes(session: Session, dataset_id: str) -> npt.NDArray[np.uint8] | None:
    """Each sample's split (N,) as its place in SPLITS; None where the dataset came without any."""
    query = sql.SQL(
        "SELECT coalesce(array_position({known}, split::text) - 1, {other})::smallint FROM"
        " (SELECT coalesce(split, 'none') AS split, sample_index FROM sample WHERE dataset_id = {id}) AS said"
        " ORDER BY sample_index"
    ).format(
        known=sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(map(sql.Literal, SPLITS))),
        other=sql.Literal(SPLITS.index("other")),
        id=sql.Literal(dataset_id),
    )
    code_N = bulk.read(session, query, [("code", "i2")])["code"].astype(np.uint8)
    return code_N if (code_N != NO_SPLIT).any() else None


def split_names(code_N: npt.NDArray[np.uint8] | None) -> list[str | None] | None:
    """The splits that such codes mean."""
    if code_N is None:
        return None
    name = [None if one == "none" else one for one in SPLITS]
    return [name[code] for code in code_N.tolist()]


def samples(session: Session, dataset_id: str) -> SampleColumns:
    """Everything about the samples, e.g. to derive a dataset from them."""
    given_N, true_N = _labels(session, dataset_id)
    query = (
        select(Sample.name, Sample.content_hash, Sample.width, Sample.height, Sample.split)
        .where(Sample.dataset_id == dataset_id)
        .order_by(Sample.sample_index)
    )
    rows = session.execute(query).all()
    size_N2 = np.array([(row.width, row.height) for row in rows], np.int32).reshape(-1, 2)
    return SampleColumns(
        names=[row.name for row in rows],
        given_label_N=given_N,
        true_label_N=true_N if (true_N >= 0).any() else None,
        content_hash=[row.content_hash for row in rows],
        width_N=size_N2[:, 0].copy(),
        height_N=size_N2[:, 1].copy(),
        split=[row.split for row in rows],
    )


def fingerprints(session: Session, dataset_id: str) -> Fingerprints:
    """What each sample's image is, by sample index."""
    query = sql.SQL(
        "SELECT width, height, {words} FROM sample WHERE dataset_id = {id} ORDER BY sample_index"
    ).format(
        words=sql.SQL(", ").join(
            sql.SQL("('x' || substr(content_hash, {}, 16))::bit(64)::bigint").format(sql.Literal(at))
            for at in range(1, 64, 16)
        ),
        id=sql.Literal(dataset_id),
    )
    words: bulk.Fixed = [(f"word_{number}", "i8") for number in range(4)]
    rows_N = bulk.read(session, query, [("width", "i4"), ("height", "i4"), *words])
    word_N4 = np.stack([rows_N[name] for name, _ in words], axis=1).astype(">i8")
    return Fingerprints(
        rows_N["width"].copy(), rows_N["height"].copy(), word_N4.view(np.uint8).reshape(len(rows_N), 32)
    )


def sample(session: Session, dataset_id: str, sample_index: int) -> Sample:
    """One sample's row. Raises NotFound (SAMPLE_UNKNOWN)."""
    query = select(Sample).where(Sample.dataset_id == dataset_id, Sample.sample_index == sample_index)
    found = session.scalar(query)
    if found is None:
        raise NotFound("SAMPLE_UNKNOWN", "The dataset has no sample of this index.", found=sample_index)
    return found


def some_samples(session: Session, dataset_id: str, indices: Sequence[int]) -> list[Sample]:
    """The rows of these samples, in whatever order."""
    query = select(Sample).where(Sample.dataset_id == dataset_id, Sample.sample_index.in_(indices))
    return list(session.scalars(query))


def _encode(dataset_id: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """COPY data of the sample rows, whose names have any length."""
    key = _field(dataset_id.encode())
    yield bulk.HEADER
    block = bytearray()
    for index, name, given, true, digest, width, height, split in rows:
        block += struct.pack(">h", len(COLUMNS)) + key
        block += _whole(index) + _field(name.encode()) + _whole(given)
        block += NULL if true is None else _whole(true)
        block += _field(digest.encode()) + _whole(width) + _whole(height)
        block += NULL if split is None else _field(split.encode())
        if len(block) > 2**20:
            yield bytes(block)
            block.clear()
    yield bytes(block) + bulk.TRAILER


def _field(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _whole(number: int) -> bytes:
    return struct.pack(">ii", 4, number)
