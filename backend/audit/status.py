"""Which status a dataset or a run may move to from which. Knows no clock, no storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from backend.audit.errors import Conflict

Kind = Literal["dataset", "run"]

DATASET_MOVES: Mapping[str, frozenset[str]] = {
    "importing": frozenset({"importing", "ready", "failed", "cancelled"}),
    "ready": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""`importing` to itself: another worker takes over a job whose worker died."""

RUN_MOVES: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"running", "failed", "cancelled"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}

_MOVES: Mapping[Kind, Mapping[str, frozenset[str]]] = {"dataset": DATASET_MOVES, "run": RUN_MOVES}


def is_final(kind: Kind, status: str) -> bool:
    """Whether nothing will ever follow this status. Raises KeyError for a word that is no status."""
    return not _MOVES[kind][status]


def may_move(kind: Kind, status: str, target: str) -> bool:
    """Whether `status` may become `target`. Raises KeyError for a word that is no status."""
    return target in _MOVES[kind][status]


def check_move(kind: Kind, status: str, target: str) -> None:
    """Raise Conflict when `status` may not become `target`."""
    if not may_move(kind, status, target):
        raise Conflict(
            "WRONG_STATUS",
            f"A {kind} that is {status} cannot become {target}.",
            hint=f"It is {status} for good."
            if is_final(kind, status)
            else f"Wait until the {kind} moves on.",
            found=status,
        )


def must_be(kind: Kind, status: str, needed: str, to_do: str) -> None:
    """Raise Conflict unless the status is the one needed `to_do` something ("to start a run")."""
    if status != needed:
        ended = is_final(kind, status)
        raise Conflict(
            "WRONG_STATUS",
            f"The {kind} must be {needed} {to_do}; it is {status}.",
            hint=f"It ended as {status}; make a new {kind}." if ended else "Try again when it is.",
            limit=needed,
            found=status,
        )
