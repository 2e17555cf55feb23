"""The views of evidence: losses by epoch, the map; and every screen for everybody, in both themes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {
    "home": ("/", "Datasets"),
    "new dataset": ("/datasets/new", "Drop a zip"),
    "dataset": ("/datasets/{dataset}", "Exact duplicates"),
    "new run": ("/datasets/{dataset}/new-run", "Start the audit"),
    "audit": ("/runs/{run}", "ready to review"),
    "gallery": ("/runs/{run}/flags", "flags reviewed"),
    "review": ("/runs/{run}/review/0", "Nearest samples"),
    "loss": ("/runs/{run}/loss", "Loss distribution"),
    "map": ("/runs/{run}/map", "Map by given label"),
    "export": ("/runs/{run}/export", "Flagged, not reviewed"),
}


def test_the_epoch_slider_shows_the_losses_of_that_epoch(page: Page, audited: tuple[str, str]) -> None:
    page.goto(f"/runs/{audited[1]}/loss")
    plot = page.locator(".plot-host[data-state=ready]")
    expect(plot).to_contain_text("Loss distribution after epoch 12")
    expect(plot).to_contain_text("Samples per bin")
    page.get_by_role("slider", name="Epoch").press("ArrowLeft")
    expect(plot).to_contain_text("Loss distribution after epoch 11")
    assert page.url.endswith("/loss?epoch=11")
    page.reload()
    expect(plot).to_contain_text("Loss distribution after epoch 11")
    expect(page.get_by_text("estimated after epoch 11")).to_be_visible()


def test_what_the_lasso_circles_is_what_is_listed(
    page: Page, system: Installation, audited: tuple[str, str]
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
    expect(picked.locator(".tile")).to_have_count(500)
    page.keyboard.press("Escape")
    expect(picked).to_be_hidden()
    page.get_by_label("Legend").get_by_text("2 (").hover()
    page.get_by_role("button", name=re.compile(r"^Pick 2 \(")).click()
    expected = page.request.get(f"{system.url}/api/runs/{audited[1]}/samples?given_label=2&limit=1").json()
    expect(picked.locator(".tile")).to_have_count(expected["total"])
    picked.locator(".tile").first.click()
    expect(page.get_by_test_id("panel")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_can_be_read_and_used_by_everybody(
    open_page: Callable[..., Page], audited: tuple[str, str], theme: str
) -> None:
    assert AXE.is_file(), "axe-core is not installed: run python frontend/build_hook.py --test first"
    dataset, run = audited
    page = open_page(theme=theme)
    found = {}
    for screen, (path, sign) in SCREENS.items():
        page.goto(path.format(dataset=dataset, run=run))
        expect(page.get_by_text(sign).first).to_be_visible()
        page.evaluate(AXE.read_text())
        violations = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
            ".then(({violations}) => violations.map(v => v.id + ': ' + v.nodes.slice(0, 3)"
            ".map(n => n.html.slice(0, 120) + ' ' + (n.any[0]?.message ?? '')).join(' | ')))"
        )
        if violations:
            found[screen] = violations
    assert found == {}
