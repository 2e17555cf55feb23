"""Finds the member that a table or a JSON file means by a path; looks names up and never joins them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


class Lookup:
    """Members by path, by the end of their path, and by their name without its ending."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._ends: dict[str, str | None] = {}
        self._stems: dict[str, str | None] = {}
        for name in names:
            plain = unicodedata.normalize("NFC", name)
            self._exact[plain] = name
            parts = plain.split("/")
            for start in range(1, len(parts)):
                self._note(self._ends, "/".join(parts[start:]), name)
            self._note(self._stems, parts[-1].rsplit(".", 1)[0], name)

    @staticmethod
    def _note(known: dict[str, str | None], key: str, name: str) -> None:
        known[key] = None if key in known else name  # None: two files end like this

    def find(self, path: str | None, teller: str) -> str | None:
        """The member that the file `teller` means; None when there is none, or more than one."""
        if not path:
            return None
        path = unicodedata.normalize("NFC", path).replace("\\", "/").removeprefix("./")
        beside = f"{teller.rsplit('/', 1)[0]}/{path}" if "/" in teller else path
        for exact in (beside, path):
            if exact in self._exact:
                return self._exact[exact]
        parts = path.split("/")
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if found := self._exact.get(end) or self._ends.get(end):
                return found
        return self._stems.get(parts[-1])
