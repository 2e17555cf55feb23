"""People who share an installation: let in by an admin, given a role in a dataset, and shown no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import REFUSED, WINDOW, listen
from tests.e2e.digits import write_zip
from tests.e2e.everybody import violations
from tests.e2e.people import let_in, share
from tests.e2e.reviewing import held_back
from tests.installation import Installation

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def dataset(system: Installation, folder: Path) -> str:
    """A ready dataset of the local account."""
    archive = folder / "shared.zip"
    write_zip(archive, samples=100, wrong=0.1)
    return system.last_line("import", str(archive))


@pytest.fixture
def somebody(browser: Browser, system: Installation) -> Iterator[Page]:
    """A page of a browser in which nobody is signed in."""
    problems: list[str] = []
    context = browser.new_context(viewport=WINDOW, base_url=system.url)
    page = context.new_page()
    listen(page, problems, ignore="Failed to load resource")
    yield page
    context.close()
    assert problems == []


def test_an_admin_lets_somebody_in_who_then_may_what_the_owner_of_the_dataset_says(
    open_page: Callable[..., Page], somebody: Page, dataset: str
) -> None:
    page = open_page("/settings#accounts", ignore="Failed to load resource")
    page.get_by_label("New account").fill("rita")
    page.locator("#accounts").get_by_role("button", name="Add").click()
    page.get_by_role("button", name="One-time code for rita").click()
    address = page.get_by_role("textbox", name="The address with the code").input_value()

    # Any page takes the code: the demo prints that of its run.
    somebody.goto(address.replace("/#", "/settings#"))
    expect(somebody.get_by_role("button", name="Account rita")).to_be_visible()
    assert somebody.url.endswith("/settings"), "the code is still in the address"
    expect(somebody.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(somebody.get_by_role("heading", name="Accounts")).to_be_hidden()
    somebody.get_by_label("New password").fill(PASSWORD)
    somebody.get_by_role("button", name="Set the password").click()
    expect(somebody.get_by_text("The password is set.")).to_be_visible()
    somebody.goto(f"/datasets/{dataset}")
    expect(somebody.get_by_text("There is no such dataset.")).to_be_visible()

    page.goto(f"/datasets/{dataset}")
    page.get_by_label("Add a member").fill("nobody of this name")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("There is no account of this name.")).to_be_visible()
    page.get_by_label("Add a member").fill("rita")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("rowheader", name="rita")).to_be_visible()

    somebody.reload()
    expect(somebody.get_by_role("row", name="rita Reviewer")).to_be_visible()
    expect(somebody.get_by_role("link", name="New audit")).to_be_hidden()
    expect(somebody.get_by_role("button", name="More")).to_be_hidden()
    expect(somebody.get_by_role("button", name="New self-test")).to_be_hidden()
    expect(somebody.get_by_text("local gave a role to rita as reviewer")).to_be_visible()

    page.goto("/settings#accounts")
    page.get_by_role("button", name="Shut rita").click()
    expect(page.get_by_role("button", name="Open rita")).to_be_visible()
    somebody.reload()
    expect(somebody.get_by_role("heading", name="Sign in to Noise Audit")).to_be_visible()


@pytest.fixture
def vera(
    somebody: Page, system: Installation, open_page: Callable[..., Page], audited: tuple[str, str]
) -> Page:
    """The page of somebody who may look at the audited dataset and no more."""
    admin = open_page()
    let_in(admin, somebody.context, system.url, "vera", "viewer")
    share(admin, system.url, audited[0], "vera", "viewer")
    return somebody


def test_a_viewer_sees_what_stands_and_is_offered_nothing_that_would_be_refused(
    vera: Page, audited: tuple[str, str]
) -> None:
    dataset, run = audited
    refused: list[str] = []
    vera.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)

    vera.goto(f"/datasets/{dataset}")
    expect(vera.get_by_role("link", name="Duplicates")).to_be_visible()
    for kind, name in (("link", "New audit"), ("button", "More"), ("button", "New self-test")):
        expect(vera.get_by_role(kind, name=name)).to_have_count(0)
    vera.goto(f"/datasets/{dataset}/new-run")
    expect(vera.get_by_text("You can look, not start an audit")).to_be_visible()

    with held_back(vera, "**/members"):
        vera.goto(f"/runs/{run}/map?given=3&show=all")
        expect(vera.get_by_role("link", name="Open in the gallery")).to_be_visible()
        expect(vera.get_by_text("You can look, not decide.")).to_be_hidden()
        expect(vera.get_by_role("group", name="Decide")).to_have_count(0)
    expect(vera.get_by_text("You can look, not decide.")).to_be_visible()
    vera.goto(f"/runs/{run}/flags")
    expect(vera.get_by_text("You can look, not decide.")).to_be_visible()
    expect(vera.get_by_role("checkbox")).to_have_count(0)
    vera.locator("button.tile-main").first.click()
    panel = vera.get_by_test_id("panel")
    expect(panel.get_by_text("You can look, not decide.")).to_be_visible()
    expect(panel.get_by_text("No decision yet")).to_be_visible()
    expect(panel.get_by_role("group", name="Decide")).to_have_count(0)
    first = panel.locator(".panel-where strong").inner_text()
    before = vera.request.get(f"/api/datasets/{dataset}/decisions").json()
    for key in ("k", "x", "u", "Enter", "1", "c", "z", "l"):
        vera.keyboard.press(key)
    expect(vera.get_by_role("dialog")).to_have_count(0)
    expect(panel.locator(".panel-where strong")).to_have_text(first)
    assert violations(vera) == []
    vera.keyboard.press("j")
    expect(panel.locator(".panel-where strong")).not_to_have_text(first)

    for path in ("map?given=3&show=all", "classes?given=1&suggested=2", "sign-off"):
        vera.goto(f"/runs/{run}/{path}")
        expect(vera.get_by_text("You can look, not decide.")).to_be_visible()
    vera.goto(f"/runs/{run}")
    expect(vera.get_by_role("link", name="Look at the flags")).to_be_visible()
    expect(vera.get_by_role("button", name="More")).to_have_count(0)
    assert vera.request.get(f"/api/datasets/{dataset}/decisions").json() == before
    assert refused == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_members_and_activity_are_for_everybody(
    open_page: Callable[..., Page], dataset: str, theme: str
) -> None:
    page = open_page(f"/datasets/{dataset}", theme=theme)
    expect(page.get_by_role("rowheader", name="local")).to_be_visible()
    expect(page.get_by_role("list", name="Activity")).to_contain_text("local made the dataset")
    assert violations(page) == []
    page.goto("/settings")
    expect(page.get_by_role("button", name="One-time code for local")).to_be_visible()
    expect(page.get_by_role("list", name="Activity")).to_contain_text("signed in")
    assert violations(page) == []


def test_what_the_policy_refuses_is_heard(browser: Browser, system: Installation) -> None:
    problems: list[str] = []
    context = browser.new_context(base_url=system.url)
    page = context.new_page()
    listen(page, problems, ignore="")
    page.goto("/")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert [problem for problem in problems if REFUSED in problem]
    context.close()
