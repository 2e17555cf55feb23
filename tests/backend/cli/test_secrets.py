"""What signs in is nowhere in the files that an installation writes, whatever people do with it."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.installation import installation

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can enter, whoever runs the tests."""
    made = Path(tempfile.mkdtemp(prefix="noise-audit-secrets-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_no_secret_of_a_day_is_in_any_file_of_the_installation(folder: Path) -> None:
    password, guess = f"pass-{secrets.token_hex(12)}", f"guess-{secrets.token_hex(12)}"
    with installation(folder, workers=0) as running:
        code = running.login_url.partition("#code=")[2]
        with httpx.Client(base_url=running.url, trust_env=False, timeout=30) as browser:
            assert browser.post("/api/session", json={"code": code}).status_code == 200
            cookie = browser.cookies["noise_audit_session"]
            made = browser.post("/api/tokens", json={"name": "script"}).json()["token"]
            ann = browser.post("/api/accounts", json={"name": "ann"}).json()["id"]
            handed = browser.post(f"/api/accounts/{ann}/code", json={}).json()["code"]
            assert browser.put("/api/session/password", json={"password": password}).status_code == 204
            # In the places where people put secrets by mistake.
            assert browser.get(f"/api/datasets/{guess}", params={"token": guess}).status_code == 404
            assert browser.post("/api/tokens", json={"name": "x", "days": guess}).status_code == 422
            assert browser.post("/api/session", json={"name": guess, "password": guess}).status_code == 401
            assert (
                browser.get("/api/session", headers={"Authorization": f"Bearer {guess}"}).status_code == 401
            )
        printed = running.command("token", "--data", str(running.data)).strip()
    known = {
        "one-time code": code,
        "session": cookie,
        "API token": made,
        "code for somebody": handed,
        "printed token": printed,
        "password": password,
    }
    files = [path for path in running.data.rglob("*") if path.is_file()]
    logs = [path for path in files if path.suffix == ".log"]
    assert logs, "nothing was logged"
    assert any(b"'/api/tokens' 201" in path.read_bytes() for path in logs), "the requests were not logged"
    for path in files:
        content = path.read_bytes()
        for name, secret in known.items():
            assert secret.encode() not in content, f"{name} in {path.relative_to(running.data)}"
    for path in logs:
        # The path of a request is logged; what stood in its query, body or headers is not.
        assert path.read_bytes().count(guess.encode()) <= 1, path.name
