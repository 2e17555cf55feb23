"""How a child process is tied to its parent's life; used by the supervisor and by the worker."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent(by: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `by` to the child when its parent dies, of whatever cause (Linux)."""

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, by)

    return tie
