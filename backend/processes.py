"""How a child process is tied to its parent's life, and how it ranks; used by the supervisor and by the worker."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent(by: signal.Signals, *, gives_way: int = 0) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `by` to the child when its parent dies, of whatever cause (Linux).

    `gives_way`: by so much the child, with all that it starts, ranks behind others that want the processor. It is to
    have a session of its own.
    """

    def tie() -> None:
        if gives_way:
            os.nice(gives_way)
            _rank_session(gives_way)
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, by)

    return tie


def _rank_session(nice: int) -> None:
    """Linux shares the processor among sessions first, all alike unless told so; nice counts inside each only."""
    try:
        descriptor = os.open("/proc/self/autogroup", os.O_WRONLY)
    except OSError:
        # A kernel without this, or a container: there nice is all that counts.
        return
    with suppress(OSError):
        os.write(descriptor, str(nice).encode())
    os.close(descriptor)
