"""A database or an artifact store that goes away does not end a job: it is done again once both are back.

Most of what a job writes waits by itself (`patiently`). This is for everything else, and costs what was done since the
last checkpoint.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from backend.audit.errors import Unavailable
from backend.store.artifacts import Artifacts
from backend.store.database import Database

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""So often in all: what fails each time, with a database that answers each time after, is no outage."""
PAUSE_SECONDS = 1.0
ARTIFACTS_SECONDS = 600.0
"""So long the artifact store may be away. The database may as long as it likes: without it nothing can be told either."""


def outlasting(
    do: Callable[[], None],
    database: Database,
    artifacts: Artifacts,
    *,
    check: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda words: None,
) -> None:
    """Do it, if need be again; `check` raises to end the waiting, `tell` hears what is waited for and that it is back.

    Raises what `do` raises, and Unavailable when it keeps failing.
    """
    for attempt in range(1, ATTEMPTS + 1):
        if (error := _outage(do, last=attempt == ATTEMPTS)) is None:
            return
        log.warning("%s in the middle of a job; it is done again once that is over", error)
        _wait(database.ping, check, None)
        what = "The database" if error == "DATABASE_AWAY" else "The artifact store"
        tell(f"{what} went away in the middle of this; waiting for it")
        _wait(artifacts.ping, check, ARTIFACTS_SECONDS)
        tell(f"{what} is back; going on from what was stored")


def _outage(do: Callable[[], None], *, last: bool) -> str | None:
    """The code of the outage that ended it, if one did; nothing holds on to its arrays any more."""
    try:
        do()
    except Unavailable as error:
        if last or error.code not in ("DATABASE_AWAY", "ARTIFACTS_AWAY"):
            raise
        return error.code
    return None


def _wait(ping: Callable[[], None], check: Callable[[], None], longest: float | None) -> None:
    """Return once it answers; raise its Unavailable when that takes longer than `longest` seconds."""
    began = time.monotonic()
    while True:
        try:
            ping()
        except Unavailable:
            if longest is not None and time.monotonic() - began > longest:
                raise
        else:
            return
        check()
        time.sleep(PAUSE_SECONDS)
