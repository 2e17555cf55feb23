"""uvicorn, told to end open event streams when it begins to shut down (it waits for them otherwise)."""

from __future__ import annotations

import socket

import uvicorn
from starlette.concurrency import run_in_threadpool

from backend.api.context import Context


class Server(uvicorn.Server):
    """Serves an application made by `create_app`."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let streams end, answer what is under way."""
        app = self.config.app
        context: Context | None = getattr(getattr(app, "state", None), "context", None)
        if context is not None:
            await run_in_threadpool(context.stop)
        await super().shutdown(sockets)
