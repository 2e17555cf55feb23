"""A run while it is at work, and how it ends: curves and log that grow, a stop, a failure; for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.everybody import violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow

LATER_MS = 90_000
"""For a training that shares its two cores with everything else."""


@pytest.fixture
def left_idle(system: Installation) -> Iterator[None]:
    """Stops whatever the test leaves at work, so that the next one finds the worker free."""
    yield
    for run in system.json("runs"):
        if run["status"] in ("queued", "running"):
            system.command("stop", run["id"])


def newest_epoch(page: Page) -> int:
    """The epoch whose losses the page shows."""
    said = page.get_by_text(re.compile(r"^after epoch \d+$")).inner_text()
    return int(said.removeprefix("after epoch "))


@pytest.mark.usefixtures("left_idle")
def test_a_run_is_watched_closely_while_it_grows_and_stopped(
    open_page: Callable[..., Page], audited: tuple[str, str]
) -> None:
    home = open_page("/")
    expect(home.get_by_role("heading", name="Datasets")).to_be_visible()
    page = open_page(f"/datasets/{audited[0]}/new-run", ignore="422")
    page.get_by_text("Advanced", exact=True).click()
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("-3")
    expect(page.locator(".mantine-InputWrapper-error")).to_contain_text("epochs")
    assert violations_in_both_themes(page) == []
    epochs.fill("400")
    expect(page.locator(".mantine-InputWrapper-error")).to_be_hidden()
    expect(page.get_by_text(re.compile(r"about [\d.]+ [kM]B of disk"))).to_be_visible()
    page.get_by_role("button", name="Start the audit").click()
    page.wait_for_url("**/runs/*")
    begun = page.url.rsplit("/", 1)[-1]
    # What others begin is seen at home without a reload.
    expect(home.locator(f"a[href='/runs/{begun}']")).to_be_visible()

    log = page.get_by_role("list", name="Log")
    expect(log).to_contain_text("400 epochs", timeout=LATER_MS)
    first = page.get_by_role("textbox", name="First epoch shown")
    last = page.get_by_role("textbox", name="Last epoch shown")
    expect(first).to_be_visible(timeout=LATER_MS)
    expect(log).to_contain_text("Epoch 4 of 400: loss")
    first.fill("3")
    expect(page.get_by_role("button", name="Show all")).to_be_visible()
    epoch = newest_epoch(page)
    expect(page.get_by_text(f"after epoch {epoch + 2}")).to_be_visible(timeout=LATER_MS)
    expect(first).to_have_value("3")
    expect(page).to_have_title(re.compile(r"^\d+ % · Audit · audited · Noise Audit$"))
    page.get_by_role("button", name="Show all").click()
    box = page.get_by_role("img", name=re.compile("^Training loss")).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(last).to_have_value(re.compile(r"^\d{1,2}$"))
    assert violations_in_both_themes(page) == []

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("This run was stopped.")).to_be_visible()
    expect(page.locator("[data-status=cancelled]")).to_be_visible()
    assert violations_in_both_themes(page) == []


def test_a_run_that_failed_says_why_what_to_do_and_what_it_did_before(
    page: Page, system: Installation, audited: tuple[str, str]
) -> None:
    dataset = audited[0]
    settings = ("--set", "learning_rate=100", "--set", "epochs=3")
    system.command("audit", dataset, *settings, "--wait", status=1)
    run = page.request.get(f"/api/runs?dataset_id={dataset}").json()["items"][0]
    assert run["status"] == "failed"
    page.goto(f"/runs/{run['id']}")
    alert = page.get_by_role("alert")
    expect(alert.locator("code")).to_have_text("DIVERGED")
    expect(alert).to_contain_text("learning_rate")
    expect(page.get_by_role("list", name="Log")).to_contain_text("Training fast on")
    expect(page.get_by_role("link", name="New audit")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.goto(f"/runs/{run['id']}/flags")
    expect(page.get_by_text("No flags yet")).to_be_visible()
    assert violations_in_both_themes(page) == []


def test_curves_break_where_the_next_network_begins(
    open_page: Callable[..., Page], audited: tuple[str, str]
) -> None:
    page = open_page(f"/runs/{audited[1]}")
    expect(page.get_by_text("2 networks, one after another")).to_be_visible()
    expect(page.locator(".curves-side .chart-start")).to_have_count(4)
    expect(page.locator(".curves-side .chart-line")).to_have_count(8)
