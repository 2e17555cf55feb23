"""A worker process: takes jobs from PostgreSQL and starts a subprocess for each. `python -m worker`."""

from __future__ import annotations

import asyncio
import logging
import signal

from backend.logs import set_up
from backend.settings import Settings, export
from backend.store import jobs
from backend.store.database import Database, migrate, patiently
from backend.store.postgres import EmbeddedPostgres
from worker.housekeeping import keep_house
from worker.scratch import sweep

log = logging.getLogger("worker")


async def serve(settings: Settings) -> None:
    """Take jobs until SIGTERM or SIGINT; a job in hand is given back for another worker."""
    url, database = settings.database_url, Database(settings.database_url)
    async with jobs.chancy_app(url) as app, jobs.make_worker(app, signals=False) as worker:
        leaving: set[asyncio.Task[None]] = set()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(
                number, lambda: leaving.add(asyncio.create_task(jobs.leave(worker)))
            )
        house = asyncio.create_task(keep_house(settings, database, str(worker.worker_id)))
        log.info("worker %s is ready", worker.worker_id)
        await worker.wait_for_shutdown()
        await asyncio.gather(*leaving)
        house.cancel()
    database.dispose()


def main() -> None:
    """Connect to the given PostgreSQL, or to the embedded one of this machine, and serve."""
    settings = Settings()
    set_up(settings.log_format)
    embedded = None if settings.database_url else EmbeddedPostgres(settings.data / "postgres")
    url = embedded.start() if embedded else settings.database_url
    try:
        settings = settings.model_copy(update={"database_url": url})
        export(settings)
        # It may have been started at the same moment, or recover from a crash.
        patiently(lambda: migrate(url))
        sweep(settings.data)
        asyncio.run(serve(settings))
    finally:
        if embedded:
            embedded.stop()


if __name__ == "__main__":
    main()
