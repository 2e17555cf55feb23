"""What goes wrong is said in words, and what was stopped stays stopped."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import JOB_MS
from tests.e2e.everybody import violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow


def test_without_a_session_there_is_only_the_sign_in_form(browser: Browser, system: Installation) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{system.url}/datasets/new")
    expect(page.get_by_role("heading", name="Sign in to Noise Audit")).to_be_visible()
    page.get_by_label("Address or code").fill(f"{system.url}/#code=never-printed")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert").locator("code")).to_have_text("SIGN_IN_FAILED")
    expect(page.get_by_role("heading", name="Sign in to Noise Audit")).to_be_visible()
    context.close()


def test_text_renamed_zip_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "notes.zip"
    archive.write_text("These are my notes, not images.\n" * 50)
    page.goto("/datasets/new")
    page.get_by_label("Dataset file").set_input_files(archive)
    alert = page.get_by_role("alert")
    expect(alert.locator("code")).to_have_text("ARCHIVE_UNREADABLE")
    assert violations_in_both_themes(page) == []
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_text("Drop archives or a folder here")).to_be_visible()


def test_a_paused_upload_goes_on_where_it_stopped(page: Page, tmp_path: Path) -> None:
    archive, rng = tmp_path / "large.zip", np.random.default_rng(0)
    with zipfile.ZipFile(archive, "w") as file:
        for index in range(90):
            noise = io.BytesIO()
            Image.fromarray(rng.integers(0, 255, (110, 110, 3), dtype=np.uint8)).save(noise, "PNG")
            file.writestr(f"{'ab'[index % 2]}/{index}.png", noise.getvalue())
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 600_000}
    network.send("Network.emulateNetworkConditions", slow)
    offsets: list[int] = []
    page.on(
        "request",
        lambda request: (
            offsets.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None
        ),
    )
    page.goto("/datasets/new")
    page.get_by_label("Dataset file").set_input_files(archive)
    progress = page.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuenow", re.compile(r"^([2-9]\d|1\d\d)"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("· paused")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Import 90").click(timeout=JOB_MS)
    page.wait_for_url("**/datasets/*")
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    expect(page.locator(".stat").first).to_contain_text("90")
    assert offsets[0] == 0
    assert offsets[-1] > 0, "the upload began anew"
