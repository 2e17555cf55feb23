"""Two reviewers decide apart from each other: switched on, told, disagreed, settled, switched off."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Browser, Page, expect

from tests.e2e.conftest import WINDOW
from tests.e2e.digits import write_zip
from tests.e2e.everybody import violations_in_both_themes
from tests.e2e.people import let_in, share
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.fixture
def rob(page: Page, browser: Browser, system: Installation) -> Iterator[Page]:
    """The page of somebody else."""
    context = browser.new_context(viewport=WINDOW, base_url=system.url)
    let_in(page, context, system.url, "rob", "reviewer")
    yield context.new_page()
    context.close()


def decide(request: APIRequestContext, system: Installation, dataset: str, *items: dict[str, Any]) -> None:
    """As the page does it."""
    answer = request.post(
        f"/api/datasets/{dataset}/decisions",
        data={"items": list(items), "idempotency_key": uuid.uuid4().hex},
        headers={"Origin": system.url},
    )
    assert answer.ok, answer.text()


def test_reviewers_decide_blind_and_what_they_disagree_on_is_settled(
    page: Page, rob: Page, system: Installation, tmp_path: Path
) -> None:
    archive = tmp_path / "blind.zip"
    write_zip(archive, samples=60, wrong=0)
    dataset = system.last_line("import", str(archive))
    share(page, system.url, dataset, "rob", "reviewer")
    page.goto(f"/datasets/{dataset}")
    page.get_by_role("switch", name="Blind review").click()
    expect(page.get_by_text("blind since just now")).to_be_visible()

    keep = [{"index": index, "verdict": "keep"} for index in range(4)]
    decide(rob.request, system, dataset, *keep[:3])
    decide(page.request, system, dataset, keep[0], {"index": 1, "verdict": "relabel", "label": 7}, keep[3])
    rob.goto(f"/datasets/{dataset}")
    expect(rob.get_by_text("You see your own decisions only")).to_contain_text("You have decided 3 samples.")
    expect(rob.get_by_role("switch", name="Blind review")).to_have_count(0)
    rob.goto(f"/datasets/{dataset}/adjudicate")
    expect(rob.get_by_role("alert").locator("code")).to_have_text("BLIND")

    page.reload()
    card = page.locator("section.card", has=page.get_by_role("heading", name="Double review"))
    expect(card).to_contain_text(re.compile("wait for a second2.*Agreed1.*Disagree1.*Adjudicated0"))
    assert violations_in_both_themes(page) == []
    card.get_by_role("link", name="Settle 1 disagreement").click()
    sample = page.get_by_role("region", name="Sample 1", exact=True)
    expect(sample).to_contain_text("rob")
    expect(sample).to_contain_text("local")
    expect(page.get_by_text(re.compile("said the same of 1 of 2 samples"))).to_be_visible()
    expect(
        page.get_by_text(re.compile("Not reviewed for them: 1 on which.*2 with one answer"))
    ).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.keyboard.press("Enter")
    expect(sample.get_by_text("Settled:")).to_be_visible()
    expect(page.get_by_text("Adjudicated (1)")).to_be_visible()
    expect(page.get_by_text("Exports use the 1 agreed and 1 adjudicated.")).to_be_visible()
    assert violations_in_both_themes(page) == []
    page.keyboard.press("z")
    expect(page.get_by_text("Disagree (1)")).to_be_visible()
    expect(sample.get_by_text("Settled:")).to_be_hidden()
    sample.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Adjudicated (1)")).to_be_visible()
    settled = page.request.get(f"/api/datasets/{dataset}/review/samples?status=adjudicated").json()["items"]
    assert [(one["index"], one["adjudication"]["verdict"]) for one in settled] == [(1, "keep")]

    page.goto(f"/datasets/{dataset}")
    page.get_by_role("switch", name="Blind review").click()
    expect(page.get_by_text("blind since")).to_be_hidden()
