"""Every screen in its states for everybody: what axe finds in both themes, and names that are full of markup."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.digits import write_zip
from tests.e2e.everybody import violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow

NASTY = "<img src=x onerror=\"document.title='taken'\">"

SCREENS = {
    "home": ("/", "Datasets"),
    "new dataset": ("/datasets/new", "Drop archives"),
    "add images": ("/datasets/new?into={dataset}", "Makes a version of it"),
    "dataset": ("/datasets/{dataset}", "Exact duplicates"),
    "adjudicate, nothing to settle": ("/datasets/{dataset}/adjudicate", "Nothing to settle"),
    "new run": ("/datasets/{dataset}/new-run", "Start the audit"),
    "audit": ("/runs/{run}", "ready to review"),
    "gallery": ("/runs/{run}/flags", "flags reviewed"),
    "review": ("/runs/{run}/review/0", "Nearest samples"),
    "loss": ("/runs/{run}/loss", "Expected precision"),
    "loss of an epoch": ("/runs/{run}/loss?epoch=3", "estimated after epoch 3"),
    "map": ("/runs/{run}/map", "Map by given label"),
    "map with a pick": ("/runs/{run}/map?given=3&show=all", "Open in the gallery"),
    "classes": ("/runs/{run}/classes", "Commonest changes"),
    "classes with the diagonal": ("/runs/{run}/classes?diagonal=true", "Commonest changes"),
    "compare, nothing to compare": ("/datasets/{dataset}/compare", "Compare"),
    "sign-off": ("/runs/{run}/sign-off", "What the reviews say"),
    "export": ("/runs/{run}/export", "Flagged, not reviewed"),
    "settings": ("/settings", "Use single keys"),
    "gallery, nothing matches": ("/runs/{run}/flags?given=1&suggested=1", "No sample matches"),
    "map, nothing matches": ("/runs/{run}/map?given=1&suggested=1", "No sample is like that"),
    "a run that is not there": ("/runs/00000000000000000000000000000000", "There is no such run"),
    "an address that leads nowhere": ("/nowhere", "There is nothing at this address"),
}


PASSWORD = "nine correct horses"


def test_every_screen_can_be_read_and_used_by_everybody(
    open_page: Callable[..., Page], audited: tuple[str, str]
) -> None:
    dataset, run = audited
    page = open_page(ignore="404")
    found = {}
    for screen, (path, sign) in SCREENS.items():
        page.goto(path.format(dataset=dataset, run=run))
        expect(page.get_by_text(sign).first).to_be_visible()
        if found_here := violations_in_both_themes(page):
            found[screen] = found_here
    assert found == {}


def test_dialogs_can_be_used_by_everybody(page: Page, audited: tuple[str, str]) -> None:
    page.goto(f"/datasets/{audited[0]}")
    for way in (("Plant noise", "More"), ("New self-test", None)):
        entry, menu = way
        if menu:
            page.get_by_role("button", name=menu).click()
        page.get_by_role("menuitem" if menu else "button", name=entry).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations_in_both_themes(page) == []
        page.keyboard.press("Escape")


def test_a_server_that_does_not_answer_is_said_in_words_with_one_thing_to_do(
    open_page: Callable[..., Page], audited: tuple[str, str]
) -> None:
    page = open_page("/settings", ignore="ERR_")
    page.route("**/api/datasets", lambda route: route.abort())
    page.goto("/")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server does not answer.")
    assert violations_in_both_themes(page) == []
    page.unroute("**/api/datasets")
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_somebody_new_signs_in_with_a_password_and_is_shown_how_to_begin(
    browser: Browser, system: Installation
) -> None:
    system.command(
        "user", "add", "ann", "--role", "editor", "--password", PASSWORD, "--data", str(system.data)
    )
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in to Noise Audit")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.get_by_text("Name and password").click()
    page.get_by_role("textbox", name="Name").fill("ann")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Which of your labels are wrong?")).to_be_visible()
    assert violations_in_both_themes(page) == []
    context.close()


def test_names_full_of_markup_are_text_on_every_screen(
    page: Page, system: Installation, tmp_path: Path
) -> None:
    plain, nasty = tmp_path / "plain.zip", tmp_path / "nasty.zip"
    write_zip(plain, samples=80, wrong=0.1)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(nasty, "w") as target:
        for name in source.namelist():
            target.writestr(name.replace("/3/", f"/{NASTY}/"), source.read(name))
    dataset = system.last_line("import", str(nasty), "--name", NASTY)
    run = system.last_line("audit", dataset, "--set", "epochs=3", "--wait")
    classes = page.request.get(f"/api/datasets/{dataset}").json()["classes"]
    label = classes.index(NASTY)
    index = page.request.get(f"/api/runs/{run}/samples?given_label={label}&limit=1").json()["items"][0][
        "index"
    ]
    for path in (
        f"/datasets/{dataset}",
        f"/datasets/{dataset}/new-run",
        f"/runs/{run}",
        f"/runs/{run}/flags?show=all&given={label}",
        f"/runs/{run}/review/{index}?show=all",
        f"/runs/{run}/loss",
        f"/runs/{run}/map?given={label}&show=all",
        f"/runs/{run}/classes",
        f"/runs/{run}/export",
        f"/datasets/{dataset}/compare?runs={run}",
    ):
        page.goto(path)
        expect(page.get_by_text(NASTY).first).to_be_attached()
        page.wait_for_load_state("networkidle")
        assert page.locator("img[src=x]").count() == 0, path
        assert "taken" not in page.title().split(NASTY), path
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("onerror")
    expect(page.get_by_role("option", name=NASTY).first).to_be_visible()
