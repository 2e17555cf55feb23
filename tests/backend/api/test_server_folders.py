"""What could follow a path being typed: only below the opened folders, and never through a link."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest


@pytest.fixture
def opened(folder: Path) -> Path:
    opened, closed = folder / "opened", folder / "closed"
    for path in (opened / "photos" / "cats", opened / "Pets", opened / ".hidden", closed / "secrets"):
        path.mkdir(parents=True, exist_ok=True)
    (opened / "data.zip").touch()
    (opened / "notes.txt").touch()
    if not (opened / "linked").is_symlink():
        (opened / "linked").symlink_to(closed)
    return opened


def suggested(client: httpx.Client, path: object) -> list[str]:
    answer = client.get("/api/server-folders", params={"path": str(path)})
    assert answer.status_code == 200
    assert answer.json()["opened"] is True
    return list(answer.json()["items"])


def test_folders_and_archives_below_an_opened_folder_are_offered(client: httpx.Client, opened: Path) -> None:
    assert suggested(client, "") == [f"{opened}/"]
    assert set(suggested(client, f"{opened}/")) >= {
        f"{opened}/{name}" for name in ("Pets/", "data.zip", "photos/")
    }
    assert suggested(client, f"{opened}/photos/") == [f"{opened}/photos/cats/"]
    assert suggested(client, f"{opened}/ph") == [f"{opened}/photos/"]
    assert suggested(client, str(opened)[:-3]) == [f"{opened}/"]


@pytest.mark.parametrize("path", ["closed/", "opened/linked/", "opened/../closed/"])
def test_nothing_else_is_told(path: str, client: httpx.Client, opened: Path, folder: Path) -> None:
    assert suggested(client, folder / path) == []
    assert not [name for name in suggested(client, f"{opened}/") if "hidden" in name or "linked" in name]
    assert suggested(client, "/etc/") == []
