"""Whether the installation lives, and what it can do."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter

from backend.api.context import In, Me
from backend.api.schemas.system import SystemAnswer
from backend.audit.errors import Unavailable
from backend.store import jobs, runs
from backend.store.database import is_migrated

router = APIRouter(tags=["system"])


@router.get("/health/live")
def live() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/health/ready")
def ready(context: In) -> dict[str, str]:
    """The database answers and has this version's tables, and the artifact store answers; 503 says which does not."""
    context.database.ping()
    context.artifacts.ping()
    # Tables only ever move forward, and this process with its version stays: once yes, always yes.
    if not context.migrated.is_set():
        if not is_migrated(context.database.url):
            raise Unavailable(
                "NOT_MIGRATED", "The database has other tables than this version.", hint="noise-audit migrate"
            )
        context.migrated.set()
    return {"status": "ready"}


@router.get("/api/system")
def system(context: In, caller: Me) -> SystemAnswer:
    """Version, workers, device, free space and limits."""
    with context.database.transaction() as session:
        workers = jobs.live_workers(session)
        newest = runs.list_for(session, caller.id)[:10]
    devices = [str(run.progress["device"]) for run in newest if run.progress.get("device")]
    return SystemAnswer(
        version=_version("noise-audit") or "unknown",
        workers=workers,
        device=devices[0] if devices else context.settings.device,
        torch=_version("torch"),
        data_free_bytes=context.artifacts.free_bytes(),
        limits={name: float(value) for name, value in context.settings.limits.model_dump().items()},
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
