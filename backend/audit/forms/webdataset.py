"""WebDataset: tar shards in which `KEY.png`, `KEY.cls` (class index) and `KEY.json` (its names) are one sample.

Keys are sample indices: a name with a dot in it would be cut there by readers of this format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from backend.audit.forms.archive import Member, tar_bytes, tar_chunks, whole
from backend.audit.forms.content import Content, one_image
from backend.audit.forms.shards import shards

DIGITS = 9


def refusal(content: Content) -> str | None:
    """Why the dataset cannot take this form; None when it can."""
    lines = any("\n" in name or "\r" in name or name != name.strip() for name in content.classes)
    return "no class name with line breaks or outer spaces fits" if lines else None


def members(content: Content) -> Iterator[Member]:
    """`SPLIT-000000.tar`, …, and beside them `classes.txt`, which names the classes in the order of their numbers."""
    yield whole("classes.txt", "".join(f"{name}\n" for name in content.classes).encode())
    for shard in shards(content):
        size = tar_bytes(_samples(content, shard.places))
        yield Member(f"{shard.split}-{shard.number:06d}.tar", size, partial(_shard, content, shard.places))


def _shard(content: Content, places: list[int]) -> Iterator[bytes]:
    return tar_chunks(_samples(content, places))


def _samples(content: Content, places: list[int]) -> Iterator[Member]:
    for place in places:
        index, label = int(content.index_M[place]), int(content.label_M[place])
        key = f"{index:0{DIGITS}d}"
        about = {
            "name": content.names[place],
            "index": index,
            "label": content.classes[label],
            "given_label": content.classes[int(content.given_M[place])],
        }
        yield Member(
            f"{key}{content.ending_M[place]}",
            int(content.bytes_M[place]),
            partial(one_image, content, place),
        )
        yield whole(f"{key}.cls", str(label).encode())
        yield whole(f"{key}.json", json.dumps(about, ensure_ascii=False).encode())
