"""The report in a browser without a network: charts drawn in both themes, nothing refused, nothing inaccessible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from backend.audit.classnoise import class_noise, flag_cells, transition_counts
from backend.audit.figures.loss import loss_numbers
from backend.audit.report import Report, SignedOff, Suspect, data_uri, render
from backend.audit.report_charts import classes_chart, loss_chart, matrix_chart
from backend.audit.signoff import findings, plan, tallies

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
NASTY = "<b>cat</b> & <img src=x onerror=\"document.title = 'taken'\">"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Writes a report of three classes, one of which has a name full of markup."""
    rng = np.random.default_rng(0)
    classes = [NASTY, "dog", "fox"]
    given_N, suggested_N = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    flagged_N = rng.random(300) < 0.2
    wrong_N = flagged_N & (rng.random(300) < 0.8)
    drawn = plan(flagged_N, 100, 0)
    seen = tallies(
        drawn, flagged_N, given_N, {int(i): ("remove" if wrong_N[i] else "keep", None) for i in drawn.index_S}
    )
    curve = {"weights": [0.8, 0.2], "x": [0.0, 1.0, 2.0], "sum": [0.7, 0.3, 0.3], "threshold": 1.2}
    mixtures = {"beta": {**curve, "components": [[0.7, 0.1, 0.0], [0.0, 0.2, 0.3]]}, "chosen": "beta"}
    matrix = matrix_chart(
        transition_counts(given_N, suggested_N, flagged_N, 3, 60),
        flag_cells(given_N, suggested_N, flagged_N, 3),
        classes,
    )
    assert matrix is not None
    suspect = Suspect(7, f"{NASTY}.png", NASTY, "dog", 0.97, "relabel", "fox", data_uri(PIXEL), small=True)
    report = Report(
        dataset=NASTY,
        facts=[("Samples", "300"), ("Recipe", "fast")],
        samples=300,
        flagged=int(flagged_N.sum()),
        noise_rate=0.16,
        noise_rate_interval=[0.11, 0.22],
        trust={"verdict": "good", "reasons": ["Clean and noisy samples form two groups."]},
        metrics={"auroc": 0.98, "average_precision": None},
        decided={"keep": 80, "remove": 20},
        flagged_unreviewed=12,
        sign_off=SignedOff(seen, findings(seen)),
        charts=[
            loss_chart(loss_numbers(3, {"edges": [0.0, 1.0, 2.0], "counts": [240, 60]}, mixtures)),
            classes_chart(class_noise(given_N, rng.random(300), flagged_N, 3), classes),
            matrix,
        ],
        suspects=[suspect, suspect._replace(sample_index=8, verdict=None, label=None)],
        manifest={"format": "noise-audit export 1", "dataset": {"name": NASTY}},
        as_of=datetime(2026, 1, 2, tzinfo=UTC),
    )
    file = tmp_path_factory.mktemp("report") / "report.html"

    def write() -> Path:
        file.write_text(render(report), encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_opens_offline_with_its_charts_and_nothing_is_refused(
    browser: Browser, report_page: Callable[[], Path], theme: str
) -> None:
    context = browser.new_context(color_scheme=theme, offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(report_page().as_uri())
    for name in ("loss", "classes", "matrix"):
        expect(page.locator(f"#plot-{name} .main-svg").first).to_be_visible()
        height = page.locator(f"#plot-{name}").evaluate("element => element.clientHeight")
        assert height > 250, f"{name} is {height} pixels high"
    assert page.title() == f"Noise audit: {NASTY}"
    expect(page.get_by_role("heading", level=1)).to_have_text(NASTY)
    # Plotly too shows the name letter by letter.
    ticks = page.locator("#plot-classes .ytick text").all_text_contents()
    assert any(tick.replace("\u200b", "").startswith("<b>cat</b> & <img") for tick in ticks), ticks
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(17, 19, 24)") == (theme == "dark")
    page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    expect(page.locator("#plot-loss .main-svg").first).to_be_visible()
    assert said == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_it(browser: Browser, report_page: Callable[[], Path], theme: str) -> None:
    # The page's policy lets no script in but its own, so the checker comes in beside it.
    context = browser.new_context(color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto(report_page().as_uri())
    expect(page.locator("#plot-matrix .main-svg").first).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    context.close()
