"""The classes: a cell of the matrix opens what it counts, and one decision for all of it can be taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.installation import Installation

pytestmark = pytest.mark.slow

PLACE = """([figure, given, suggested]) => {
  const host = figure.querySelector(".js-plotly-plot");
  const {xaxis, yaxis} = host._fullLayout, box = host.getBoundingClientRect();
  return [box.x + xaxis._offset + xaxis.d2p(suggested), box.y + yaxis._offset + yaxis.d2p(given)];
}"""


@pytest.fixture
def largest(page: Page, system: Installation, audited: tuple[str, str]) -> dict[str, Any]:
    """The cell with the most flags."""
    noise = page.request.get(f"{system.url}/api/runs/{audited[1]}/classes").json()
    cell: dict[str, Any] = max(noise["cells"], key=lambda cell: cell["flagged"])
    return cell


def counts(page: Page, system: Installation, dataset: str) -> dict[str, int]:
    """Standing decisions by verdict, as the server has them."""
    answer: dict[str, int] = page.request.get(f"{system.url}/api/datasets/{dataset}/decisions").json()[
        "counts"
    ]
    return answer


def plural(number: int) -> str:
    """As the page says it."""
    return f"{number} sample" if number == 1 else f"{number} samples"


def test_a_cell_of_the_matrix_opens_its_samples(
    page: Page, audited: tuple[str, str], largest: dict[str, Any]
) -> None:
    page.goto(f"/runs/{audited[1]}/classes")
    matrix = page.get_by_role("figure", name=re.compile("^How many flagged"))
    expect(matrix).to_have_attribute("data-state", "ready")
    x, y = matrix.evaluate(
        f"(figure, pair) => ({PLACE})([figure, ...pair])", [str(largest["given"]), str(largest["suggested"])]
    )
    page.mouse.click(x, y)
    panel = page.get_by_role("complementary", name=f"{largest['given']} to {largest['suggested']}")
    expect(panel).to_contain_text(f"{largest['flagged']} flag")
    expect(panel.locator(".cell-thumbs li")).to_have_count(largest["flagged"])
    panel.get_by_role("link", name="Open in the gallery").click()
    expect(page.get_by_test_id("count")).to_contain_text(plural(largest["flagged"]))
    page.go_back()
    expect(panel).to_be_visible()


def test_a_cell_is_relabelled_as_a_whole_as_announced_and_taken_back(
    page: Page, system: Installation, audited: tuple[str, str], largest: dict[str, Any]
) -> None:
    dataset, run = audited
    before = counts(page, system, dataset)
    page.goto(f"/runs/{run}/classes?given={largest['given']}&suggested={largest['suggested']}")
    number = largest["undecided"]
    page.get_by_role("button", name=f"Relabel {plural(number)} to").click()
    expect(page.get_by_text(f"{plural(number)} relabelled")).to_be_visible()
    panel = page.get_by_role("complementary", name=f"{largest['given']} to {largest['suggested']}")
    expect(panel).to_contain_text("0 undecided")
    after = counts(page, system, dataset)
    assert after["relabel"] == before.get("relabel", 0) + number
    page.keyboard.press("z")
    expect(panel).to_contain_text(f"{number} undecided")
    assert counts(page, system, dataset) == before
