"""The command palette, and keys that are changed, refused and switched off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.everybody import violations_in_both_themes
from tests.e2e.reviewing import Reviewed
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def reviewed(page: Page, system: Installation, audited: tuple[str, str]) -> Reviewed:
    """The audited digits with nothing decided; every test leaves them so."""
    audit = Reviewed(page, system, *audited)
    audit.undecide()
    return audit


def test_a_changed_key_does_what_the_old_one_did_also_after_a_reload(reviewed: Reviewed) -> None:
    page = reviewed.page
    page.goto("/settings")
    page.get_by_role("button", name="Keep the given label: K. Change").click()
    page.keyboard.press("x")
    expect(page.get_by_role("alert")).to_have_text(
        "X is taken by “Remove from the cleaned labels”. Change that one first."
    )
    page.keyboard.press("y")
    expect(page.get_by_role("button", name="Keep the given label: Y. Change")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Keep the given label: Y. Change")).to_be_visible()

    reviewed.open_gallery()
    index = reviewed.open_first()
    keep = reviewed.panel.get_by_role("button", name="Keep")
    expect(keep).to_contain_text("Y")
    page.keyboard.press("k")
    expect(keep).to_have_attribute("aria-pressed", "false")
    reviewed.press("y")
    reviewed.saved(1)
    assert (reviewed.decision(index) or {})["verdict"] == "keep"
    page.keyboard.press("z")
    reviewed.saved(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Keep the given labelY")).to_be_visible()
    page.get_by_role("link", name="Change them").click()
    page.wait_for_url("**/settings#keys")
    page.get_by_role("button", name="Reset all keys").click()
    expect(page.get_by_role("button", name="Keep the given label: K. Change")).to_be_visible()


def test_keys_that_are_switched_off_do_nothing_but_the_fixed_ones(reviewed: Reviewed) -> None:
    page = reviewed.page
    page.goto("/settings")
    page.get_by_role("switch", name="Use single keys").click(force=True)
    reviewed.open_gallery()
    index = reviewed.open_first()
    for key in ("k", "x", "1", "Enter"):
        page.keyboard.press(key)
    expect(reviewed.panel.locator(".panel-where strong")).to_have_text(f"Sample {index}")
    expect(reviewed.panel.locator(".decide[aria-pressed=true]")).to_have_count(0)
    reviewed.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(reviewed.panel).to_be_hidden()


def test_the_palette_finds_screens_datasets_and_actions_and_does_them(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    index = reviewed.open_first()
    page.keyboard.press("Control+k")
    search = page.get_by_role("combobox", name="Search screens, datasets, actions")
    expect(search).to_be_focused()
    expect(page.get_by_role("option", name="Keep the given label K")).to_be_visible()
    search.fill("remove from")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(reviewed.panel.locator(".panel-where strong")).not_to_have_text(f"Sample {index}")
    reviewed.saved(1)
    assert (reviewed.decision(index) or {})["verdict"] == "remove"
    page.keyboard.press("z")
    reviewed.saved(0)
    page.keyboard.press("Control+k")
    search.fill("sett")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings")
    page.keyboard.press("Control+k")
    search.fill("audited")
    page.get_by_role("option", name="audited 500 samples").click()
    page.wait_for_url(f"**/datasets/{reviewed.dataset}")
    page.keyboard.press("Control+k")
    search.fill("no such thing")
    expect(page.get_by_text("Nothing is called like that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()


def test_g_and_a_letter_lead_to_every_screen_of_the_run(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    for letter, address in (
        ("a", f"**/runs/{reviewed.run}"),
        ("l", "**/loss"),
        ("m", "**/map"),
        ("c", "**/classes"),
        ("s", "**/sign-off"),
        ("e", "**/export"),
        ("f", "**/flags"),
        ("o", "**/compare?*"),
        ("h", f"{reviewed.system.url}/"),
    ):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(address)


def test_the_palette_is_for_everybody(open_page: Callable[..., Page], audited: tuple[str, str]) -> None:
    page = open_page(f"/runs/{audited[1]}/flags")
    expect(page.locator("button.tile-main").first).to_be_visible()
    page.get_by_role("button", name="Search or do").click()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert violations_in_both_themes(page) == []
