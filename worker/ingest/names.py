"""Which names of files are safe to show and to keep; knows strings only, no archive and no disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from backend.audit.errors import BadInput

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reorder the text around them, so that a name reads as another one."""

PICKLE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
"""Files that can run code when they are opened."""

_DRIVE = re.compile(r"[A-Za-z]:")
_SYSTEM_FILES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_SHOWN_CHARACTERS = 200


def shown(name: str) -> str:
    """The name as it may stand in a message: unprintable characters escaped, length bounded."""
    text = "".join(c if c.isprintable() and c not in _BIDIRECTIONAL else ascii(c)[1:-1] for c in name)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def in_file(name: str, line: int) -> str:
    """Where people find something: the line, of the file where that has a name."""
    return f"{shown(name)}, line {line}" if name else f"line {line}"


def has_bad_character(text: str) -> bool:
    """Whether the text holds NUL, control, surrogate or bidirectional characters."""
    return any(c in _BIDIRECTIONAL or unicodedata.category(c) in ("Cc", "Cs") for c in text)


def check_name(name: str, *, name_bytes: int) -> None:
    """Raises BadInput BAD_NAME, UNSAFE_PATH or LIMIT_EXCEEDED for a name nobody should have to handle."""
    if not name or has_bad_character(name):
        raise BadInput(
            "BAD_NAME",
            "A file name holds control or bidirectional characters, or none at all.",
            hint="Rename the file and pack the dataset again.",
            item=shown(name),
        )
    parts = name.removesuffix("/").split("/")
    if "\\" in name or _DRIVE.match(name) or any(part in ("", ".", "..") for part in parts):
        raise BadInput(
            "UNSAFE_PATH",
            "A file name points outside the dataset.",
            hint="Names must be relative, with forward slashes and without “..”.",
            item=shown(name),
        )
    length = len(name.encode())
    if length > name_bytes:
        raise BadInput(
            "LIMIT_EXCEEDED", "A file name is too long.", item=shown(name), limit=name_bytes, found=length
        )


def check_unique(names: Iterable[str]) -> None:
    """Raises BadInput DUPLICATE_NAME for names that are equal, or equal but for case or Unicode composition."""
    first: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.removesuffix("/")).casefold())
        if key in first:
            raise BadInput(
                "DUPLICATE_NAME",
                "Two files have the same name, or names that differ only in case or composition.",
                hint="Rename one of them.",
                item=shown(name),
                found=shown(first[key]),
            )
        first[key] = name


def is_ignored(name: str) -> bool:
    """Whether a file is the operating system's or hidden, and so no part of a dataset."""
    return any(part.startswith(".") or part.casefold() in _SYSTEM_FILES for part in name.split("/"))


def natural_key(name: str) -> list[str | int]:
    """Sorts img2 before img10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]
