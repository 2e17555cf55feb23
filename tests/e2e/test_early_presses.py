"""What one presses or clicks before everything has arrived still counts, and counts for what one sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.reviewing import Reviewed, held_back
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def reviewed(page: Page, system: Installation, audited: tuple[str, str]) -> Iterator[Reviewed]:
    """The audited digits with nothing decided, also afterwards."""
    audit = Reviewed(page, system, *audited)
    audit.undecide()
    yield audit
    audit.undecide()


def test_a_picture_opens_before_its_row_has_come(reviewed: Reviewed) -> None:
    page = reviewed.page
    with held_back(page, "**/samples?indices=*"):
        page.goto(f"/runs/{reviewed.run}/flags")
        page.locator(".tile").first.click()
        expect(reviewed.panel).to_be_visible()
    expect(reviewed.panel.get_by_role("button", name="Keep")).to_be_visible()


def test_escape_closes_what_one_looks_at_closely_and_not_the_sample_beneath(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    reviewed.open_first()
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    # So it is until the dialog has taken the focus, for those who are quicker.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(reviewed.panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(reviewed.panel).to_be_hidden()


def test_a_verdict_counts_as_soon_as_the_sample_is_there(reviewed: Reviewed) -> None:
    page = reviewed.page
    index = reviewed.samples("flagged=true&limit=1")["items"][0]["index"]
    why = reviewed.panel.get_by_role("heading", name="Why")
    with held_back(page, "**/members"):
        with page.expect_request("**/members"):
            page.goto(f"/runs/{reviewed.run}/review/{index}")
        page.wait_for_timeout(1000)  # time for everything else to come
        expect(why).to_be_hidden()
    expect(why).to_be_visible()
    page.keyboard.press("k")
    reviewed.saved(1)
    assert reviewed.counts() == {"keep": 1}
