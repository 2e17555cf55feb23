"""Decisions that come in a table: from the words in its cells to verdicts, with an error for each line that says none. Pure.

Shape letters: R rows, N samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

VERDICT_COLUMNS = ("decision", "verdict")
LABEL_COLUMNS = ("label", "cleaned_label", "new_label")
_WORDS = {
    "keep": "keep", "kept": "keep", "ok": "keep", "correct": "keep",
    "relabel": "relabel", "relabelled": "relabel", "relabeled": "relabel", "change": "relabel",
    "remove": "remove", "removed": "remove", "delete": "remove", "drop": "remove",
    "unsure": "unsure", "unknown": "unsure", "?": "unsure",
    "cleared": "cleared", "clear": "cleared",
}  # fmt: skip
"""How people write a verdict, in lower case."""


@dataclass(frozen=True, slots=True)
class Item:
    """A decision on a sample; `label` is a class index and goes with relabel alone."""

    index: int
    verdict: str
    label: int | None


class Wrong(NamedTuple):
    """A line that says no decision, and why."""

    where: str
    code: str
    message: str


def decided(
    index: int,
    where: str,
    verdict: str | None,
    label: str,
    given: int,
    class_of: Mapping[str, int],
) -> Item | Wrong | None:
    """What one row says of its sample; None where it says nothing.

    In a table without verdicts (None) a label means relabel, or keep where it is the given one; beside verdicts only
    relabel pays heed to it, since our own exports have a label in every row. A relabelling to the given label is to keep it.
    """
    word, name = "relabel" if verdict is None else verdict.strip().casefold(), label.strip()
    if not word or (verdict is None and not name):
        return None
    known = _WORDS.get(word)
    if known is None:
        assert verdict is not None
        return Wrong(
            where,
            "VERDICT_UNKNOWN",
            f"“{verdict.strip()[:40]}” is no verdict: keep, relabel, remove or unsure.",
        )
    if known != "relabel":
        return Item(index, known, None)
    if not name:
        return Wrong(where, "LABEL_MISSING", "The verdict relabel needs a label.")
    chosen = class_of.get(name, class_of.get(name.removeprefix("'")))
    if chosen is None:
        return Wrong(where, "LABEL_UNKNOWN", f"“{name[:40]}” is none of the dataset's classes.")
    return Item(index, "keep", None) if chosen == given else Item(index, "relabel", chosen)


def new_among(items: Sequence[Item], standing: Mapping[int, Any]) -> list[Item]:
    """Those that change something: not what stands already, and nothing cleared where nothing stands."""

    def stands(item: Item) -> bool:
        found = standing.get(item.index)
        if found is None:
            return item.verdict == "cleared"
        return (found[0], found[1]) == (item.verdict, item.label)

    return [item for item in items if not stands(item)]
