"""Datasets made of another one: noise planted in it, new labels for it, further samples behind its own.

Shape letters: N samples of the parent, M samples added, A annotators.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.store import annotators, keeping, uploads
from backend.store.datasets import SampleColumns
from worker.delivered import delivered
from worker.ingest.packing import PACK_FILES, PIXELS_FILE
from worker.ingest.relabelling import read_labels
from worker.ingest.uniting import Classes, united
from worker.ingest.writing import MISSING, Imported, Onto
from worker.noise.inject import inject
from worker.preparing import Annotated, Parent, Preparing, samples_of

NOT_TAKEN_OVER = ("planted", "annotations", "similar", "relabelled", "appended", "carried")
"""What a report says of labels, of a search or of how the dataset was derived: it is not true of another one."""
COUNTED = ("total", "imported", "ignored", "unreadable_count")
LISTED = 1000
"""As many unreadable items as the report of an import names."""


def plant_noise(job: Preparing) -> None:
    """The parent's images, its labels as true labels, and noise planted on them."""
    job.claimed.progress(force=True, stage="inject", fraction=0.1, message="Planting noise")
    row, samples = job.parent()
    known_N = samples.true_label_N
    true_N = known_N if known_N is not None and (known_N != MISSING).all() else samples.given_label_N
    kind, matrix = str(job.source["noise"]), job.source.get("matrix")
    try:
        given_N = inject(
            true_N,
            len(row.classes),
            kind,
            float(job.source.get("rate") or 0.0),
            np.random.default_rng(int(job.source["seed"])),
            matrix=None if matrix is None else np.asarray(matrix, dtype=np.float64),
            feature=_flat_pixels(job) if kind == "instance" else None,
        )
    except ValueError as error:
        raise BadInput("INVALID", str(error), hint="Correct the noise rate or the matrix.") from error
    planted = {"kind": kind, "share_wrong": float(np.mean(given_N != true_N))}
    job.ready(
        replace(samples, given_label_N=given_N.astype(np.int32), true_label_N=true_N),
        classes=row.classes,
        image_shape=row.image_shape,
        report={**_taken_over(row.report), "planted": planted},
    )


def relabel(job: Preparing) -> None:
    """A version: the parent's images under the labels of a table."""
    job.claimed.progress(force=True, stage="labels", fraction=0.1, message="Reading the labels")
    row, samples = job.parent()
    path = job.folder / f"labels{Path(job.source['filename']).suffix.lower()[:16]}"
    uploads.fetch(job.claimed.database, job.artifacts, job.source["upload_id"], path)
    read = read_labels(
        path,
        names_N=samples.names,
        classes=row.classes,
        given_N=samples.given_label_N,
        limits=job.settings.limits,
        new_classes=bool(job.source.get("new_classes")),
    )
    relabelled = int((read.label_N != samples.given_label_N).sum())
    job.ready(
        replace(samples, given_label_N=read.label_N),
        classes=read.classes,
        image_shape=row.image_shape,
        report={**_taken_over(row.report), "relabelled": relabelled},
    )
    keeping.drop(job.claimed.database, job.artifacts, uploads.key(job.source["upload_id"]))


def append(job: Preparing) -> None:
    """A version with further samples: the parent's under their indices, then what was delivered."""
    job.claimed.progress(force=True, stage="fetch", message="Fetching the images that are there")
    parent = job.parent()
    onto = _onto(job, parent)
    with delivered(job.source, job.settings, job.claimed.database, job.artifacts, job.folder) as source:
        imported = job.decode(source, onto)
    classes = united(parent.row.classes, imported, job.settings.limits)
    added = samples_of(imported)
    samples = SampleColumns(
        names=parent.samples.names + added.names,
        given_label_N=np.concatenate([parent.samples.given_label_N, classes.renumber(added.given_label_N)]),
        true_label_N=_truth(parent.samples, added, classes),
        content_hash=parent.samples.content_hash + added.content_hash,
        width_N=np.concatenate([parent.samples.width_N, added.width_N]),
        height_N=np.concatenate([parent.samples.height_N, added.height_N]),
        split=parent.samples.split + added.split,
    )
    job.ready(
        samples,
        classes=classes.names,
        image_shape=list(imported.image_shape),
        report=_report(parent, imported, classes, samples),
        annotated=_annotated(job, parent, imported, classes),
    )
    if "upload_id" in job.source:
        keeping.drop(job.claimed.database, job.artifacts, uploads.key(job.source["upload_id"]))


def _onto(job: Preparing, parent: Parent) -> Onto:
    """The parent's images: the packs where the import goes on with them, the pixels beside, to be laid out again."""
    stored = f"datasets/{parent.row.content_id}"
    for file in PACK_FILES:
        job.artifacts.download(f"{stored}/{file}", job.packed / file)
    pixels = job.folder / "before" / PIXELS_FILE
    job.artifacts.download(f"{stored}/{PIXELS_FILE}", pixels)
    image_NHWC = np.load(pixels, mmap_mode="r", allow_pickle=False)
    height, width = image_NHWC.shape[1:3]
    samples, classes = parent.samples, parent.row.classes
    there: dict[str, tuple[int, str]] = {}
    for index, (digest, label) in enumerate(
        zip(samples.content_hash, samples.given_label_N.tolist(), strict=True)
    ):
        there.setdefault(digest, (index, classes[label]))
    return Onto(
        image_NHWC,
        (samples.width_N == width) & (samples.height_N == height),
        there,
        keep_duplicates=job.source.get("duplicates") == "keep",
    )


def _truth(before: SampleColumns, added: SampleColumns, classes: Classes) -> NDArray[np.int32] | None:
    """The true labels (N + M), MISSING where one is not known; None where none is."""
    if before.true_label_N is None and added.true_label_N is None:
        return None
    before_N, added_M = (
        np.full(len(part.names), MISSING, np.int32) if part.true_label_N is None else part.true_label_N
        for part in (before, added)
    )
    return np.concatenate([before_N, classes.renumber(added_M)])


def _annotated(job: Preparing, parent: Parent, imported: Imported, classes: Classes) -> Annotated | None:
    """What the annotators of both say; whoever annotated both has one column."""
    version = annotators.version_of(parent.row)
    names: list[str] = []
    before_NA = np.empty((len(parent.samples.names), 0), np.int32)
    if version is not None:
        kept = annotators.load(job.artifacts, parent.row.id, version)
        names, before_NA = kept.annotators, kept.label_NA
    everybody = [*names, *(name for name in imported.annotators if name not in names)]
    if not everybody:
        return None
    label_NA = np.full((len(before_NA) + len(imported.names), len(everybody)), MISSING, np.int32)
    label_NA[: len(before_NA), : len(names)] = before_NA
    for place, name in enumerate(imported.annotators):
        said_M = classes.renumber(imported.annotation_NA[:, place])
        label_NA[len(before_NA) :, everybody.index(name)] = said_M
    return label_NA, everybody


def _report(parent: Parent, imported: Imported, classes: Classes, samples: SampleColumns) -> dict[str, Any]:
    """The parent's report with everything counted together, and what was added under `appended`."""
    before, new = parent.row.report, imported.report
    report = _taken_over(before)
    report |= {word: int(before.get(word, 0)) + int(new[word]) for word in COUNTED}
    report |= {
        word: dict(Counter(before.get(word) or {}) + Counter(new[word])) for word in ("splits", "conversions")
    }
    report["unreadable"] = [*before.get("unreadable", []), *new["unreadable"]][:LISTED]
    report["duplicates"] = len(samples.content_hash) - len(set(samples.content_hash))
    report["annotators"] = [
        *before.get("annotators", []),
        *(name for name in new["annotators"] if name not in before.get("annotators", [])),
    ]
    report["appended"] = {
        "before": len(parent.samples.names),
        "added": len(imported.names),
        "new_classes": classes.names[len(parent.row.classes) :],
        **{word: new[word] for word in ("already_there", "skipped", "differing", "examples")},
        "delivery": {
            word: new[word]
            for word in ("recognised", "reason", "splits", "taken", "unreadable", "conversions", *COUNTED)
        },
    }
    return report


def _taken_over(report: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in report.items() if name not in NOT_TAKEN_OVER}


def _flat_pixels(job: Preparing) -> NDArray[np.float32]:
    """The parent's training pixels as rows, in [0, 1]: what instance-dependent noise looks at."""
    path = job.folder / PIXELS_FILE
    job.artifacts.download(f"datasets/{job.dataset.content_id}/{PIXELS_FILE}", path)
    image_NHWC = np.load(path, mmap_mode="r", allow_pickle=False)
    flat_ND: NDArray[np.float32] = image_NHWC.reshape(len(image_NHWC), -1).astype(np.float32) / 255
    return flat_ND
