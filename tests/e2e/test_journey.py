"""The main journey in a real browser: upload, watch, review, export; and the file says what was decided."""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import JOB_MS
from tests.e2e.digits import write_zip
from tests.installation import Installation

pytestmark = pytest.mark.slow

SAMPLES = 500
EPOCHS = 12

NOTE_EPOCHS = """() => {
  window.epochsShown = [];
  new MutationObserver(() => {
    const epoch = Number(/after epoch (\\d+)/.exec(document.body.innerText)?.[1]);
    if (epoch && epoch !== window.epochsShown.at(-1)) window.epochsShown.push(epoch);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""Writes down every epoch that the page says it shows."""


def test_labels_decided_in_the_browser_are_the_labels_in_the_downloaded_file(
    page: Page, system: Installation, tmp_path: Path
) -> None:
    archive = tmp_path / "my digits.zip"
    label_of = write_zip(archive, samples=SAMPLES, wrong=0.15, unreadable=1)

    upload(page, archive)
    read_preflight(page)
    watch_the_run(page)
    decided = review_five(page)
    rows = download_samples(page, system, tmp_path)

    assert len(rows) == SAMPLES
    assert {row["name"]: row["given_label"] for row in rows} == label_of
    for row in rows:
        verdict, label = decided.get(row["index"], ("", row["given_label"]))
        assert (row["decision"], row["cleaned_label"]) == (verdict, label), row["index"]


def test_a_folder_chosen_in_the_page_becomes_a_dataset_of_its_class_folders(
    page: Page, tmp_path: Path
) -> None:
    archive, chosen = tmp_path / "archive.zip", tmp_path / "chosen"
    label_of = write_zip(archive, samples=60, wrong=0)
    with zipfile.ZipFile(archive) as file:
        file.extractall(chosen)
    page.goto("/datasets/new")
    page.get_by_label("Dataset folder").set_input_files(chosen / "digits")
    page.get_by_role("button", name=re.compile(r"^Import \d")).click()
    page.wait_for_url("**/datasets/*")
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    counts = page.locator("table.classes .classes-count").all_text_contents()
    assert [int(count) for count in counts] == [
        list(label_of.values()).count(label) for label in "0123456789"
    ]


def upload(page: Page, archive: Path) -> None:
    """From the start page to a dataset that is being imported."""
    page.goto("/datasets/new")
    page.get_by_label("Dataset file").set_input_files(archive)
    page.get_by_role("button", name=re.compile(r"^Import \d")).click()
    page.wait_for_url("**/datasets/*")
    expect(page.get_by_role("heading", name="my digits")).to_be_visible()


def read_preflight(page: Page) -> None:
    """The import ends by itself in a report of what was found, without a reload."""
    expect(page.locator("[data-status=ready]")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_text("1 file could not be read")).to_be_visible()
    expect(page.get_by_text("IMAGE_CORRUPT")).to_be_visible()
    counts = page.locator("table.classes .classes-count").all_text_contents()
    assert len(counts) == 10
    assert sum(int(count) for count in counts) == SAMPLES


def watch_the_run(page: Page) -> None:
    """Start an audit and see every epoch arrive over the event stream of one and the same page."""
    page.get_by_role("link", name="New audit").click()
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("Epochs", exact=True).fill(str(EPOCHS))
    page.get_by_role("button", name="Start the audit").click()
    page.wait_for_url("**/runs/*")
    page.evaluate(NOTE_EPOCHS)
    expect(page.get_by_role("img", name="Histogram of 500 losses")).to_be_visible(timeout=JOB_MS)
    expect(page.locator("[data-status=succeeded]")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_text("ready to review")).to_be_visible()
    # Gone if the page had been loaded anew; an epoch may be too short for each of them to be painted.
    epochs = page.evaluate("window.epochsShown")
    assert len(epochs) >= 3
    assert epochs == sorted(epochs)
    assert epochs[-1] == EPOCHS


def review_five(page: Page) -> dict[str, tuple[str, str]]:
    """Decide five flags with keys, take a sixth verdict back; gives decision and cleaned label by index."""
    page.get_by_role("link", name="Review the flags").click()
    expect(page.get_by_test_id("count")).to_have_text(re.compile(r"\d+ samples"))
    flagged = int(page.get_by_test_id("count").inner_text().split()[0].replace(",", ""))
    assert flagged >= 10, "too few flags to review"
    page.locator(".tile").first.click()
    panel = page.get_by_test_id("panel")
    expect(panel.get_by_role("button", name="Keep")).to_be_visible()
    decided: dict[str, tuple[str, str]] = {}

    def current() -> tuple[str, str, str]:
        heading = panel.locator(".panel-where strong").inner_text()
        labels = panel.locator(".panel-label strong").all_inner_texts()
        return heading.removeprefix("Sample "), labels[0], labels[1]

    def decide(key: str) -> tuple[str, str, str]:
        sample = current()
        page.keyboard.press(key)
        expect(panel.locator(".panel-where strong")).not_to_have_text(f"Sample {sample[0]}")
        return sample

    index, _, suggested = decide("Enter")
    decided[index] = ("relabel", suggested)
    index, given, _ = decide("k")
    decided[index] = ("keep", given)
    index, given, _ = decide("x")
    decided[index] = ("remove", "")
    index, given, _ = decide("u")
    decided[index] = ("unsure", given)

    index, given, suggested = current()
    other = next(label for label in "0123456789" if label not in (given, suggested))
    page.keyboard.press("l")
    page.get_by_placeholder("Type a class").fill(other)
    # In one breath: the key after the choice of a class belongs to the next sample, not to the closing dialog.
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    decided[index] = ("relabel", other)

    expect(page.get_by_text(f"6 of {flagged} flags reviewed")).to_be_visible()
    page.keyboard.press("z")
    expect(panel.locator(".panel-where strong")).not_to_have_text(f"Sample {index}")
    expect(panel.get_by_role("button", name="Remove")).to_have_attribute("aria-pressed", "false")

    expect(page.get_by_text(f"5 of {flagged} flags reviewed")).to_be_visible()
    return decided


def download_samples(page: Page, system: Installation, folder: Path) -> list[dict[str, str]]:
    """The CSV of all samples, equal to the byte to what its manifest says."""
    page.get_by_role("link", name="Export").click()
    expect(page.get_by_text("1 keep, 2 relabel, 1 remove, 1 unsure")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download all samples as CSV").click()
    file = folder / "samples.csv"
    started.value.save_as(file)
    run = page.url.split("/runs/")[1].split("/")[0]
    manifest = page.request.get(
        f"{system.url}/api/runs/{run}/exports/samples/manifest?format=csv&unreviewed=keep"
    ).json()
    assert hashlib.sha256(file.read_bytes()).hexdigest() in str(manifest)
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
