"""Settings: the theme, tokens that are shown once, and what this installation is."""

from __future__ import annotations

import os
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.everybody import violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow


def test_a_token_is_shown_once_opens_the_door_and_does_no_longer_once_revoked(
    page: Page, system: Installation
) -> None:
    def who(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{system.url}/api/session", headers=headers, trust_env=False).status_code

    page.goto("/settings#tokens")
    page.get_by_label("Name").fill("<b>nightly</b>")
    page.get_by_role("button", name="Make a token").click()
    shown = page.get_by_role("textbox", name="The token")
    expect(shown).to_be_focused()
    token = shown.input_value()
    assert who(token) == 200
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    expect(page.get_by_role("rowheader", name="<b>nightly</b>")).to_be_visible()
    page.reload()
    expect(page.get_by_role("rowheader", name="<b>nightly</b>")).to_be_visible()
    assert token not in page.content()
    page.get_by_role("button", name="Revoke <b>nightly</b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("rowheader", name="<b>nightly</b>")).to_be_hidden()
    assert who(token) == 401


def test_the_theme_is_ones_own_or_the_systems_and_stays(open_page: Callable[..., Page]) -> None:
    page = open_page("/settings", theme="light")
    root = page.locator("html")
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("radio", name="Dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    page.get_by_role("radio", name="System").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")


def test_what_nothing_needs_is_removed_and_the_space_freed_is_said(page: Page, system: Installation) -> None:
    left = system.data / "artifacts" / "runs" / ("0" * 32) / "model.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x" * 3000)
    os.utime(left, (0, 0))
    page.goto("/settings#resources")
    resources = page.locator("#resources")
    files, size = page.request.get("/api/installation").json()["retention"]["would_free"].values()
    assert (files, size) == (1, 3000), "an earlier test left files over"
    expect(resources).to_contain_text("1 file that nothing needs: 3.0 kB.")
    resources.get_by_role("button", name="Remove them now").click()
    expect(page.get_by_text("Removed 1 file, 3.0 kB.")).to_be_visible()
    expect(resources).to_contain_text("Nothing is left over that could go.")
    expect(resources).to_contain_text("Last removed just now: 3.0 kB.")
    expect(resources.get_by_role("button", name="Remove them now")).to_be_disabled()
    assert not left.exists()


def test_the_settings_say_what_serves_them_and_are_for_everybody(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/settings")
    asked = page.request.get("/api/system").json()
    facts = page.locator("#installation .facts-list")
    expect(facts).to_contain_text(f"Version{asked['version']}")
    expect(facts).to_contain_text(f"Trains on{asked['device']}")
    resources = page.locator("#resources")
    expect(resources.get_by_role("table", name="Workers")).to_contain_text("Ready")
    expect(resources.locator(".stat").first).to_contain_text("B")
    expect(resources.get_by_role("button", name="Remove them now")).to_be_visible()
    page.set_viewport_size({"width": 420, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 420, "wider than the window"
    page.get_by_role("button", name="Undo: Z. Change").click()
    page.keyboard.press("x")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations_in_both_themes(page) == []
