"""What somebody delivered, an upload or a server folder, as the `source` of a dataset or a preflight."""

from __future__ import annotations

from typing import Any

from backend.api import uploads
from backend.api.context import Context
from backend.api.schemas.datasets import Delivery
from backend.api.server_folders import allowed
from backend.audit.errors import BadInput


def source_of(context: Context, account_id: str, body: Delivery) -> tuple[str, dict[str, Any]]:
    """Its name, and where its bytes lie.

    Raises BadInput (both or neither named), NotFound (UPLOAD_USED and strangers' uploads), Forbidden (a folder that
    is not opened), Conflict (UPLOAD_BROKEN).
    """
    if (body.upload_id is None) == (body.server_folder is None):
        raise BadInput("INVALID", "Send upload_id or server_folder, and only one of them.", item="upload_id")
    if body.upload_id is not None:
        upload = uploads.unused(context, account_id, body.upload_id, body.digest)
        return upload.filename, {"kind": "upload", "upload_id": upload.id, "filename": upload.filename}
    folder = allowed(context, body.server_folder or "")
    return folder.name, {"kind": "folder", "path": str(folder)}
