"""Sign-off: a random sample is reviewed by keys alone, and the page says what that means for all labels."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.slow

SIZE = 12


def test_the_reviewed_sample_gives_estimates_and_can_be_taken_back(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    dataset, run = audited
    page.goto(f"/runs/{run}/sign-off?size={SIZE}")
    expect(page.get_by_text(f"{SIZE} samples to review")).to_be_visible()
    expect(page.get_by_text("They appear with the first reviewed samples.")).to_be_visible()
    page.get_by_role("link", name="Start the review").click()
    panel = page.get_by_test_id("panel")
    expect(panel).to_be_visible()
    address = f"{system.url}/api/runs/{run}/sign-off?size={SIZE}"
    plan = page.request.get(address).json()
    for index in plan["remaining"]:
        expect(panel.locator(".panel-where strong")).to_have_text(f"Sample {index}")
        # A verdict is for what one sees: keys wait for the evidence.
        expect(panel.get_by_role("heading", name="Why")).to_be_visible()
        expect(panel.locator(".decide[aria-pressed=true]")).to_have_count(0)
        page.keyboard.press("x" if index == plan["remaining"][0] else "k")
    expect(page.get_by_text("saving…")).to_be_hidden()
    page.get_by_role("link", name="Sign-off").click()
    page.goto(f"/runs/{run}/sign-off?size={SIZE}")
    expect(page.get_by_text(f"{SIZE} of {SIZE} samples reviewed")).to_be_visible()
    said = page.request.get(address).json()
    assert said["remaining"] == []
    assert sum(part["wrong"] for part in said["strata"]) == 1
    rate = page.get_by_role("row", name=re.compile("^Noise rate"))
    expect(rate).to_contain_text(" %")
    expect(rate.locator(".whisker-dot")).to_be_visible()
    page.get_by_role("radiogroup", name="Samples to review").get_by_text("100", exact=True).click()
    expect(page.get_by_text(f"{SIZE} of 100 samples reviewed")).to_be_visible()
    page.goto(f"/runs/{run}/flags?show=all")
    expect(page.locator(".tile").first).to_be_visible()
    for _ in range(SIZE):
        page.keyboard.press("z")
    expect(page.get_by_text("saving…")).to_be_hidden()
    page.wait_for_function(
        f"fetch('/api/datasets/{dataset}/decisions').then(one => one.json())"
        ".then(({counts}) => Object.values(counts).every(one => one === 0))"
    )
