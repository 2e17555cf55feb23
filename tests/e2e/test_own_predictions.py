"""Predictions of one's own, from the page to the flags: nothing is trained, everything else is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from tests.e2e.conftest import JOB_MS
from tests.e2e.digits import write_zip
from tests.e2e.everybody import violations
from tests.installation import Installation

pytestmark = pytest.mark.slow

SAMPLES = 300


@pytest.fixture(scope="module")
def bare(system: Installation, folder: Path) -> tuple[str, Path]:
    """A dataset without a run, and a CSV of out-of-fold predictions for it, by name."""
    archive = folder / "bare.zip"
    label_of = write_zip(archive, samples=SAMPLES, wrong=0.15, splits=("train", "train", "test"))
    names = sorted(label_of, key=lambda name: name[-8:])
    given_N = np.array([int(label_of[name]) for name in names])
    pixel_NF = load_digits().data[:SAMPLES] / 16
    probability_NC = cross_val_predict(LogisticRegression(), pixel_NF, given_N, cv=5, method="predict_proba")
    path = folder / "predictions.csv"
    lines = ["name," + ",".join(f"p_{label}" for label in range(10))]
    lines += [
        ",".join([name.removeprefix("digits/"), *map(str, row)])
        for name, row in zip(names, probability_NC, strict=True)
    ]
    path.write_text("\n".join(lines))
    return system.last_line("import", str(archive), "--split", "all"), path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_choice_of_predictions_is_there_for_everybody(
    open_page: Callable[..., Page], bare: tuple[str, Path], theme: str
) -> None:
    page = open_page(f"/datasets/{bare[0]}/new-run", theme=theme)
    page.get_by_role("radio", name="I have predictions").check()
    expect(page.get_by_text("in the order of the samples")).to_be_visible()
    assert violations(page) == []


def test_predictions_lead_to_flags_loss_map_and_export(page: Page, bare: tuple[str, Path]) -> None:
    dataset, path = bare
    page.goto(f"/datasets/{dataset}/new-run")
    page.get_by_role("radio", name="I have predictions").check()
    page.get_by_label("File of predictions").set_input_files(path)
    page.get_by_role("button", name="Start the audit").click()
    expect(page.get_by_text("judged without training")).to_be_visible()
    expect(page.get_by_text("ready to review")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("heading", name="Losses of all samples")).to_be_visible()
    expect(page.get_by_text("Training loss")).to_have_count(0)
    page.get_by_role("link", name="Review the flags").click()
    parts = page.request.get(page.url.replace("/runs/", "/api/runs/").replace("/flags", "/splits")).json()
    flagged = {part["split"]: part["flagged"] for part in parts["items"]}
    page.get_by_role("button", name="Split").click()
    page.get_by_role("menuitem", name="test").click()
    expect(page.get_by_test_id("count")).to_have_text(re.compile(rf"^{flagged['test']} samples?$"))
    assert "split=test" in page.url
    page.get_by_role("button", name="Clear the filter Split").click()
    expect(page.get_by_test_id("count")).to_have_text(f"{sum(flagged.values())} samples")
    page.locator("button.tile-main").first.click()
    expect(page.get_by_text(re.compile("The predictions give"))).to_be_visible()
    expect(page.get_by_text("By epoch")).to_have_count(0)
    run = re.search(r"/runs/(\w+)/", page.url)
    assert run is not None
    page.goto(f"/runs/{run[1]}/loss")
    expect(page.get_by_role("figure", name=re.compile("^Distribution of all losses,"))).to_be_visible()
    expect(page.get_by_role("slider", name="Epoch")).to_have_count(0)
    page.goto(f"/runs/{run[1]}/map")
    expect(page.get_by_text("Drawn from the predicted probabilities.")).to_be_visible()
    page.goto(f"/runs/{run[1]}/export")
    expect(page.get_by_text("Flagged, not reviewed")).to_be_visible()


def test_a_file_that_does_not_fit_says_what_is_wrong_with_it(
    page: Page, bare: tuple[str, Path], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.npy"
    np.save(wrong, np.full((SAMPLES - 1, 10), 0.1))
    page.goto(f"/datasets/{bare[0]}/new-run")
    page.get_by_role("radio", name="I have predictions").check()
    page.get_by_label("File of predictions").set_input_files(wrong)
    page.get_by_role("button", name="Start the audit").click()
    expect(page.get_by_text("one row for each sample of the dataset")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("link", name="New audit")).to_be_visible()
