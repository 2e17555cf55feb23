"""Reviewing in the gallery: many at once, filters, undo, and a server that is away for a while."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def standing(audited: tuple[str, str], system: Installation, page: Page) -> Callable[[], dict[str, int]]:
    """The dataset's standing decisions by verdict, as the server has them."""

    def ask() -> dict[str, int]:
        answer = page.request.get(f"{system.url}/api/datasets/{audited[0]}/decisions")
        counts: dict[str, int] = answer.json()["counts"]
        return {verdict: count for verdict, count in counts.items() if count}

    return ask


def saved(page: Page) -> None:
    """Wait until everything decided in the page is on the server."""
    expect(page.get_by_text("saving…")).to_be_hidden()


def samples(page: Page, system: Installation, run: str, query: str) -> dict[str, Any]:
    """A page of samples as the server has it."""
    answer: dict[str, Any] = page.request.get(f"{system.url}/api/runs/{run}/samples?{query}").json()
    return answer


def test_as_many_samples_change_as_were_announced_and_one_undo_takes_all_back(
    page: Page, audited: tuple[str, str], standing: Callable[[], dict[str, int]]
) -> None:
    page.goto(f"/runs/{audited[1]}/flags")
    before = standing()
    page.locator(".tile").nth(0).hover()
    page.get_by_role("checkbox").nth(0).click()
    page.locator(".tile").nth(4).click(modifiers=["Shift"])
    expect(page.get_by_text("5 samples selected")).to_be_visible()
    page.get_by_role("toolbar").get_by_role("button", name="Unsure").click()
    expect(page.get_by_text("5 samples unsure")).to_be_visible()
    expect(page.get_by_text("5 samples selected")).to_be_hidden()
    expect(page.locator("[data-decided=unsure]")).to_have_count(5)
    expect(page.get_by_text(re.compile(r"^5 of \d+ flags reviewed"))).to_be_visible()
    saved(page)
    assert standing() == {**before, "unsure": 5}
    page.keyboard.press("z")
    expect(page.get_by_text(re.compile(r"^0 of \d+ flags reviewed"))).to_be_visible()
    saved(page)
    assert standing() == before
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()
    page.keyboard.press("Shift+Z")
    expect(page.locator("[data-decided=unsure]")).to_have_count(5)
    page.keyboard.press("z")
    expect(page.locator("[data-decided]")).to_have_count(0)
    saved(page)
    assert standing() == before


def test_a_filter_shows_exactly_what_matches_and_its_address_can_be_shared(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    run = audited[1]
    page.goto(f"/runs/{run}/flags")
    page.get_by_role("button", name="Given", exact=True).click()
    page.get_by_role("menuitem", name="3", exact=True).click()
    matching = samples(page, system, run, "flagged=true&given_label=3&limit=500")
    noun = "sample" if matching["total"] == 1 else "samples"
    expect(page.get_by_test_id("count")).to_have_text(f"{matching['total']} {noun}")
    shown = {int(tile.get_attribute("data-index") or -1) for tile in page.locator(".tile").all()}
    assert shown == {row["index"] for row in matching["items"]}
    assert page.url.endswith("/flags?given=3")
    page.goto(page.url)
    expect(page.get_by_test_id("count")).to_have_text(f"{matching['total']} {noun}")
    page.get_by_text("All samples").click()
    everything = samples(page, system, run, "given_label=3&limit=1")["total"]
    expect(page.get_by_test_id("count")).to_have_text(f"{everything} samples")


def test_a_shared_address_opens_its_sample_and_back_returns_to_the_place(
    page: Page, audited: tuple[str, str]
) -> None:
    page.goto(f"/runs/{audited[1]}/flags")
    page.locator(".tile").nth(2).click()
    panel = page.get_by_test_id("panel")
    expect(panel.get_by_role("heading", name="Why")).to_be_visible()
    expect(panel.locator(".panel-why li").first).to_be_visible()
    expect(panel.locator(".near img")).to_have_count(8)
    expect(panel.locator(".likely li")).to_have_count(9)
    address = page.url
    page.go_back()
    expect(panel).to_be_hidden()
    page.goto(address)
    expect(panel.get_by_role("heading", name="Why")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(panel.get_by_role("button", name="Keep")).to_have_attribute("aria-pressed", "false")


def test_decisions_taken_while_the_server_is_away_arrive_when_it_is_back(
    open_page: Callable[..., Page],
    audited: tuple[str, str],
    standing: Callable[[], dict[str, int]],
) -> None:
    page = open_page(f"/runs/{audited[1]}/flags", ignore="ERR_INTERNET_DISCONNECTED")
    before = standing()
    page.locator(".tile").nth(1).click()
    panel = page.get_by_test_id("panel")
    expect(panel.get_by_role("heading", name="Why")).to_be_visible()
    page.context.set_offline(True)
    page.keyboard.press("x")
    expect(page.locator("[data-decided=remove]")).to_have_count(1)
    page.keyboard.press("k")
    expect(page.get_by_text("2 of your decisions wait here")).to_be_visible()
    assert standing() == before
    page.context.set_offline(False)
    expect(page.get_by_text("of your decisions wait here")).to_be_hidden()
    expect(page.get_by_text(re.compile(r"^2 of \d+ flags reviewed"))).to_be_visible()
    assert standing() == {**before, "keep": 1, "remove": 1}
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(page.get_by_text(re.compile(r"^0 of \d+ flags reviewed"))).to_be_visible()
    assert standing() == before
