"""What is delivered is told before it is kept, can be corrected, and becomes what was told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.everybody import violations
from tests.installation import Installation
from tests.worker.ingest.written import as_folder, as_zip, class_folders, digits, png, table

pytestmark = pytest.mark.slow

DATA = digits(40)


def manifest(path: Path) -> Path:
    """Images with a table in which the usual name, label, is not the column that is meant."""
    rows = [
        {"file": f"{place:03d}.png", "label": "ab"[place % 2], "digit": label, "split": split}
        for place, (label, split) in enumerate(zip(DATA.label, DATA.split, strict=True))
    ]
    images = {f"{place:03d}.png": png(image) for place, image in enumerate(DATA.image)}
    return as_zip(path, {**images, "again.png": images["000.png"], "table.csv": table(rows, "csv")})


def deliver(page: Page, *paths: Path) -> None:
    page.goto("/datasets/new")
    page.get_by_label("Dataset file").set_input_files(paths)


def recognised(page: Page) -> Locator:
    return page.locator(".preflight-recognised strong")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_guessed_column_is_shown_and_corrected(
    theme: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(theme=theme)
    deliver(page, manifest(tmp_path / "pets.zip"))
    expect(recognised(page)).to_have_text("Images with a table")
    expect(page.get_by_role("combobox", name="Label", exact=True)).to_have_value("label")
    expect(page.locator("table.classes tr")).to_have_count(3)
    assert violations(page) == []

    page.get_by_role("combobox", name="Label", exact=True).click()
    page.get_by_role("option", name="digit").click()
    expect(page.locator("table.classes tr")).to_have_count(9)
    page.get_by_text("test · 10").click()
    expect(page.get_by_text("10 images in 10 classes")).to_be_visible()
    page.get_by_text("1 item would be left out").click()
    expect(page.get_by_text("No row of the table names this image.")).to_be_visible()
    page.get_by_label("Name").fill("Corrected")
    page.get_by_role("button", name="Import 10").click()

    page.wait_for_url(re.compile("/datasets/[0-9a-f]{32}$"))
    expect(page.locator("[data-status=ready]")).to_be_visible()
    expect(page.get_by_role("heading", name="Corrected")).to_be_visible()
    expect(page.locator(".stat").first).to_contain_text("10")


def test_several_archives_come_at_once_and_each_is_decided_for_itself(page: Page, tmp_path: Path) -> None:
    members = class_folders(DATA)
    deliver(page, as_zip(tmp_path / "one.zip", members), as_zip(tmp_path / "two.zip", members))
    imports = page.get_by_role("button", name="Import 30")
    expect(imports).to_have_count(2)

    page.get_by_role("button", name="Discard").first.click()
    expect(imports).to_have_count(1)
    expect(page.get_by_role("heading", name="two")).to_be_visible()
    imports.click()

    page.wait_for_url(re.compile("/datasets/[0-9a-f]{32}$"))
    expect(page.get_by_role("heading", name="two")).to_be_visible()


def test_a_folder_on_the_server_is_found_while_its_path_is_typed(
    page: Page, system: Installation, folder: Path
) -> None:
    as_folder(folder / "opened" / "digits", class_folders(DATA))
    page.goto("/datasets/new?from=server")
    field = page.get_by_role("combobox", name="Folder or archive")
    field.click()
    page.get_by_role("option", name=f"{folder}/opened/", exact=True).click()
    page.get_by_role("option", name=f"{folder}/opened/digits/").click()
    page.get_by_role("button", name="Look").click()
    expect(recognised(page)).to_have_text("Class folders")
    page.get_by_text("all · 40").click()
    page.get_by_role("button", name="Import 40").click()
    page.wait_for_url(re.compile("/datasets/[0-9a-f]{32}$"))
    expect(page.locator("[data-status=ready]")).to_be_visible()


def test_a_folder_that_is_not_opened_is_refused_in_words(open_page: Callable[..., Page]) -> None:
    page = open_page("/datasets/new?from=server", ignore="403")
    page.get_by_role("combobox", name="Folder or archive").fill("/etc")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert").locator("code")).to_have_text("FOLDER_NOT_ALLOWED")
