"""Two runs of a dataset side by side: the numbers of the server, each leading to the samples that it counts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.everybody import violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def other(system: Installation, audited: tuple[str, str]) -> str:
    """A second, shorter run on the same dataset."""
    return system.last_line(
        "audit", audited[0], "--set", "epochs=4", "--set", "width=16", "--seed", "1", "--wait"
    )


def test_flags_of_both_and_of_one_are_counted_and_lead_to_the_gallery(
    page: Page, system: Installation, audited: tuple[str, str], other: str
) -> None:
    dataset, run = audited
    compared = page.request.get(f"{system.url}/api/datasets/{dataset}/compare?run={run}&run={other}").json()
    shared = {",".join(sorted(one["runs"])): one["samples"] for one in compared["overlap"]}
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("link", name="Compare").click()
    table = page.get_by_role("table", name="Samples flagged by exactly these runs")
    both = shared[",".join(sorted((run, other)))]
    expect(table.get_by_role("row").nth(1)).to_contain_text("AB")
    assert violations_in_both_themes(page) == []
    if both == 0:
        pytest.fail("the runs share no flag, so there is nothing to follow")
    table.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page).to_have_url(re.compile("[?&]flagged_by="))
    expect(page.get_by_test_id("count")).to_contain_text(f"{both} sample")
    page.go_back()
    expect(page.get_by_text("Settings that differ")).to_be_visible()
    row = page.get_by_role("region", name="Settings that differ").get_by_role(
        "row", name=re.compile("^epochs")
    )
    expect(row).to_contain_text("12")
    expect(row).to_contain_text("4")
    # The first run was left at the recipe's own width.
    expect(page.get_by_role("row", name="width 32 16")).to_be_visible()


def test_one_run_alone_is_not_compared_until_another_is_chosen(
    page: Page, audited: tuple[str, str], other: str
) -> None:
    page.goto(f"/datasets/{audited[0]}/compare?runs={other}")
    expect(page.get_by_text("Choose one more to compare.")).to_be_visible()
    page.get_by_role("checkbox").and_(page.locator(":not(:checked)")).first.check()
    expect(page.get_by_text("Agreement of each pair")).to_be_visible()
    assert re.search(r"runs=[0-9a-f]+(,|%2C)[0-9a-f]+", page.url)
