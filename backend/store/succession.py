"""Chancy's plugins as we run them: who leads, whose worker is dead, and that jobs of the dead go to others.

All of it by the database's clock: a worker whose own clock is hours off, or jumps, must neither lead for hours after its
death nor be taken for dead. Knows jobs and workers, not what they work on.
"""

from __future__ import annotations

from typing import Any

from chancy.plugins.leadership import Leadership
from chancy.plugins.pruner import Pruner
from chancy.plugins.recovery import Recovery

RECOVERY_SECONDS = 3
LEADER_TIMEOUT = 9
REPORT_BACK_SECONDS = 15
"""So long after the database's start living workers have to be heard of again: they try every five seconds."""

LEAD = """
INSERT INTO chancy_leader (id, worker_id, expires_at)
VALUES (1, %(worker_id)s, now() + make_interval(secs => %(timeout)s))
ON CONFLICT (id) DO UPDATE SET worker_id = EXCLUDED.worker_id, expires_at = EXCLUDED.expires_at
WHERE chancy_leader.worker_id = EXCLUDED.worker_id
   OR chancy_leader.expires_at NOT BETWEEN now() AND now() + make_interval(secs => 2 * %(timeout)s)
"""
"""Renews the lease, or takes one over that has run out. One that runs for far longer than any is by a wrong clock."""
WORKER_SESSION = "noise-audit-worker/"
"""What the server calls a worker's connections, before the worker's id."""
HALTED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE starts_with(application_name, %(session)s) AND backend_start < now() - make_interval(secs => %(timeout)s)
  AND pid <> pg_backend_pid()
  AND NOT EXISTS (
    SELECT FROM chancy_workers WHERE application_name = %(session)s || worker_id
    AND last_seen >= now() - make_interval(secs => %(timeout)s)
  )
"""
"""A worker that was stopped or cut off in the middle of a transaction would lock its jobs for as long as that lasts. It
takes what is done here for a database that was away."""
FROM_THE_FUTURE = """
UPDATE chancy_workers SET last_seen = now(), expires_at = now() + make_interval(secs => %(timeout)s)
WHERE last_seen > now() + interval '1 second'
"""
"""The database's clock was set back: who is dead among these is known once the time-out has passed from here."""


class Outliving:
    """Makes a plugin of Chancy wait for the database to come back, where its own would take the worker down."""

    async def run(self, worker: Any, app: Any) -> None:
        """As Chancy's, for as long as the worker lives."""
        retry = worker.database_retry(type(self).__name__)
        while True:
            try:
                await self.go(worker, app)
                return
            except retry.errors as error:
                await retry.wait(error)

    async def go(self, worker: Any, app: Any) -> None:
        """The plugin's own loop."""
        await super().run(worker, app)  # type: ignore[misc]


class Leader(Outliving, Leadership):  # type: ignore[misc]
    """Chancy's, whose lease is written by the leader's own clock, with the database's."""

    async def go(self, worker: Any, app: Any) -> None:
        """Renew the lease, or try to get it, every few seconds."""
        worker.hub.on("worker.stopped", lambda _: self.wakeup_signal.set())
        wish = {"worker_id": worker.worker_id, "timeout": self.timeout}
        while await self.sleep(self.poll_interval):
            async with app.pool.connection() as connection, connection.cursor() as cursor:
                await cursor.execute(LEAD, wish)
                leads = cursor.rowcount == 1
            if leads:
                worker.is_leader.set()
            else:
                worker.is_leader.clear()


class Reviver(Outliving, Recovery):  # type: ignore[misc]
    """Chancy's, but it takes nobody for dead when it was the database that was away, or its clock that was set."""

    @classmethod
    async def recover(cls, worker: Any, chancy: Any, cursor: Any) -> int:
        """Put the jobs of dead workers back; none just after the server's start, when nobody could be heard of."""
        await cursor.execute("SELECT extract(epoch FROM now() - pg_postmaster_start_time()) AS up")
        # Negative when the clock was set back since: then it has been up for long enough.
        if 0 <= (await cursor.fetchone())["up"] < REPORT_BACK_SECONDS:
            return 0
        await cursor.execute(FROM_THE_FUTURE, {"timeout": worker.heartbeat_timeout})
        await cursor.execute(HALTED, {"session": WORKER_SESSION, "timeout": worker.heartbeat_timeout})
        recovered: int = await super().recover(worker, chancy, cursor)
        return recovered


class Forgetting(Outliving, Pruner):  # type: ignore[misc]
    """Chancy's."""


def plugins() -> list[Any]:
    """What every worker runs beside its jobs."""
    return [
        Leader(poll_interval=RECOVERY_SECONDS, timeout=LEADER_TIMEOUT),
        Reviver(poll_interval=RECOVERY_SECONDS),
        Forgetting(),
    ]
