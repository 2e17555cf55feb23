"""Puts the application together; nothing is decided here.

`python -m backend.app --openapi` prints the OpenAPI document, without a database.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware

from backend.api.context import Context
from backend.api.gate import Gate
from backend.api.openapi import document, new_app, routed
from backend.api.uploads import sweep_for_ever
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database

log = logging.getLogger(__name__)

GZIP_LEVEL = 5
"""Three quarters of the gain for a third of the time."""


def create_app(settings: Settings, database: Database, artifacts: Artifacts) -> FastAPI:
    """The web application on these parts; serve it with `backend.api.server.Server`."""
    context = Context.of(settings, database, artifacts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        context.listener.start()
        sweeping = asyncio.create_task(sweep_for_ever(context))
        yield
        sweeping.cancel()
        await run_in_threadpool(context.stop)
        context.published.close()

    app = routed(settings, new_app(lifespan=lifespan))
    app.state.context = context
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=GZIP_LEVEL)
    app.add_middleware(Gate, context=context)
    return app


if __name__ == "__main__":
    if sys.argv[1:] != ["--openapi"]:
        sys.exit("python -m backend.app --openapi prints the API's document; `noise-audit serve` serves it.")
    json.dump(document(), sys.stdout, indent=1)
    sys.stdout.write("\n")
