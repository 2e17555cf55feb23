"""Folders of the server's own machine that imports may read: only below those that the installation opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.context import Context, In, Me
from backend.api.schemas.datasets import ServerFolders
from backend.audit.errors import Forbidden

router = APIRouter(prefix="/api/server-folders", tags=["datasets"])

SUGGESTED = 50
"""More than a person reads."""
_FILES = (".zip", ".tar", ".tar.gz", ".tgz", ".npz", ".parquet")


@router.get("")
def suggest_folders(
    context: In, caller: Me, path: Annotated[str, Query(max_length=4096)] = ""
) -> ServerFolders:
    """What could follow a path that somebody is typing: folders and archives below the opened ones."""
    roots = _opened(context)
    if not path:
        return ServerFolders(opened=bool(roots), items=[f"{root}{os.sep}" for root in roots])
    above, _, begun = path.rpartition(os.sep)
    try:
        folder = allowed(context, above or os.sep)
        with os.scandir(folder) as listing:
            found = sorted(
                f"{above}{os.sep}{item.name}{os.sep if item.is_dir(follow_symlinks=False) else ''}"
                for item in listing
                if item.name.casefold().startswith(begun.casefold()) and _is_offered(item)
            )
    except (Forbidden, OSError):
        # Nothing about what is there, not even that it is not.
        found = [f"{root}{os.sep}" for root in roots if str(root).startswith(path)]
    return ServerFolders(opened=bool(roots), items=found[:SUGGESTED])


def allowed(context: Context, wanted: str) -> Path:
    """The folder or file, when it lies below a folder that the installation opened, links resolved.

    Raises Forbidden (FOLDER_NOT_ALLOWED) for every other, in the same words whether it exists or not.
    """
    refusal = Forbidden(
        "FOLDER_NOT_ALLOWED",
        "This server does not read that folder.",
        hint="Its owner opens folders with NOISE_AUDIT_SERVER_FOLDERS.",
    )
    if "\0" in wanted or not Path(wanted).is_absolute():
        raise refusal
    try:
        folder = Path(wanted).resolve(strict=True)
        if any(folder.is_relative_to(root.resolve(strict=True)) for root in _opened(context)):
            return folder
    except (OSError, RuntimeError) as error:
        raise refusal from error
    raise refusal


def _opened(context: Context) -> list[Path]:
    return [Path(root) for root in context.settings.server_folders.split(os.pathsep) if root]


def _is_offered(item: os.DirEntry[str]) -> bool:
    if item.name.startswith(".") or item.is_symlink():
        return False
    return item.is_dir(follow_symlinks=False) or item.name.casefold().endswith(_FILES)
