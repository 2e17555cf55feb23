"""Two tabs of one browser: each shows what the other decides, and sends only its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.e2e.reviewing import Reviewed
from tests.installation import Installation

pytestmark = pytest.mark.slow


def test_two_tabs_show_each_others_decisions_and_send_only_their_own(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/decisions"):
            sent.append("other" if request.frame.page == other.page else "one")

    page.context.on("request", note)
    one = Reviewed(page, system, *audited)
    one.undecide()
    other = Reviewed(page.context.new_page(), system, *audited)
    one.open_gallery()
    other.open_gallery()
    index = one.open_first()
    one.press("x")
    expect(other.page.locator("[data-decided=remove]")).to_have_attribute("data-index", str(index))
    other.saved(1)
    assert sent == ["one"]

    other.page.locator(f".tile[data-index='{index}'] button").click()
    expect(other.panel.get_by_role("heading", name="Why")).to_be_visible()
    expect(other.panel.get_by_role("button", name="Remove")).to_have_attribute("aria-pressed", "true")
    other.press("k")
    expect(one.page.locator(".strip [data-decided=keep]")).to_have_count(1)
    assert sent == ["one", "other"]

    # What the other tab decided since then is not one's own to take back.
    one.page.keyboard.press("z")
    expect(one.page.get_by_text("It was decided anew elsewhere since then, and stays.")).to_be_visible()
    assert (one.decision(index) or {})["verdict"] == "keep"
    other.page.keyboard.press("z")
    other.page.keyboard.press("c")
    one.saved(0)
    assert one.counts() == {}


def test_a_tab_that_opens_later_takes_up_what_is_already_decided(
    open_page: Callable[..., Page], system: Installation, audited: tuple[str, str]
) -> None:
    one = Reviewed(open_page(), system, *audited)
    one.undecide()
    one.open_gallery()
    index = one.open_first()
    one.press("u")
    one.saved(1)
    later = Reviewed(one.page.context.new_page(), system, *audited)
    later.open_gallery()
    expect(later.page.locator("[data-decided=unsure]")).to_have_attribute("data-index", str(index))
    later.page.wait_for_load_state("networkidle")
    later.page.keyboard.press("z")
    later.saved(0)
    expect(one.page.locator(".strip [data-decided]")).to_have_count(0)
    assert one.counts() == {}
