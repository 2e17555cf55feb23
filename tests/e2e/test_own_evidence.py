"""What people bring besides images: annotators' labels and duplicates, from the page to decisions."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sklearn.datasets import load_digits

from tests.e2e.everybody import violations
from tests.installation import Installation, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copies(system: Installation, folder: Path) -> str:
    """A dataset in which one image is there twice under two labels, and another twice under one."""
    digits, archive = load_digits(), folder / "copies.zip"
    with zipfile.ZipFile(archive, "w") as packed:

        def put(name: str, index: int) -> None:
            file = io.BytesIO()
            pixels = np.kron(digits.images[index], np.ones((4, 4))) * 15
            Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
            packed.writestr(name, file.getvalue())

        for index in range(60):
            put(f"set/{digits.target[index]}/{index:03d}.png", index)
        put("set/9/twin.png", 20)
        put(f"set/{digits.target[30]}/twin.png", 30)
    return system.last_line("import", str(archive))


def test_duplicates_are_looked_for_listed_and_decided(
    open_page: Callable[..., Page], system: Installation, copies: str
) -> None:
    page = open_page(f"/datasets/{copies}")
    page.get_by_role("link", name="Duplicates").click()
    page.get_by_role("button", name="Look for duplicates").click()
    page.get_by_text(re.compile(r"^Different labels \(")).click()
    different = page.locator("section.dup")
    expect(different).to_have_count(1)
    expect(page).to_have_url(re.compile("kind=labels"))
    assert violations(page) == []
    different.get_by_role("button", name="All are 0").click()
    expect(different.locator(".mark")).to_have_count(2)
    page.get_by_text(re.compile(r"^All \(")).click()
    page.get_by_role("button", name=re.compile("^Remove the undecided")).click()
    address = f"{system.url}/api/datasets/{copies}/decisions"

    def counts() -> dict[str, int]:
        return {verdict: n for verdict, n in page.request.get(address).json()["counts"].items() if n}

    expect(page.locator("section.dup .mark").nth(2)).to_be_visible()
    wait_until(lambda: counts().get("remove", 0) >= 1, 10)
    assert counts()["keep"] == counts()["relabel"] == 1
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: counts() == {"keep": 1, "relabel": 1}, 10)


def test_annotators_stand_on_the_datasets_page_and_in_review(
    page: Page, audited: tuple[str, str], tmp_path: Path
) -> None:
    dataset, run = audited
    labels = load_digits().target[:500]
    path = tmp_path / "people.csv"
    rows = [f"{name.split('/')[1]}/{name.split('/')[2]}" for name in names_of(page, dataset, run)]
    text = "name,Ann,Bob,Cy\n" + "".join(
        f"{name},{labels[n]},{labels[n]},{(labels[n] + (n % 3 == 0)) % 10}\n"
        for name in rows
        for n in [int(name[-8:-4])]
    )
    path.write_text(text)
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Annotators' labels").click()
    page.get_by_label("File of annotators' labels").set_input_files(path)
    page.get_by_role("button", name="Add these labels").click()
    expect(page.get_by_text(re.compile("are unanimous"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Ann 500"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Review the 7[0-9] differences")).click()
    expect(page).to_have_url(re.compile("selection="))
    page.locator("button.tile-main").first.click()
    panel = page.get_by_test_id("panel")
    expect(panel.get_by_role("heading", name="Annotators")).to_be_visible()
    expect(panel.get_by_text(re.compile("^Consensus"))).to_be_visible()


def test_decisions_of_a_file_are_looked_at_then_recorded(
    page: Page, system: Installation, copies: str, tmp_path: Path
) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text("index,decision,label\n40,keep,\n41,relabel,7\n42,perhaps,\n")
    page.goto(f"/datasets/{copies}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Import decisions").click()
    page.get_by_label("File of decisions").set_input_files(path)
    expect(page.get_by_text("2 new decisions")).to_be_visible()
    expect(page.get_by_text("is no verdict")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Record 2 decisions").click()
    expect(page.get_by_text("Recorded 2 decisions, left out 1 line")).to_be_visible()
    address = f"{system.url}/api/datasets/{copies}/decisions/recent"
    newest = page.request.get(address).json()["items"][-1]
    assert sorted(change["index"] for change in newest["changes"]) == [40, 41]


def names_of(page: Page, dataset: str, run: str) -> list[str]:
    """The samples' names, as the server has them."""
    items = page.request.get(f"/api/runs/{run}/samples?order=index&limit=500").json()["items"]
    return [item["name"] for item in items]
