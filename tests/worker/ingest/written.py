"""Real images written into every form that the importer reads: what each form is, in a few lines."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@dataclass(frozen=True)
class Labelled:
    """Images (N, H, W, C) or (N, H, W), a class each, and the split that each belongs to."""

    image: NDArray[np.uint8]
    label: list[int]
    split: list[str]

    def part(self, split: str) -> Labelled:
        """One split's."""
        chosen = [place for place, name in enumerate(self.split) if name == split]
        return Labelled(self.image[chosen], [self.label[place] for place in chosen], [split] * len(chosen))

    def files(self) -> Iterable[tuple[str, bytes, int, str]]:
        """File name, PNG, class and split of each."""
        for place, (image, label, split) in enumerate(zip(self.image, self.label, self.split, strict=True)):
            yield f"{place:04d}.png", png(image), label, split


def digits(count: int = 60) -> Labelled:
    """The first digits in colour at 32 × 32, a quarter of them for testing."""
    found = load_digits()
    grey = np.kron(np.round(found.images[:count] * (255 / 16)).astype(np.uint8), np.ones((1, 4, 4), np.uint8))
    colour = np.stack([grey, 255 - grey, grey // 2], axis=-1)
    split = ["test" if place % 4 == 3 else "train" for place in range(count)]
    return Labelled(colour, found.target[:count].tolist(), split)


def png(image: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


# --- containers ------------------------------------------------------------------------------------


def as_folder(path: Path, members: Mapping[str, bytes]) -> Path:
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def as_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def as_tar(path: Path, members: Mapping[str, bytes], *, before: str = "", mode: str = "w") -> Path:
    path.write_bytes(tar(members, before=before, mode=mode))
    return path


def tar(members: Mapping[str, bytes], *, before: str = "", mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(before + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


# --- formats ---------------------------------------------------------------------------------------


def class_folders(data: Labelled) -> dict[str, bytes]:
    return {f"{split}/{WORDS[label]}/{name}": image for name, image, label, split in data.files()}


def manifest(data: Labelled, kind: str) -> dict[str, bytes]:
    """Images in one folder, and a table of the given kind beside it."""
    members = {f"images/{name}": image for name, image, _, _ in data.files()}
    rows = [
        {"file_name": f"images/{name}", "class": WORDS[label], "split": split}
        for name, _, label, split in data.files()
    ]
    members[f"labels.{kind}"] = table(rows, kind)
    return members


def table(rows: list[dict[str, Any]], kind: str) -> bytes:
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if kind == "parquet":
        packed = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), packed)
        return packed.getvalue()
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def hugging_face(data: Labelled) -> dict[str, bytes]:
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": WORDS}}
    members = {}
    for split in ("train", "test"):
        part = data.part(split)
        images = [{"bytes": image, "path": None} for _, image, _, _ in part.files()]
        made = pa.table({"image": images, "label": part.label})
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        out = io.BytesIO()
        pq.write_table(made, out, row_group_size=10)
        members[f"data/{split}-00000-of-00001.parquet"] = out.getvalue()
    return members


def webdataset(data: Labelled, *, label: str = "cls", per_shard: int = 20) -> dict[str, bytes]:
    """Shards of each split; labels as numbers in .cls with the names beside, or as words in .json."""
    shards = {}
    for split in ("train", "test"):
        files = list(data.part(split).files())
        for start in range(0, len(files), per_shard):
            members = {}
            for name, image, number, _ in files[start : start + per_shard]:
                stem = name.removesuffix(".png")
                members[f"{stem}.png"] = image
                members[f"{stem}.{label}"] = (
                    str(number).encode() if label == "cls" else json.dumps({"label": WORDS[number]}).encode()
                )
            shards[f"{split}-{start // per_shard:06d}.tar"] = tar(members)
    return shards if label != "cls" else {**shards, "classes.txt": "\n".join(WORDS).encode()}


def cifar10_binary(data: Labelled) -> dict[str, bytes]:
    def batch(part: Labelled) -> bytes:
        planes = part.image.transpose(0, 3, 1, 2)
        return b"".join(
            bytes([label]) + image.tobytes() for label, image in zip(part.label, planes, strict=True)
        )

    return {
        "cifar-10-batches-bin/data_batch_1.bin": batch(data.part("train")),
        "cifar-10-batches-bin/test_batch.bin": batch(data.part("test")),
        "cifar-10-batches-bin/batches.meta.txt": ("\n".join(WORDS) + "\n\n").encode(),
    }


def cifar10_python(data: Labelled, protocol: int) -> dict[str, bytes]:
    def batch(split: str) -> bytes:
        part = data.part(split)
        rows = part.image.transpose(0, 3, 1, 2).reshape(len(part.label), -1)
        names = [f"{split}_{place}.png".encode() for place in range(len(part.label))]
        return pickled({b"data": rows, b"labels": part.label, b"filenames": names}, protocol)

    return {
        "cifar-10-batches-py/data_batch_1": batch("train"),
        "cifar-10-batches-py/test_batch": batch("test"),
        "cifar-10-batches-py/batches.meta": pickled({b"label_names": [w.encode() for w in WORDS]}, protocol),
    }


def pickled(value: Any, protocol: int) -> bytes:
    data = pickle.dumps(value, protocol)
    # As numpy 1 wrote it, and so as it is in what people downloaded.
    return data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n") if protocol == 2 else data


def cifar100_binary(data: Labelled) -> dict[str, bytes]:
    def batch(part: Labelled) -> bytes:
        planes = part.image.transpose(0, 3, 1, 2)
        return b"".join(
            bytes([label % 2, label]) + image.tobytes()
            for label, image in zip(part.label, planes, strict=True)
        )

    return {
        "cifar-100-binary/train.bin": batch(data.part("train")),
        "cifar-100-binary/test.bin": batch(data.part("test")),
        "cifar-100-binary/fine_label_names.txt": "\n".join(WORDS).encode(),
        "cifar-100-binary/coarse_label_names.txt": b"even\nodd\n",
    }


def cifar100_python(data: Labelled, protocol: int) -> dict[str, bytes]:
    members = {}
    for split in ("train", "test"):
        part = data.part(split)
        rows = part.image.transpose(0, 3, 1, 2).reshape(len(part.label), -1)
        coarse = [label % 2 for label in part.label]
        members[f"cifar-100-python/{split}"] = pickled(
            {b"data": rows, b"fine_labels": part.label, b"coarse_labels": coarse}, protocol
        )
    names = {b"fine_label_names": [w.encode() for w in WORDS], b"coarse_label_names": [b"even", b"odd"]}
    return {**members, "cifar-100-python/meta": pickled(names, protocol)}


def idx(data: Labelled, *, packed: bool) -> dict[str, bytes]:
    members = {"classes.txt": "\n".join(WORDS).encode()}
    for split, stem in (("train", "train"), ("test", "t10k")):
        part = data.part(split)
        shape = part.image.shape
        images = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + part.image.tobytes()
        labels = struct.pack(">HBBI", 0, 8, 1, len(part.label)) + bytes(part.label)
        end = ".gz" if packed else ""
        press = gzip.compress if packed else bytes
        members[f"{stem}-images-idx{len(shape)}-ubyte{end}"] = press(images)
        members[f"{stem}-labels-idx1-ubyte{end}"] = press(labels)
    return members


def arrays(
    data: Labelled, change: Callable[[NDArray[np.uint8]], NDArray[Any]] = lambda x: x
) -> dict[str, bytes]:
    """Keras' names, as an npz holds them."""
    members = {"class_names.npy": npy(np.array(WORDS))}
    for split in ("train", "test"):
        part = data.part(split)
        members[f"x_{split}.npy"] = npy(np.ascontiguousarray(change(part.image)))
        members[f"y_{split}.npy"] = npy(np.array(part.label)[:, None])
    return members


def coco(data: Labelled) -> dict[str, bytes]:
    members = {f"images/{split}/{name}": image for name, image, _, split in data.files()}
    categories = [{"id": 10 + place, "name": word} for place, word in enumerate(WORDS)]
    for split in ("train", "test"):
        files = [row for row in data.files() if row[3] == split]
        members[f"annotations/instances_{split}.json"] = json.dumps(
            {
                "images": [{"id": place, "file_name": row[0]} for place, row in enumerate(files)],
                "annotations": [
                    {"id": place, "image_id": place, "category_id": 10 + row[2]}
                    for place, row in enumerate(files)
                ],
                "categories": categories,
            }
        ).encode()
    return members
