"""Names that people gave → paths that are safe and different from each other, in any archive on any system.

A path that was fine stays as it is, so that what came as files leaves as the same files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from backend.audit.forms.content import Content, ending_of

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|^[A-Za-z]:|^\.+")
"""What no name may hold: control characters, what reorders a name, what leads elsewhere or hides it."""
_NAME_BYTES = 200


def safe_part(text: str) -> str:
    """One name of a path: no separator, not hidden, of bounded length."""
    part = _UNSAFE.sub("_", text.replace("/", "_")) or "_"
    while len(part.encode()) > _NAME_BYTES:
        part = part[:-1]
    return part


def safe_path(name: str, ending: str) -> str:
    """A relative path that ends as its image should."""
    parts = [safe_part(part) for part in name.split("/") if part not in ("", ".", "..")] or ["_"]
    if ending_of(parts[-1]) is None:
        parts[-1] += ending
    return "/".join(parts)


def folders_of(classes: Sequence[str]) -> list[str]:
    """A folder for each class: its name where that can be one, and no two alike."""
    different = Different()
    return [
        different.path(safe_part(unicodedata.normalize("NFC", name)), place)
        for place, name in enumerate(classes)
    ]


def alike(path: str) -> str:
    """The same text for paths that some system holds for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


class Different:
    """Gives each path out once: what is alike but for case or composition gets its sample's index."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def path(self, wanted: str, index: int) -> str:
        """`wanted`, or that with `~index` before its ending."""
        stem, dot, ending = wanted.rpartition(".")
        if "/" in ending or not stem:
            stem, dot, ending = wanted, "", ""
        path, again = wanted, 0
        while (key := alike(path)) in self._taken:
            path = f"{stem}~{index}{f'-{again}' if again else ''}{dot}{ending}"
            again += 1
        self._taken.add(key)
        return path


def in_place(content: Content) -> list[str]:
    """The images' paths (M) where their names already are the paths they came under."""
    different = Different()
    return [
        different.path(safe_path(name, ending), int(index))
        for name, ending, index in zip(content.names, content.ending_M, content.index_M, strict=True)
    ]


def in_class_folders(content: Content) -> list[str]:
    """Paths (M) `[split/]class/…` by cleaned label; only the class's own folder changes where there was one."""
    folders = folders_of(content.classes)
    parts_M = [
        safe_path(name, ending).split("/")
        for name, ending in zip(content.names, content.ending_M, strict=True)
    ]
    given_M = [unicodedata.normalize("NFC", content.classes[int(given)]) for given in content.given_M]
    depth = _class_depth(parts_M, given_M)
    different = Different()
    paths = []
    for place, parts in enumerate(parts_M):
        label, given = int(content.label_M[place]), int(content.given_M[place])
        if depth is None:
            split = content.split_M[place] if content.split_M is not None else None
            path = "/".join([*([split] if split else []), folders[label], parts[-1]])
        else:
            changed = [folders[label]] if label != given else [parts[depth]]
            path = "/".join([*parts[:depth], *changed, *parts[depth + 1 :]])
        paths.append(different.path(path, int(content.index_M[place])))
    return paths


def _class_depth(parts_M: Sequence[Sequence[str]], given_M: Sequence[str]) -> int | None:
    """At which depth every path names its class; None where they do not."""
    for depth in range(min((len(parts) for parts in parts_M), default=1) - 1):
        if all(
            unicodedata.normalize("NFC", parts[depth]) == given
            for parts, given in zip(parts_M, given_M, strict=True)
        ):
            return depth
    return None
