"""Resumable uploads (tus 1.0): bytes collect in a folder of the account, then move to the artifact store.

The protocol is tuspyserver's; here stand the limits, whose upload it is, and what a crash leaves behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from tuspyserver import create_tus_router
from tuspyserver.lock import FileLock

from backend.api.context import Context, In, Me
from backend.audit.errors import BadInput, Conflict, NoiseAuditError, NotFound, TooLarge, Unavailable
from backend.settings import Settings
from backend.store import activity, keeping, uploads
from backend.store.tables import Upload
from noise_audit.digest import of_file

DAYS_KEPT = 5
"""An upload that nobody goes on with is forgotten after this."""
SWEEP_SECONDS = 6 * 3600
NAME_CHARACTERS = 200
_ID = re.compile(r"[0-9a-f]{32}")

log = logging.getLogger(__name__)

Metadata = dict[Any, Any]
"""Text by key, as tuspyserver passes it."""


def uploads_router(settings: Settings) -> APIRouter:
    """The tus endpoints under /api/uploads."""
    router = APIRouter()

    @router.options("/api/uploads", status_code=204)
    def upload_options(response: Response) -> None:
        response.headers["Tus-Version"] = response.headers["Tus-Resumable"] = "1.0.0"
        response.headers["Tus-Extension"] = "creation,expiration,termination"
        response.headers["Tus-Max-Size"] = str(settings.limits.upload_bytes)

    router.include_router(
        create_tus_router(
            prefix="api/uploads",
            files_dir=str(settings.data / "uploads"),
            max_size=settings.limits.upload_bytes,
            days_to_keep=DAYS_KEPT,
            file_dep=_placed,
            pre_create_dep=_admitted,
            upload_complete_dep=_completed,
            strict_offset_validation=True,
        ),
        include_in_schema=False,
    )
    return router


def finished(context: Context, account_id: str, upload_id: str, digest: str | None = None) -> Upload:
    """The finished upload of this account. Raises NotFound.

    With the `digest` of what was sent, one whose bytes arrived otherwise is forgotten: Conflict (UPLOAD_BROKEN).

    Also finishes one whose last byte arrived but whose completion was cut off, by a crash or by a store
    that was away: to the browser such an upload is complete.
    """
    upload = _finished(context, account_id, upload_id)
    if digest is not None and digest != upload.digest:
        _forget(context, account_id, upload.id)
        for path in _folder(context.settings, account_id).glob(f"{upload.id}*"):
            path.unlink()
        raise Conflict(
            "UPLOAD_BROKEN",
            "The bytes that arrived are not those that were sent.",
            hint="Upload the file again.",
            limit=digest,
            found=upload.digest,
        )
    return upload


def _finished(context: Context, account_id: str, upload_id: str) -> Upload:
    path = _folder(context.settings, account_id) / upload_id
    with context.database.transaction() as session:
        try:
            return uploads.get(session, account_id, upload_id)
        except NotFound:
            if not _ID.fullmatch(upload_id) or not path.is_file() or _rest(path) != 0:
                raise
    return _finish(context, account_id, path)


def unused(context: Context, account_id: str, upload_id: str, digest: str | None = None) -> Upload:
    """The finished upload of this account, whose bytes are still there.

    Raises NotFound (NOT_FOUND, UPLOAD_USED) and Conflict (UPLOAD_BROKEN), as `finished`.
    """
    upload = finished(context, account_id, upload_id, digest)
    if not context.artifacts.exists(uploads.key(upload.id)):
        raise NotFound("UPLOAD_USED", "This upload has been used already.", hint="Upload the file again.")
    return upload


def sweep(context: Context, now: float) -> int:
    """Remove what nobody went on with, finished or not; gives how many. `now` in seconds since the epoch."""
    before = now - DAYS_KEPT * 86_400
    removed = 0
    for path in (context.settings.data / "uploads").glob("*/*"):
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
            removed += 1
    with context.database.transaction() as session:
        left = uploads.forget_old(session, datetime.fromtimestamp(before, UTC))
    for upload_id in left:
        keeping.drop(context.database, context.artifacts, uploads.key(upload_id))
    return removed + len(left)


def unfinished(settings: Settings) -> list[int]:
    """Bytes that have arrived of each upload that is not finished, on this machine."""
    folder = settings.data / "uploads"
    return [
        size
        for path in folder.glob("*/*")
        if _ID.fullmatch(path.name) and path.is_file() and (size := path.stat().st_size)
    ]


async def sweep_for_ever(context: Context) -> None:
    """`sweep` by this machine's clock, now and every few hours."""
    while True:
        try:
            if removed := await run_in_threadpool(lambda: sweep(context, time.time())):
                log.info("removed %d files of uploads that nobody went on with", removed)
        except NoiseAuditError as error:
            log.warning("uploads not swept: %s", error.code)
        await asyncio.sleep(SWEEP_SECONDS)


def _folder(settings: Settings, account_id: str) -> Path:
    return settings.data / "uploads" / account_id


def _placed(request: Request, context: In, caller: Me) -> Callable[[Metadata], Any]:
    """Each account's uploads in a folder of its own: a stranger's id is not there."""
    folder = _folder(context.settings, caller.id)
    upload_id, method = request.path_params.get("uuid"), request.method

    def place(_: Metadata) -> dict[str, str]:
        if upload_id is not None:
            path = folder / upload_id
            if not _ID.fullmatch(upload_id) or not path.is_file():
                raise NotFound("NOT_FOUND", "There is no such upload.")
            if method == "PATCH":
                _mend(path)
            elif method == "DELETE":
                _forget(context, caller.id, upload_id)
        return {"files_dir": str(folder)}

    return place


def _forget(context: Context, account_id: str, upload_id: str) -> None:
    """Drop a finished upload's bytes and its note; Conflict (UPLOAD_IN_USE) while a dataset is made of it."""
    with context.database.transaction() as session:
        uploads.forget(session, account_id, upload_id)
    keeping.drop(context.database, context.artifacts, uploads.key(upload_id))


def _mend(path: Path) -> None:
    """Make the bytes and the noted offset agree again after a process died between the two.

    Raises 423 while another request writes: waiting for its lock would hold up the whole event loop.
    Runs in the same breath as tuspyserver's own locking, which therefore finds the lock free.
    """
    lock = FileLock(str(path), str(path.parent / ".locks"))
    if not lock.acquire(blocking=False):
        raise HTTPException(423)
    try:
        known = _note(path)
        if known["offset"] == known["size"]:
            return
        size = path.stat().st_size
        if size > known["offset"]:
            with path.open("r+b") as file:
                file.truncate(known["offset"])
        elif size < known["offset"]:
            path.with_name(f"{path.name}.info").write_text(json.dumps({**known, "offset": size}))
    finally:
        lock.release()


def _admitted(context: In) -> Callable[[Metadata, dict[str, Any]], None]:
    """What must be known before the first byte."""

    def admit(metadata: Metadata, upload: dict[str, Any]) -> None:
        limit, size = context.settings.limits.upload_bytes, upload["size"]
        if size is None or size < 0:
            raise BadInput("INVALID", "An upload says its length first.", item="Upload-Length")
        if size > limit:
            raise TooLarge(
                "LIMIT_EXCEEDED",
                f"An upload may have {limit} bytes.",
                hint="Import it as a folder on the server, or in parts.",
                limit=limit,
                found=size,
            )
        for key in ("filename", "filetype"):
            if not metadata.get(key):
                raise BadInput("INVALID", f"The upload's metadata must name its {key}.", item=key)
        context.settings.data.mkdir(parents=True, exist_ok=True)
        disk = shutil.disk_usage(context.settings.data)
        if disk.free - size < context.settings.limits.disk_free_share * disk.total:
            raise Unavailable(
                "DISK_FULL", "There is no space for this upload.", hint="Make space on the server first."
            )

    return admit


def _completed(context: In, caller: Me) -> Callable[[str, Metadata], Any]:
    async def complete(path: str, _: Metadata) -> None:
        await run_in_threadpool(_finish, context, caller.id, Path(path))

    return complete


def _finish(context: Context, account_id: str, path: Path) -> Upload:
    """Move the bytes to the artifact store and note the upload; done twice it is done once."""
    with context.database.transaction() as session:
        try:
            return uploads.get(session, account_id, path.name)
        except NotFound:
            pass
    known = _note(path)
    if path.stat().st_size != known["size"]:
        raise Unavailable("UPLOAD_BROKEN", "The upload's bytes are not all there.", hint="Upload it again.")
    digest = of_file(path)
    context.artifacts.adopt(uploads.key(path.name), path)
    filename = _plain(known["metadata"].get("filename", "upload"))
    with context.database.transaction() as session:
        row = uploads.record(session, account_id, path.name, filename, known["size"], digest)
        activity.record(session, account_id, "upload.finish", path.name, size=known["size"])
    # An empty one in its place: a browser that never heard the answer still asks how far it came. A new one, since
    # the artifact may share the old one's bytes.
    path.unlink()
    path.touch()
    return row


def _rest(path: Path) -> int:
    """Bytes that have not arrived."""
    known = _note(path)
    return int(known["size"]) - int(known["offset"])


def _note(path: Path) -> dict[str, Any]:
    """What tuspyserver wrote beside the bytes."""
    try:
        known: dict[str, Any] = json.loads(path.with_name(f"{path.name}.info").read_text())
    except (FileNotFoundError, ValueError) as error:
        raise NotFound("NOT_FOUND", "There is no such upload.") from error
    return known


def _plain(filename: str) -> str:
    """The last word of whatever path the browser sent, without control characters; never used as a path."""
    last = re.split(r"[/\\]", filename)[-1]
    printable = "".join(sign for sign in last if sign.isprintable() and not "\ud800" <= sign <= "\udfff")
    return printable[-NAME_CHARACTERS:] or "upload"
