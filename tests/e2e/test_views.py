"""The views of evidence: losses by epoch, thresholds, the map."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.slow


def test_the_epoch_slider_shows_the_losses_of_that_epoch_without_asking_again(
    page: Page, audited: tuple[str, str]
) -> None:
    page.goto(f"/runs/{audited[1]}/loss")
    plot = page.get_by_role("figure", name=re.compile("^Distribution of all losses"))
    expect(plot).to_contain_text("Loss distribution after epoch 12")
    expect(plot).to_contain_text("Samples per bin")
    expect(page.get_by_role("slider", name="Threshold on the noise posterior")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("slider", name="Epoch").press("ArrowLeft")
    expect(plot).to_contain_text("Loss distribution after epoch 11")
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(plot).to_contain_text("Loss distribution after epoch 1")
    page.get_by_role("slider", name="Epoch").press("ArrowRight")
    expect(page).to_have_url(re.compile(r"/loss\?epoch=2$"))
    assert [url for url in asked if "/figures/" in url] == []
    page.reload()
    expect(plot).to_contain_text("Loss distribution after epoch 2")
    expect(page.get_by_text("estimated after epoch 2")).to_be_visible()
    page.set_viewport_size({"width": 420, "height": 900})
    said = page.locator(".plot-heading .dim").first
    expect(said).to_contain_text("500 samples;")
    assert said.evaluate("line => line.scrollWidth <= line.clientWidth"), "the figure's subtitle is cut off"
    expect(page.locator(".modebar-btn[data-title^=Share]")).to_have_count(0)


def test_a_moved_threshold_says_what_it_would_flag_and_shows_exactly_these(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    page.goto(f"/runs/{audited[1]}/loss")
    line = page.get_by_role("slider", name="Threshold on the noise posterior")
    expect(line).to_be_visible()
    line.press("PageDown")
    line.press("ArrowLeft")
    at = float(line.get_attribute("aria-valuenow") or "nan")
    known = page.request.get(f"{system.url}/api/runs/{audited[1]}/thresholds").json()
    row = next(row for row in known["items"] if row["threshold"] == at)
    assert at < known["threshold"]
    expect(line).to_have_attribute("aria-valuetext", re.compile(rf": {row['flagged']} flagged$"))
    box = line.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + 20, steps=4)
    page.mouse.up()
    dragged = float(line.get_attribute("aria-valuenow") or "nan")
    assert dragged > at
    page.get_by_role("textbox", name="Threshold").fill("0.2")
    row = next(row for row in known["items"] if row["threshold"] == 0.2)
    page.get_by_role("link", name=re.compile(r"^Show (these|this)")).click()
    expect(page).to_have_url(re.compile(r"min=0\.2"))
    noun = "sample" if row["flagged"] == 1 else "samples"
    expect(page.get_by_test_id("count")).to_contain_text(f"{row['flagged']} {noun}")


def test_what_the_lasso_circles_is_what_is_listed_and_has_an_address(
    page: Page, audited: tuple[str, str]
) -> None:
    page.goto(f"/runs/{audited[1]}/map")
    canvas = page.locator("canvas[data-ready]")
    expect(canvas).to_be_visible()
    expect(page.get_by_label("Legend")).to_contain_text("flagged (")
    box = canvas.bounding_box()
    assert box is not None
    left, top, right, bottom = (
        box["x"] + 1,
        box["y"] + 1,
        box["x"] + box["width"] - 1,
        box["y"] + box["height"] - 1,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(x, y)
    page.mouse.up()
    picked = page.get_by_label("Picked samples")
    expect(picked).to_contain_text("500 samples")
    expect(picked.get_by_text("the 60 most suspect of 500")).to_be_visible()
    expect(page).to_have_url(re.compile("selection="))
    page.reload()
    expect(picked).to_contain_text("500 samples")
    picked.get_by_role("link", name="Open in the gallery").click()
    expect(page.get_by_test_id("count")).to_contain_text("500 samples")
    page.go_back()
    expect(picked).to_contain_text("500 samples")
    page.keyboard.press("Escape")
    expect(picked).to_be_hidden()


def test_samples_are_picked_on_the_map_without_drawing(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    page.goto(f"/runs/{audited[1]}/map")
    picked = page.get_by_label("Picked samples")
    page.get_by_role("button", name="Pick by…").click()
    page.get_by_role("combobox", name="Given label").click()
    page.get_by_role("option", name="2", exact=True).click()
    page.get_by_role("switch", name="Only flagged ones").click()
    page.get_by_role("button", name="Pick", exact=True).click()
    api = f"{system.url}/api/runs/{audited[1]}/samples"
    expected = page.request.get(f"{api}?given_label=2&limit=1").json()["total"]
    expect(picked).to_contain_text(f"{expected} samples")
    assert "given=2" in page.url
    page.get_by_label("Legend").get_by_text("3 (").hover()
    page.get_by_role("button", name=re.compile(r"^Pick 3 \(")).click()
    expected = page.request.get(f"{api}?given_label=3&limit=1").json()["total"]
    expect(picked).to_contain_text(f"{expected} samples")
    picked.locator(".picked-grid button").first.click()
    expect(page.get_by_test_id("panel")).to_be_visible()
    page.go_back()
    expect(picked).to_contain_text(f"{expected} samples")
