"""A WebDataset shard: for each sample `KEY.png`, `KEY.cls` (class index) and `KEY.json` (its names), in a tar.

Keys are sample indices: a name with a dot in it would be cut there by readers of this format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from backend.audit.forms.archive import Member, whole
from backend.audit.forms.content import Content, one_image

DIGITS = 9


def members(content: Content) -> Iterator[Member]:
    """Three files for each sample, beside each other; below the split's folder where there are splits."""
    for place, name in enumerate(content.names):
        index, label = int(content.index_M[place]), int(content.label_M[place])
        split = content.split_M[place] if content.split_M is not None else None
        key = f"{split}/{index:0{DIGITS}d}" if split else f"{index:0{DIGITS}d}"
        about = {
            "name": name,
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
