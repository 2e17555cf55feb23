"""The dashboard's files, and plotly.js from the Python package. Only files of the build are served."""

from __future__ import annotations

import gzip
import importlib.resources
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from backend.audit.errors import NotFound

FOREVER = "public, max-age=31536000, immutable"
CHECK_EACH_TIME = "no-cache"
NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Noise Audit</title></head>
<body style="font-family:system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>The dashboard is not built</h1>
<p>The server runs. Build its pages with <code>make setup</code> and reload; everything under
<code>/api</code> works without them.</p></body></html>"""


def pages_router(folder: Path) -> APIRouter:
    """Routes for everything outside /api; `folder` is the built dashboard (missing: a page that says so)."""
    router = APIRouter(include_in_schema=False)
    build = _Build(folder)

    @router.api_route("/plotly.min.js", methods=["GET", "HEAD"])
    def plotly(request: Request) -> Response:
        script, zipped, tag = _plotly()
        headers = {"Cache-Control": CHECK_EACH_TIME, "ETag": tag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                zipped, media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"}
            )
        return Response(script, media_type="text/javascript", headers=headers)

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    def page(path: str) -> Response:
        address = f"/{path}"
        if address == "/api" or address.startswith("/api/"):
            raise NotFound("NOT_FOUND", "There is nothing at this address.")
        files = build.files()
        if address.startswith("/assets/") and address not in files:
            # An asset of an older build: the page must not be taken for a script.
            raise NotFound("NOT_FOUND", "There is no such file; reload the page.")
        file = files.get(address) or files.get("/index.html")
        if file is None:
            return HTMLResponse(NOT_BUILT, headers={"Cache-Control": CHECK_EACH_TIME})
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        caching = FOREVER if address.startswith("/assets/") else CHECK_EACH_TIME
        return FileResponse(file, media_type=kind, headers={"Cache-Control": caching})

    return router


class _Build:
    """The built files by address; listed again once another build has taken their place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: tuple[list[int], dict[str, Path]] | None = None

    def files(self) -> dict[str, Path]:
        """At the cost of two looks at the disk. Requests on several threads may list at once, all the same."""
        stamp = self._stamp()
        if self._listed is None or self._listed[0] != stamp:
            self._listed = (
                stamp,
                {
                    f"/{path.relative_to(self._folder).as_posix()}": path
                    for path in self._folder.rglob("*")
                    if path.is_file() and not path.name.startswith(".")
                },
            )
        return self._listed[1]

    def _stamp(self) -> list[int]:
        """Changes with the page, and with every file that comes to its assets while a build is at work."""
        looked = (self._folder / "index.html", self._folder / "assets")
        return [path.stat().st_mtime_ns for path in looked if path.exists()]


@cache
def _plotly() -> tuple[bytes, bytes, str]:
    """The script, the same compressed once, and its entity tag."""
    import plotly

    source = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    script = source.read_bytes()
    return script, gzip.compress(script, 6, mtime=0), f'"plotly-{plotly.__version__}"'
