"""Other labels for the same images: a version made from the menu, held against its origin, and deleted again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import JOB_MS
from tests.e2e.digits import write_zip
from tests.e2e.everybody import violations, violations_in_both_themes
from tests.installation import Installation

pytestmark = pytest.mark.slow


def test_the_menu_is_walked_by_keys_and_gets_the_focus_back_from_its_dialogs(
    page: Page, audited: tuple[str, str]
) -> None:
    page.goto(f"/datasets/{audited[0]}")
    more = page.get_by_role("button", name="More")
    more.press("Enter")
    expect(page.get_by_role("menuitem", name="Import decisions")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem").last).to_be_focused()
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("^Delete “audited”"))).to_be_visible()
    expect(page.get_by_role("button", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(more).to_be_focused()


def test_new_labels_become_a_version_with_its_difference_which_can_be_deleted_for_good(
    page: Page, system: Installation, audited: tuple[str, str], tmp_path: Path
) -> None:
    dataset, _ = audited
    before = page.request.get(f"/api/datasets/{dataset}").json()
    given = page.request.get(f"/api/runs/{audited[1]}/samples?order=index&limit=3").json()["items"]
    changed = [(row["given_label"] + 1) % 10 for row in given[:2]]
    table = tmp_path / "better.csv"
    rows = [*zip(range(2), changed, strict=True), (2, given[2]["given_label"])]
    lines = [f"{index},{before['classes'][to]}\n" for index, to in rows]
    table.write_text("".join(["index,label\n", *lines, "3,smudge\n"]))

    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="New labels").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Make the version")).to_be_disabled()
    dialog.get_by_label("File of labels").set_input_files(table)
    dialog.get_by_role("button", name="Make the version").click()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("LABEL_UNKNOWN", timeout=JOB_MS)
    expect(refused).to_contain_text("smudge")
    # The hint names what there is to tick.
    expect(refused).to_contain_text("“Labels that are no class yet become classes” in the browser")
    failed = page.request.delete(
        f"/api/datasets/{page.url.rsplit('/', 1)[-1]}", headers={"Origin": system.url}
    )
    assert failed.ok, failed.text()

    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="New labels").click()
    dialog.get_by_label("File of labels").set_input_files(table)
    dialog.get_by_label("Name").fill("better labels")
    dialog.get_by_label("Labels that are no class yet become classes").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Make the version").click()
    expect(page.get_by_role("heading", name="better labels")).to_be_visible()
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    version = page.url.rsplit("/", 1)[-1]
    assert version != dataset
    difference = page.locator("section.card", has=page.get_by_role("heading", name="Difference"))
    expect(difference).to_contain_text("3 samples have another label")
    expect(difference).to_contain_text("1 new class: smudge")
    first = f"{before['classes'][given[0]['given_label']]} {before['classes'][changed[0]]}"
    expect(difference.get_by_role("row", name=re.compile(f"^{first} [12]$"))).to_be_visible()
    assert violations_in_both_themes(page) == []

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    cost = page.request.get(f"/api/datasets/{version}/deletion").json()
    expect(dialog).to_contain_text(f"{cost['rows']:,} rows of the database")
    expect(dialog).to_contain_text("Its images stay: 1 other dataset with the same images remains.")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_role("link", name="audited")).not_to_have_count(0)
    expect(page.get_by_role("link", name="better labels")).to_have_count(0)
    assert page.request.get(f"/api/datasets/{version}").status == 404
    assert page.request.get(f"/api/datasets/{dataset}").json() == before
    assert page.request.get(f"/api/datasets/{dataset}/samples/0/thumbnail").ok


def test_images_are_added_behind_those_that_are_there_with_what_was_decided(
    page: Page, system: Installation, tmp_path: Path
) -> None:
    first, more = tmp_path / "first.zip", tmp_path / "more.zip"
    write_zip(first, samples=60, wrong=0)
    write_zip(more, samples=75, wrong=0)
    dataset = system.last_line("import", str(first))
    decided = page.request.post(
        f"/api/datasets/{dataset}/decisions",
        data={"items": [{"index": 7, "verdict": "keep"}], "idempotency_key": "decided-before"},
        headers={"Origin": system.url},
    )
    assert decided.ok, decided.text()
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Add images").click()
    expect(page.get_by_role("heading", name="Add images")).to_be_visible()
    page.get_by_label("Dataset file").set_input_files(more)
    expect(page.get_by_role("checkbox", name="Take the decisions along")).to_be_checked()
    assert violations_in_both_themes(page) == []
    page.get_by_role("button", name="Add 75").click()
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    difference = page.locator("section.card", has=page.get_by_role("heading", name="Difference"))
    expect(difference).to_contain_text("15 samples were added")
    expect(difference).to_contain_text("1 decision was taken along")
    expect(page.get_by_text("15 images added; 60 images were there already")).to_be_visible()
    difference.get_by_role("button", name="Take the decisions back").click()
    expect(page.get_by_text("Took back 1 decision.")).to_be_visible()
