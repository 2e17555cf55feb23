"""What the tests of gallery and review have in common: what is open, what stands, what the server has."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.installation import Installation


@contextmanager
def held_back(page: Page, address: str) -> Iterator[None]:
    """Requests to an address wait within; afterwards they go on. Without any the test looks at nothing, and fails."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(address, hold)
    yield
    assert waiting, f"nothing was asked for at {address}"
    for route in waiting:
        route.continue_()
    page.unroute(address, hold)


@dataclass(frozen=True)
class Reviewed:
    """A dataset with a finished run, seen from a page."""

    page: Page
    system: Installation
    dataset: str
    run: str

    @property
    def panel(self) -> Locator:
        """The open sample."""
        return self.page.get_by_test_id("panel")

    def open_gallery(self, query: str = "") -> None:
        """The gallery with its first tiles."""
        self.page.goto(f"/runs/{self.run}/flags{query}")
        expect(self.page.locator("button.tile-main").first).to_be_visible()

    def open_first(self) -> int:
        """Open the first tile; gives its sample index."""
        self.page.locator("button.tile-main").first.click()
        expect(self.panel.get_by_role("heading", name="Why")).to_be_visible()
        return self.opened()

    def opened(self) -> int:
        """The open sample's index."""
        return int(self.panel.locator(".panel-where strong").inner_text().removeprefix("Sample "))

    def press(self, key: str) -> int:
        """Press a key that leads to another sample; gives the index of the one it was pressed on."""
        index = self.opened()
        self.page.keyboard.press(key)
        expect(self.panel.locator(".panel-where strong")).not_to_have_text(f"Sample {index}")
        return index

    def saved(self, reviewed: int) -> None:
        """Wait until so many flags are counted as reviewed, and nothing is on its way."""
        expect(self.page.get_by_text(re.compile(rf"^{reviewed} of \d+ flags reviewed"))).to_be_visible()
        expect(self.page.get_by_text("saving…")).to_be_hidden()

    def counts(self) -> dict[str, int]:
        """The dataset's standing decisions by verdict, as the server has them; without zeros."""
        answer = self.page.request.get(f"{self.system.url}/api/datasets/{self.dataset}/decisions")
        return {verdict: count for verdict, count in answer.json()["counts"].items() if count}

    def undecide(self) -> None:
        """Take back whatever an earlier test that failed has left decided."""
        if not self.counts():
            return
        total = self.samples("limit=1")["total"]
        items = [{"index": index, "verdict": "cleared"} for index in range(total)]
        answer = self.page.request.post(
            f"{self.system.url}/api/datasets/{self.dataset}/decisions",
            data={"items": items, "idempotency_key": uuid.uuid4().hex},
            headers={"Origin": self.system.url},
        )
        assert answer.ok, answer.text()

    def samples(self, query: str) -> dict[str, Any]:
        """A page of the run's samples as the server has it."""
        address = f"{self.system.url}/api/runs/{self.run}/samples?{query}"
        answer: dict[str, Any] = self.page.request.get(address).json()
        return answer

    def decision(self, index: int) -> dict[str, Any] | None:
        """The standing decision of a sample as the server has it."""
        found: dict[str, Any] | None = self.samples(f"indices={index}")["items"][0]["decision"]
        return None if found is None or found["verdict"] == "cleared" else found
