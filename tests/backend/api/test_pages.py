"""The dashboard's files: only those that were built, and every other address is the page itself."""

from __future__ import annotations

import gzip
import importlib.resources
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from backend.api.pages import pages_router
from backend.api.problems import install

SCRIPT = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"


def app_with(folder: Path) -> FastAPI:
    app = FastAPI()
    install(app)
    app.include_router(pages_router(folder))
    return app


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboard"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>page</title>")
    (folder / "assets" / "index-abc.js").write_text("run()")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / ".hash").write_text("secret")
    (tmp_path / "outside.txt").write_text("outside")
    return folder


@pytest.fixture
def serve_pages(start_plain: Any) -> Any:
    return lambda folder: start_plain(app_with(folder))


@pytest.fixture
def start_plain() -> Iterator[Any]:
    """Serves an application without a gate, on a free port."""
    running = []

    def start(app: Any) -> httpx.Client:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        client = httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", trust_env=False)
        running.append((server, thread, listening, client))
        return client

    yield start
    for server, thread, listening, client in running:
        client.close()
        server.should_exit = True
        thread.join(10)
        listening.close()


def test_the_pages_files_are_served_with_their_kind_and_caching(built: Path, serve_pages: Any) -> None:
    client = serve_pages(built)
    script = client.get("/assets/index-abc.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert client.get("/favicon.svg").headers["content-type"] == "image/svg+xml"
    assert client.get("/").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/runs/abc/flags", "/index.html", "/.hash", "/../outside.txt"])
def test_every_other_address_is_the_page_and_never_another_file(
    built: Path, serve_pages: Any, path: str
) -> None:
    answer = serve_pages(built).get(path)
    assert answer.text == "<title>page</title>"
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/assets/index-old.js", "/assets/../index.txt"])
def test_what_is_missing_is_404_where_a_page_would_be_taken_for_something_else(
    built: Path, serve_pages: Any, path: str
) -> None:
    answer = serve_pages(built).get(path)
    assert answer.status_code == (200 if path.endswith("index.txt") else 404)


def test_without_a_build_a_page_says_how_to_make_one(tmp_path: Path, serve_pages: Any) -> None:
    answer = serve_pages(tmp_path / "none").get("/")
    assert answer.status_code == 200
    assert "make setup" in answer.text


def test_another_build_is_served_without_a_restart(built: Path, serve_pages: Any) -> None:
    client = serve_pages(built)
    client.get("/")
    (built / "assets" / "index-abc.js").unlink()
    (built / "assets" / "index-def.js").write_text("run('anew')")
    (built / "index.html").write_text("<title>anew</title>")
    assert client.get("/runs/abc").text == "<title>anew</title>"
    assert client.get("/assets/index-def.js").text == "run('anew')"
    assert client.get("/assets/index-abc.js").status_code == 404


def test_plotly_comes_from_the_python_package_compressed_and_checked_by_its_tag(
    anonymous: httpx.Client,
) -> None:
    answer = anonymous.get("/plotly.min.js")
    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 2_000_000
    plain = anonymous.get("/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == answer.content
    again = anonymous.get("/plotly.min.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_answers_of_some_size_are_compressed(anonymous: httpx.Client, client: httpx.Client) -> None:
    with client.stream("GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert b"openapi" in gzip.decompress(b"".join(answer.iter_raw()))
