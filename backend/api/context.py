"""What every endpoint has in hand: the installation's parts, and who is asking. No rules, no HTTP words."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Path, Request

from backend.api.published import Published
from backend.api.requests import Requests
from backend.api.throttle import Throttle
from backend.audit.rights import AccountRole, Scope
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.events import Listener
from backend.store.turns import Turns


class Caller(NamedTuple):
    """The account behind a request, and how it showed who it is."""

    id: str
    name: str
    role: AccountRole
    by: Literal["cookie", "token"]
    scope: Scope
    way_id: str
    """Of the sign-in or the token that it came with."""


@dataclass(frozen=True)
class Context:
    """One running application. `stopping` is set when it begins to shut down: open streams end then."""

    settings: Settings
    database: Database
    artifacts: Artifacts
    published: Published
    turns: Turns
    listener: Listener
    throttle: Throttle
    stopping: threading.Event = field(default_factory=threading.Event)
    migrated: threading.Event = field(default_factory=threading.Event)
    requests: Requests = field(default_factory=Requests)

    @classmethod
    def of(cls, settings: Settings, database: Database, artifacts: Artifacts) -> Context:
        """A fresh application's context; nothing of it runs yet."""
        throttle = Throttle(settings.limits.logins_per_minute, time.monotonic)
        listener = Listener(database.url)
        return cls(settings, database, artifacts, Published(artifacts), Turns(database), listener, throttle)

    def stop(self) -> None:
        """Let every open event stream end; safe to call twice, takes about a second."""
        self.stopping.set()
        self.listener.close()


# Both are coroutines since FastAPI gives each plain function a thread.


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _caller(request: Request) -> Caller:
    # The gate lets nobody without an account through to a route that asks for one.
    caller: Caller = request.state.caller
    return caller


Id = Annotated[str, Path(max_length=32, pattern="^[0-9a-f]{1,32}$")]
"""The opaque id of a dataset or run."""
Index = Annotated[int, Path(ge=0, le=2**31 - 1)]
"""A sample's index."""
In = Annotated[Context, Depends(_context)]
Me = Annotated[Caller, Depends(_caller)]
