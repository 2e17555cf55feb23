"""Draws every screen in both themes for the guide, from a real audit of the built-in digits: `make screenshots`.

Starts an installation of its own and leaves nothing behind but the pictures.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.chromium import HINT, find_chromium
from tests.e2e.conftest import FLAGS, JOB_MS, PATIENCE_MS, WINDOW
from tests.e2e.people import let_in, share
from tests.installation import Installation, installation

FOLDER = Path(__file__).parents[2] / "docs" / "images"
QUALITY = 82
"""Of the WebP files: letters stay crisp, a picture stays under about 100 kB."""
ENDINGS: dict[Literal["light", "dark"], str] = {"light": "", "dark": "-dark"}
"""Of a picture's name, by theme."""


@dataclass(frozen=True)
class Shown:
    """What there is to show: one dataset with two finished audits, and one that is running."""

    dataset: str
    run: str
    other: str
    live: str


@dataclass(frozen=True)
class Screen:
    """A picture: the address, a text that is there once the screen is, and what to do before it is taken."""

    name: str
    path: str
    sign: str
    act: Callable[[Page], None] = lambda page: None


def _select_some(page: Page) -> None:
    page.locator(".tile").nth(0).hover()
    page.get_by_role("checkbox").nth(0).click()
    page.locator(".tile").nth(5).click(modifiers=["Shift"])
    page.mouse.move(5, 5)


def _open_review(page: Page) -> None:
    page.locator("button.tile-main").nth(3).click()
    expect(page.locator(".near img")).to_have_count(8)
    expect(page.locator(".course-chart")).to_have_count(2)


def _map_is_drawn(page: Page) -> None:
    expect(page.locator("canvas[data-ready]")).to_be_visible()
    page.mouse.move(5, 5)


def _some_epochs_are_done(page: Page) -> None:
    expect(page.get_by_role("list", name="Log")).to_contain_text("Epoch 12 of", timeout=300_000)
    expect(page.get_by_role("img", name="Histogram of")).to_be_visible()


def _settle_one(page: Page) -> None:
    page.keyboard.press("j")


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()


def _open_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


SCREENS = (
    # The first, while that run is still at work.
    Screen("live", "/runs/{live}", "Stop", _some_epochs_are_done),
    Screen("home", "/", "Datasets"),
    Screen("new-dataset", "/datasets/new", "Drop archives"),
    Screen("dataset", "/datasets/{dataset}", "Exact duplicates"),
    Screen("new-run", "/datasets/{dataset}/new-run", "Start the audit"),
    Screen("audit", "/runs/{run}", "ready to review"),
    Screen("gallery", "/runs/{run}/flags", "flags reviewed", _select_some),
    Screen("review", "/runs/{run}/flags?verdict=none", "flags reviewed", _open_review),
    Screen("loss", "/runs/{run}/loss?epoch=8", "Expected precision"),
    Screen("map", "/runs/{run}/map?given=3&show=all", "Open in the gallery", _map_is_drawn),
    Screen("classes", "/runs/{run}/classes", "Commonest changes"),
    Screen("compare", "/datasets/{dataset}/compare?runs={run},{other}", "Settings that differ"),
    Screen("sign-off", "/runs/{run}/sign-off?size=100", "What the reviews say"),
    Screen("export", "/runs/{run}/export", "Flagged, not reviewed"),
    Screen("settings", "/settings", "What serves these pages"),
    Screen("palette", "/runs/{run}/flags", "flags reviewed", _open_palette),
    Screen("keys", "/runs/{run}/flags", "flags reviewed", _open_keys),
)
ADJUDICATE = Screen("adjudicate", "/datasets/{dataset}/adjudicate", "Another class", _settle_one)
"""The last, since its dataset is reviewed blind, which the others are not."""
REPORT = "report"
NAMES = (*(screen.name for screen in SCREENS), REPORT, ADJUDICATE.name)


def draw(page: Page, screen: Screen, shown: Shown) -> bytes:
    """The screen as a PNG, once everything on it is there."""
    page.goto(screen.path.format(**vars(shown)))
    expect(page.get_by_text(screen.sign).first).to_be_visible()
    screen.act(page)
    for figure in page.locator("[data-state]:is(figure, [role=figure])").all():
        expect(figure).to_have_attribute("data-state", "ready")
    if screen.name != "live":
        page.wait_for_load_state("networkidle")
    page.wait_for_function("[...document.images].every(each => each.loading === 'lazy' || each.complete)")
    page.wait_for_timeout(500)  # images fade in
    return page.screenshot(animations="disabled")


def draw_report(context: BrowserContext, system: Installation, shown: Shown) -> bytes:
    """The top of the report, opened as the file that it is."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        system.command("export", shown.run, "--what", "report", "-o", str(file))
        page = context.new_page()
        page.goto(file.as_uri())
        expect(page.locator("#plot-loss .main-svg").first).to_be_visible()
        return page.screenshot(animations="disabled")


def prepare(system: Installation, page: Page) -> Shown:
    """The demo's dataset, two audits of it, some decisions, half a sign-off, and a third audit at work."""
    made = page.request.post("/api/datasets/builtin/digits", data={"noise_rate": 0.2, "seed": 0})
    dataset = made.json()["id"]
    page.goto(f"/datasets/{dataset}")
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    run = system.last_line("audit", dataset, "--wait")
    other = system.last_line("audit", dataset, "--set", "epochs=4", "--seed", "1", "--wait")
    flagged = page.request.get(f"/api/runs/{run}/samples?flagged=true&limit=48").json()["items"]
    _decide(page, dataset, [_verdict(number, row) for number, row in enumerate(flagged) if number % 8 != 7])
    plan = page.request.get(f"/api/runs/{run}/sign-off?size=100").json()
    drawn = "&".join(f"indices={index}" for index in plan["remaining"][:70])
    rows = page.request.get(f"/api/runs/{run}/samples?{drawn}&limit=70").json()["items"]
    _decide(page, dataset, [_verdict(0 if row["noise_posterior"] > 0.5 else 1, row) for row in rows])
    live = system.last_line("audit", dataset, "--set", "epochs=60", "--seed", "2")
    return Shown(dataset, run, other, live)


def review_blind(system: Installation, page: Page, shown: Shown) -> None:
    """Two people decide the same flags apart from each other, and not always alike."""
    page.goto("/")
    flagged = page.request.get(f"/api/runs/{shown.run}/samples?flagged=true&limit=60").json()["items"]
    _decide(page, shown.dataset, [{"index": index, "verdict": "cleared"} for index in range(1797)])
    blind = page.request.put(f"/api/datasets/{shown.dataset}/review", data={"blind": True})
    assert blind.ok, blind.text()
    browser = page.context.browser
    assert browser is not None
    for name, turns in (
        ("ada", {}),
        ("rob", {5: "keep", 17: "unsure", 23: "relabel", 30: "keep", 44: "remove"}),
    ):
        context = browser.new_context(base_url=system.url, extra_http_headers={"Origin": system.url})
        let_in(page, context, system.url, name, "reviewer")
        share(page, system.url, shown.dataset, name, "reviewer")
        guest = context.new_page()
        _decide(
            guest,
            shown.dataset,
            [_judged(row, number, turns.get(number)) for number, row in enumerate(flagged)],
        )
        context.close()


def _judged(row: dict[str, Any], number: int, turn: str | None) -> dict[str, Any]:
    """The suggested label, some kept; `turn` says what another pair of eyes sees."""
    verdict = turn or ("keep" if number % 4 == 3 else "relabel")
    if verdict != "relabel":
        return {"index": row["index"], "verdict": verdict}
    label = row["suggested_label"]
    other = next(each for each in range(10) if each not in (label, row["given_label"]))
    return {"index": row["index"], "verdict": verdict, "label": other if turn else label}


def _verdict(number: int, row: dict[str, Any]) -> dict[str, Any]:
    verdict = ("relabel", "keep", "relabel", "relabel", "remove", "relabel", "unsure")[number % 7]
    decided = {"index": row["index"], "verdict": verdict}
    return {**decided, "label": row["suggested_label"]} if verdict == "relabel" else decided


def _decide(page: Page, dataset: str, items: list[dict[str, Any]]) -> None:
    answer = page.request.post(
        f"/api/datasets/{dataset}/decisions", data={"items": items, "idempotency_key": uuid.uuid4().hex}
    )
    assert answer.ok, answer.text()


def save(png: bytes, name: str, folder: Path) -> None:
    """Write a picture as WebP."""
    file = folder / f"{name}.webp"
    Image.open(io.BytesIO(png)).save(file, quality=QUALITY, method=6)
    print(f"{file.name}: {file.stat().st_size // 1000} kB")


def take_all(browser: Browser, system: Installation, folder: Path, names: Iterable[str], width: int) -> None:
    """Every named picture in both themes (all where none is named), in a window of this width in pixels."""
    wanted = set(names)
    headers = {"Origin": system.url}
    signing_in = browser.new_context(base_url=system.url, extra_http_headers=headers)
    page = signing_in.new_page()
    page.goto(system.login_url)
    expect(page.get_by_role("heading", name=re.compile("Home|Which of your labels"))).to_be_visible()
    cookies = signing_in.storage_state()
    shown = prepare(system, page)
    looks = {
        ending: browser.new_context(
            storage_state=cookies,
            viewport={**WINDOW, "width": width},
            color_scheme=theme,
            base_url=system.url,
        )
        for theme, ending in ENDINGS.items()
    }
    pages = {ending: context.new_page() for ending, context in looks.items()}
    for screen in SCREENS:
        if not wanted or screen.name in wanted:
            for ending, page in pages.items():
                save(draw(page, screen, shown), screen.name + ending, folder)
    if not wanted or REPORT in wanted:
        for ending, context in looks.items():
            save(draw_report(context, system, shown), REPORT + ending, folder)
    if not wanted or ADJUDICATE.name in wanted:
        review_blind(system, page, shown)
        for ending, shown_page in pages.items():
            save(draw(shown_page, ADJUDICATE, shown), ADJUDICATE.name + ending, folder)


def main() -> None:
    """Command line: the pictures to draw; all where none is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--width", type=int, default=WINDOW["width"], help="of the window, in pixels")
    given = parser.parse_args()
    path = find_chromium()
    if path is None:
        raise SystemExit(HINT)
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory(prefix="noise-audit-pictures-") as made, sync_playwright() as playwright:
        # PostgreSQL's own user must be able to enter it.
        Path(made).chmod(0o755)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with installation(Path(made)) as system:
            take_all(browser, system, given.folder, given.names, given.width)
        browser.close()


if __name__ == "__main__":
    main()
