"""Reviewing in the gallery: many at once, filters, places, undo, and a server that is away for a while."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.everybody import slow_down, violations, violations_half_way
from tests.e2e.reviewing import Reviewed
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def reviewed(page: Page, system: Installation, audited: tuple[str, str]) -> Reviewed:
    """The audited digits with nothing decided; every test leaves them so."""
    audit = Reviewed(page, system, *audited)
    audit.undecide()
    return audit


def test_fifty_samples_are_reviewed_with_one_hand_on_the_keyboard_and_all_taken_back(
    reviewed: Reviewed,
) -> None:
    keys = ("Enter", "k", "x", "u", "2")
    reviewed.open_gallery("?show=all")
    reviewed.page.keyboard.press("j")
    reviewed.page.keyboard.press("Space")
    expect(reviewed.panel.get_by_role("heading", name="Why")).to_be_visible()
    pressed = {}
    for turn in range(50):
        key = keys[turn % 5]
        if key == "2":
            # What the second most likely class is, is known once the evidence is there.
            expect(reviewed.panel.locator(".likely li").first).to_be_visible()
        pressed[reviewed.press(key)] = key
    assert len(pressed) == 50
    expect(reviewed.page.get_by_text("saving…")).to_be_hidden()
    before = {row["index"]: row for row in reviewed.samples("limit=500")["items"]}
    expected: Counter[str] = Counter()
    for index, key in pressed.items():
        row = before[index]
        same = row["suggested_label"] == row["given_label"]
        verdict = {"Enter": "keep" if same else "relabel", "k": "keep", "x": "remove", "u": "unsure"}.get(key)
        # The second most likely class may be the given one, which keeps it.
        expected[verdict or row["decision"]["verdict"]] += 1
        if verdict is not None:
            assert row["decision"]["verdict"] == verdict, (index, key)
        else:
            assert row["decision"]["verdict"] in ("relabel", "keep")
    assert reviewed.counts() == expected
    for _ in range(50):
        reviewed.page.keyboard.press("z")
    expect(reviewed.page.locator(".strip [data-decided]")).to_have_count(0)
    reviewed.saved(0)
    assert reviewed.counts() == {}


def test_as_many_samples_change_as_were_announced_and_one_undo_takes_all_back(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    page.locator(".tile").nth(0).hover()
    page.get_by_role("checkbox").nth(0).click()
    page.locator(".tile").nth(4).click(modifiers=["Shift"])
    expect(page.get_by_text("5 samples selected")).to_be_visible()
    page.get_by_role("toolbar").get_by_role("button", name="Unsure").click()
    expect(page.get_by_text("5 samples marked unsure. Z takes it back.")).to_be_visible()
    expect(page.get_by_text("5 samples selected")).to_be_hidden()
    expect(page.locator("[data-decided=unsure]")).to_have_count(5)
    reviewed.saved(5)
    assert reviewed.counts() == {"unsure": 5}
    page.keyboard.press("z")
    reviewed.saved(0)
    assert reviewed.counts() == {}


def test_everything_that_matches_is_selected_and_decided_in_view_or_not(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery("?show=all&order=index")
    page.locator(".tile[data-index='3']").get_by_role("button").click()
    reviewed.press("k")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_text("500 samples selected")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("499 samples kept; 1 was so already.")).to_be_visible()
    expect(page.get_by_text("saving…")).to_be_hidden()
    assert reviewed.counts() == {"keep": 500}
    page.keyboard.press("z")
    expect(page.get_by_text("Undone: 499 samples.")).to_be_visible()
    page.keyboard.press("z")
    reviewed.saved(0)
    assert reviewed.counts() == {}


def test_undo_and_redo_reach_back_before_a_reload_and_into_another_browser(
    reviewed: Reviewed, browser: Browser, open_page: Callable[..., Page]
) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    first = reviewed.open_first()
    reviewed.press("x")
    second = reviewed.press("k")
    reviewed.saved(2)
    page.reload()
    # They are there, and the keys, once it is known that one may decide.
    expect(reviewed.panel.locator("button.decide").first).to_be_visible()
    page.keyboard.press("z")
    expect(reviewed.panel.locator(".panel-where strong")).to_have_text(f"Sample {second}")
    reviewed.saved(1)
    assert reviewed.counts() == {"remove": 1}
    page.keyboard.press("Shift+Z")
    reviewed.saved(2)
    page.keyboard.press("z")
    reviewed.saved(1)

    elsewhere = Reviewed(open_page(), reviewed.system, reviewed.dataset, reviewed.run)
    elsewhere.open_gallery()
    expect(elsewhere.page.locator("[data-decided=remove]")).to_have_attribute("data-index", str(first))
    # Its history comes from the server a moment after the page.
    elsewhere.page.wait_for_load_state("networkidle")
    elsewhere.page.keyboard.press("Shift+Z")
    elsewhere.saved(2)
    assert elsewhere.decision(second) is not None
    elsewhere.page.keyboard.press("z")
    elsewhere.saved(1)
    elsewhere.page.keyboard.press("z")
    elsewhere.saved(0)
    assert reviewed.counts() == {}


def test_a_filter_shows_exactly_what_matches_and_its_address_can_be_shared(reviewed: Reviewed) -> None:
    page = reviewed.page
    reviewed.open_gallery()
    page.get_by_role("button", name="Given", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="3", exact=True).click()
    matching = reviewed.samples("flagged=true&given_label=3&limit=500")
    noun = "sample" if matching["total"] == 1 else "samples"
    expect(page.get_by_test_id("count")).to_have_text(f"{matching['total']} {noun}")
    expect(page.locator("button.tile-main")).to_have_count(matching["total"])
    shown = [int(tile.get_attribute("data-index") or -1) for tile in page.locator(".tile").all()]
    assert shown == [row["index"] for row in matching["items"]]
    assert page.url.endswith("/flags?given=3")
    page.goto(page.url)
    expect(page.get_by_test_id("count")).to_have_text(f"{matching['total']} {noun}")
    page.get_by_text("All samples").click()
    everything = reviewed.samples("given_label=3&limit=1")["total"]
    expect(page.get_by_test_id("count")).to_have_text(f"{everything} samples")
    page.get_by_role("button", name="Agreement", exact=True).click()
    page.get_by_role("menuitem", name="2 or more").click()
    agreed = reviewed.samples("given_label=3&min_agreement=2&limit=1")["total"]
    expect(page.get_by_test_id("count")).to_have_text(re.compile(rf"^{agreed} samples?$"))
    page.get_by_role("link", name="Show on map").click()
    page.wait_for_url("**/map?*agreement=2*")


def test_a_cell_and_a_kept_selection_are_filters_with_names_of_their_own(reviewed: Reviewed) -> None:
    page = reviewed.page
    answer = page.request.post(
        f"{reviewed.system.url}/api/runs/{reviewed.run}/selections",
        data={"indices": [40, 7, 21]},
        headers={"Origin": reviewed.system.url},
    )
    kept = answer.json()
    reviewed.open_gallery(f"?show=all&selection={kept['id']}&order=selection")
    expect(page.get_by_test_id("count")).to_have_text("3 samples")
    expect(page.get_by_text("Selection3 samples")).to_be_visible()
    shown = [int(tile.get_attribute("data-index") or -1) for tile in page.locator(".tile").all()]
    assert shown == [40, 7, 21]
    page.get_by_role("button", name="Clear the filter Selection").click()
    expect(page.get_by_test_id("count")).to_have_text("500 samples")
    row = reviewed.samples("flagged=true&limit=1")["items"][0]
    given, suggested = row["given_label"], row["suggested_label"]
    reviewed.open_gallery(f"?given={given}&suggested={suggested}")
    matching = reviewed.samples(f"flagged=true&given_label={given}&suggested_label={suggested}&limit=1")
    expect(page.get_by_test_id("count")).to_have_text(re.compile(rf"^{matching['total']} samples?$"))
    page.get_by_role("button", name="Clear the filter Given → suggested").click()
    flagged = reviewed.samples("flagged=true&limit=1")["total"]
    expect(page.get_by_test_id("count")).to_have_text(f"{flagged} samples")


def test_ninety_six_thumbnails_come_in_one_request_and_two_pages_ahead(reviewed: Reviewed) -> None:
    asked: list[str] = []
    reviewed.page.on("request", lambda request: asked.append(request.url))
    reviewed.open_gallery("?show=all&order=index")
    reviewed.page.wait_for_load_state("networkidle")
    atlases = {url.split("indices=")[1].split("&")[0] for url in asked if "/atlas?" in url}
    expected = {",".join(map(str, range(start, min(start + 96, 500)))) for start in range(0, 500, 96)}
    assert atlases < expected, "something else than pages of the list was asked for"
    assert {",".join(map(str, range(start, start + 96))) for start in (0, 96, 192)} <= atlases
    assert not [url for url in asked if url.endswith("/thumbnail")]


def test_back_and_forward_return_to_the_place_and_a_shared_address_opens_its_sample(
    reviewed: Reviewed,
) -> None:
    page, panel = reviewed.page, reviewed.panel
    reviewed.open_gallery("?show=all")
    grid = page.get_by_role("region", name="Samples")
    grid.evaluate("grid => grid.scrollTo(0, 1200)")
    tile = page.locator("button.tile-main").nth(40)
    index = tile.locator("xpath=..").get_attribute("data-index") or ""
    tile.click()
    expect(panel.locator(".panel-where strong")).to_have_text(f"Sample {index}")
    for _ in range(3):
        reviewed.press("j")
    later = reviewed.opened()
    address = page.url
    page.go_back()
    expect(panel).to_be_hidden()
    expect(page.locator(f".tile[data-index='{index}']")).to_be_in_viewport()
    expect(page.locator(".tile[data-cursor]")).to_have_attribute("data-index", index)
    expect(grid).to_be_focused()
    page.go_forward()
    expect(panel.locator(".panel-where strong")).to_have_text(f"Sample {later}")
    page.go_back()
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/loss")
    page.go_back()
    expect(page.locator(f".tile[data-index='{index}']")).to_be_in_viewport()
    expect(page.locator(".tile[data-cursor]")).to_have_attribute("data-index", index)

    page.goto(address)
    expect(panel.get_by_role("heading", name="Why")).to_be_visible()
    expect(panel.locator(".panel-why li").first).to_be_visible()
    expect(panel.locator(".near img")).to_have_count(8)
    expect(panel.locator(".likely li")).to_have_count(9)
    expect(panel.get_by_text("of 500")).to_be_visible()


def test_keys_stay_out_of_dialogs_and_lead_to_the_neighbours_and_back(reviewed: Reviewed) -> None:
    page, panel = reviewed.page, reviewed.panel
    reviewed.open_gallery()
    index = reviewed.open_first()
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(panel.get_by_role("button", name="Keep")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    expect(panel.locator(".near button").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    second = panel.locator(".near button").nth(1)
    expect(second).to_be_focused()
    title = second.get_attribute("title") or ""
    page.keyboard.press("Enter")
    expect(panel.locator(".panel-where strong")).to_have_text(title.split(",")[0])
    page.go_back()
    expect(panel.locator(".panel-where strong")).to_have_text(f"Sample {index}")


def test_decisions_taken_while_the_server_is_away_arrive_when_it_is_back(
    open_page: Callable[..., Page], system: Installation, audited: tuple[str, str]
) -> None:
    page = open_page(ignore="ERR_INTERNET_DISCONNECTED")
    reviewed = Reviewed(page, system, *audited)
    reviewed.undecide()
    reviewed.open_gallery()
    first = reviewed.open_first()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    reviewed.press("x")
    second = reviewed.press("k")
    expect(page.locator(".strip [data-decided]")).to_have_count(2)
    expect(page.get_by_text("2 decisions of yours wait here")).to_be_visible()
    assert reviewed.counts() == {}
    page.context.set_offline(False)
    expect(page.get_by_text("decisions of yours wait here")).to_be_hidden()
    reviewed.saved(2)
    assert [(reviewed.decision(index) or {}).get("verdict") for index in (first, second)] == [
        "remove",
        "keep",
    ]
    page.keyboard.press("z")
    page.keyboard.press("z")
    reviewed.saved(0)
    assert reviewed.counts() == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gallery_review_and_their_dialogs_are_for_everybody(
    open_page: Callable[..., Page], system: Installation, audited: tuple[str, str], theme: str
) -> None:
    page = open_page(theme=theme)
    reviewed = Reviewed(page, system, *audited)
    reviewed.undecide()
    found = {}
    reviewed.open_gallery("?given=3&show=all&min=0.01")
    page.keyboard.press("j")
    page.keyboard.press("s")
    found["gallery with a selection"] = violations(page)
    page.keyboard.press("l")
    expect(page.get_by_role("dialog")).to_be_visible()
    found["relabel dialog"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Posterior")).click()
    expect(page.get_by_role("slider").first).to_be_visible()
    found["filter menu"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    reviewed.open_first()
    # What a verdict fills is readable at once, not only when its colour has come.
    slow_down(page)
    for key in ("k", "x", "Enter", "u"):
        index = reviewed.press(key)
        reviewed.press("h")
        expect(reviewed.panel.locator(".decide[aria-pressed=true]")).to_have_count(1)
        assert reviewed.opened() == index
        found[f"decided by {key}"] = violations_half_way(page)
    for _ in range(4):
        page.keyboard.press("z")
    reviewed.saved(0)
    page.get_by_text("The numbers as a table").click()
    found["undecided, with numbers"] = violations(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found["keys"] = violations(page)
    assert {screen: said for screen, said in found.items() if said} == {}
