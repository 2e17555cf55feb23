"""The connection to one server: JSON, files, and errors in words. Knows no nouns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from noise_audit import upload
from noise_audit.address import server_token, server_url
from noise_audit.problems import BrokenOff, ServerError, ServerUnreachable

Json = dict[str, Any]
Bytes = Callable[[int, int | None], None]
"""Called with (bytes so far, bytes in all or None where nobody knows)."""


class Wire:
    """Speaks HTTP with a token; every method raises `ServerError` and `ServerUnreachable`."""

    def __init__(self, url: str | None, token: str | None) -> None:
        self.url = (url or server_url()).rstrip("/")
        token = token or server_token(self.url)
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(120, connect=5),
            event_hooks={"response": [_refuse]},
            # Only the address named is spoken to: no proxy from the environment in between.
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def json(self, method: str, address: str, **options: Any) -> Json:
        """The JSON object that the server answers."""
        return dict(self.answer(method, address, **options).json())

    def answer(self, method: str, address: str, **options: Any) -> httpx.Response:
        """The server's answer, whole."""
        with _Reaching(self.url):
            return self._http.request(method, address, **options)

    def send(self, file: Path, progress: upload.Progress) -> tuple[str, str]:
        """Upload a file; gives the upload's id, and the digest of what was sent."""
        with _Reaching(self.url):
            return upload.send(self._http, file, progress)

    def fetch(self, address: str, target: Path, progress: Bytes, **options: Any) -> Json:
        """Write the answer's body to `target`, which appears only when whole; gives its name, size and SHA-256.

        Raises `BrokenOff` when the server ends before the body does.
        """
        if not target.parent.is_dir():
            raise FileNotFoundError(f"There is no folder {str(target.parent)!r}.")
        partial = target.with_name(target.name + ".part")
        digest, size = hashlib.sha256(), 0
        try:
            with (
                _Reaching(self.url),
                self._http.stream("GET", address, **options) as answer,
                partial.open("wb") as file,
            ):
                known = answer.headers.get("Content-Length")
                for chunk in answer.iter_bytes():
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    progress(size, int(known) if known and "gzip" not in _encoding(answer) else None)
            partial.replace(target)
        except httpx.RemoteProtocolError as error:
            raise BrokenOff(
                "The server broke the file off. Its log says why: a stored image may be damaged."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return {"name": target.name, "bytes": size, "sha256": digest.hexdigest()}


def _encoding(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Encoding", ""))


class _Reaching:
    """Turns "nobody answers" into an error that says what to do."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            raise ServerUnreachable(
                f"No Noise Audit server answers at {self.url}. Start one with `noise-audit up`, "
                "or name it with NOISE_AUDIT_URL."
            ) from error


def _refuse(answer: httpx.Response) -> None:
    if answer.is_error:
        answer.read()
        try:
            body = answer.json()
        except ValueError:
            body = {"message": answer.text[:200]}
        raise ServerError(answer.status_code, body if isinstance(body, dict) else {})
