"""A browser, and an installation as a user starts it, for the tests that go through the pages."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.chromium import HINT, find_chromium
from tests.e2e.digits import write_zip
from tests.installation import Installation, installation

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WINDOW = {"width": 1440, "height": 900}
REFUSED = "the content security policy refused"
PATIENCE_MS = 20_000
"""For what should be there at once: generous, since tests share two cores with a training."""
JOB_MS = 150_000
"""For what an import or an audit has to end for."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine; without one the tests fail and say how to get it."""
    path = find_chromium()
    if path is None:
        pytest.fail(HINT)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can enter, whoever runs the tests."""
    made = Path(tempfile.mkdtemp(prefix="noise-audit-e2e-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def system(folder: Path) -> Iterator[Installation]:
    """`noise-audit up` with one worker."""
    with installation(folder) as running:
        yield running


@pytest.fixture(scope="session")
def signed_in(browser: Browser, system: Installation, folder: Path) -> Path:
    """The cookies of a browser that opened the printed address, in a file."""
    state = folder / "cookies.json"
    context = browser.new_context()
    page = context.new_page()
    page.goto(system.login_url)
    expect(page.get_by_role("button", name="Account local")).to_be_visible()
    assert page.url == f"{system.url}/", "the code is still in the address"
    context.storage_state(path=state)
    context.close()
    return state


def listen(page: Page, problems: list[str], ignore: str | None = None) -> None:
    """Collect what goes wrong in a page: errors, those it logs, and whatever its content security policy refused.

    Errors with the text `ignore` are left out; refusals of the policy never are.
    """
    page.add_init_script(
        "addEventListener('securitypolicyviolation', event => console.error("
        f"'{REFUSED}', event.effectiveDirective, event.blockedURI, event.sourceFile, event.sample))"
    )
    page.on("pageerror", lambda error: problems.append(str(error)))

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error" and (ignore is None or ignore not in said.text or REFUSED in said.text):
            problems.append(said.text)

    page.on("console", heard)


@pytest.fixture
def open_page(browser: Browser, system: Installation, signed_in: Path) -> Iterator[Callable[..., Page]]:
    """Opens signed-in pages; the test fails when one logs an error (other than those with the text `ignore`)."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(path: str = "/", *, theme: str = "light", ignore: str | None = None) -> Page:
        context = browser.new_context(
            storage_state=signed_in, viewport=WINDOW, color_scheme=theme, base_url=system.url
        )
        contexts.append(context)
        page = context.new_page()
        listen(page, problems, ignore)
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """One signed-in page at home."""
    return open_page()


@pytest.fixture(scope="session")
def audited(system: Installation, folder: Path) -> tuple[str, str]:
    """A dataset of digits with known wrong labels and a finished run on it: their ids."""
    archive = folder / "audited.zip"
    write_zip(archive, samples=500, wrong=0.15)
    dataset = system.last_line("import", str(archive))
    run = system.last_line("audit", dataset, "--set", "epochs=12", "--wait")
    return dataset, run
