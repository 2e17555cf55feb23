"""How fast the dashboard is in a browser, each part beside the plain way of doing it, in the same run.

    python -m benchmarks.ui [--sizes 50000 200000 1000000] [--json FILE]

A PostgreSQL of its own, runs of these sizes written through the store, `noise-audit serve` in a process of its own, and a
headless Chromium that draws in software on the same machine: compare the two columns rather than trust either alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from backend.cli.running import postgres
from backend.settings import Settings
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from benchmarks import pages
from benchmarks.api import served
from benchmarks.million import Written, write
from tests.e2e.chromium import HINT, find_chromium

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
THUMBNAILS, SIDE = 192, 128
SCROLLED = 10_000
CORNERS = 200
"""Of a lasso drawn by hand."""
PATIENCE_MS = 120_000

BUDGETS_MS = {
    "192 thumbnails": 446.0,
    "decision to the next image": 100.0,
    "epoch slider": 49.0,
    "lasso mask of 1,000,000": 159.0,
}
"""Measured or promised while designing; for the others the plain way is the measure."""


def thumbnails(page: Page, written: Written) -> dict[str, Any]:
    """The gallery's first tiles, and two pages of images composed by the server against one request each."""
    page.goto(f"/runs/{written.run_id}/flags")
    page.locator(".tile .thumb").first.wait_for()
    shown = page.evaluate("painted()")
    url, flagged = f"/api/datasets/{written.dataset_id}", written.undecided
    composed = page.evaluate(pages.FIRST_ATLASES, [url, flagged[1000 : 1000 + THUMBNAILS], SIDE])
    single = page.evaluate(pages.FIRST_THUMBNAILS, [url, flagged[2000 : 2000 + THUMBNAILS]])
    return {
        "gallery opened to its first tile": {"ours_ms": shown},
        "first of 192, a page of 96": {"ours_ms": composed[0], "single_ms": single[0]},
        "192 thumbnails": {"ours_ms": composed[1], "plain_ms": single[1]},
    }


def scrolling(page: Page, written: Written) -> dict[str, Any]:
    """A screen at a time through 10 000 flags, the plain way (an image for each in the page) through the first 1 000."""
    page.goto(f"/runs/{written.run_id}/flags")
    page.locator(".tile .thumb").first.wait_for()
    tiles = page.locator(".tile")
    top = [tiles.nth(at).bounding_box() for at in range(tiles.count())]
    rows = sorted({round(box["y"]) for box in top if box})
    per_row = sum(1 for box in top if box and round(box["y"]) == rows[0])
    ours = page.evaluate(pages.SCROLL, [".grid-scroll", SCROLLED, per_row, rows[1] - rows[0]])
    page.goto("/favicon.svg")
    page.goto("/settings")
    url = f"/api/datasets/{written.dataset_id}"
    built = page.evaluate(pages.PLAIN_GRID, [url, written.undecided[:SCROLLED], 112])
    plain = page.evaluate(pages.SCROLL, ["#plain", SCROLLED // 10, 12, 160])
    return {
        "10,000 flags put into the page": {"plain_ms": built},
        "scroll by a screen of 10,000 flags": _pair(ours["screens"], plain["screens"]),
        "its longest frame": {"ours_ms": ours["longest"], "plain_ms": plain["longest"]},
    }


def deciding(page: Page, written: Written) -> dict[str, Any]:
    """Keep, and the next image is there; the plain way waits for the server three times."""
    page.goto(f"/runs/{written.run_id}/review/{written.undecided[0]}?verdict=none")
    page.locator(".panel-image img").wait_for()
    page.wait_for_timeout(3000)
    ours = []
    for _ in range(20):
        ours.append(page.evaluate(pages.DECIDE, "k"))
        page.wait_for_timeout(700)  # as long as a hurried person looks
    ahead = written.undecided[5000:5021]
    plain = [
        page.evaluate(pages.PLAIN_NEXT, [written.run_id, written.dataset_id, index, following])
        for index, following in itertools.pairwise(ahead)
    ]
    return {"decision to the next image": _pair(ours, plain)}


def lasso(page: Page, written: Written, samples: int) -> dict[str, Any]:
    """From letting go to the selection painted; and the mask alone, in the worker and by a plain scan."""
    page.goto(f"/runs/{written.run_id}/map")
    page.locator("canvas[data-ready]").wait_for(timeout=PATIENCE_MS)
    box = page.locator("canvas[data-ready]").bounding_box()
    assert box is not None
    page.evaluate(pages.RELEASED)
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(centre[0] - 200, centre[1] - 150)
    page.mouse.down()
    for x, y in ((200, -150), (240, 60), (0, 200), (-220, 120)):
        page.mouse.move(centre[0] + x, centre[1] + y, steps=12)
    page.mouse.up()
    released = page.evaluate("released")
    mask = page.evaluate(pages.MASKS, [written.run_id, CORNERS])
    if not mask["same"]:
        raise SystemExit("the worker's lasso and the plain scan do not agree")
    return {
        f"lasso of {samples:,} to its picture": {"ours_ms": released["painted"]},
        f"longest frame meanwhile, {samples:,}": {"ours_ms": released["longest"], "plain_ms": mask["plain"]},
        f"lasso mask of {samples:,}": {"ours_ms": mask["worker"], "plain_ms": mask["plain"]},
    }


def sliding(page: Page, written: Written) -> dict[str, Any]:
    """One epoch further; the plain way asks for each epoch's figure."""
    page.goto(f"/runs/{written.run_id}/loss")
    page.locator(".plot-host[data-state=ready]").first.wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(2000)
    ours = [page.evaluate(pages.SLIDE, "ArrowLeft") for _ in range(20)]
    plain = [page.evaluate(pages.PLAIN_SLIDE, [written.run_id, epoch]) for epoch in range(1, 16)]
    return {"epoch slider": _pair(ours, plain)}


def _pair(ours: list[float], plain: list[float]) -> dict[str, float]:
    return {
        "ours_ms": statistics.median(ours),
        "ours_worst_ms": max(ours),
        "plain_ms": statistics.median(plain),
        "plain_worst_ms": max(plain),
    }


def measured(sizes: list[int], folder: Path, chromium: str) -> dict[str, Any]:
    """Everything, on an installation in this folder."""
    settings = Settings(data=folder, database_url="", artifacts="")
    found: dict[str, Any] = {}
    with postgres(settings) as url:
        database, artifacts = Database(url), Artifacts.open("", folder)
        runs = {samples: write(database, artifacts, samples, 0, 0) for samples in sizes}
        smallest = runs[min(sizes)]
        # The gallery reviews at full size: the smallest run's thumbnails serve as its images too.
        stem = f"datasets/{smallest.dataset_id}"
        for end in (".pack", ".offsets.npy"):
            artifacts.put(f"{stem}/images{end}", artifacts.get(f"{stem}/thumbs{end}"))
        database.dispose()
        with served(settings, smallest.owner) as client, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

            def fresh() -> Page:
                context = browser.new_context(
                    base_url=str(client.base_url),
                    viewport={"width": 1440, "height": 900},
                    extra_http_headers={"Authorization": client.headers["Authorization"]},
                )
                context.add_init_script(pages.PRELUDE)
                context.set_default_timeout(PATIENCE_MS)
                return context.new_page()

            largest = runs[max(sizes)]
            parts: list[Callable[[], dict[str, Any]]] = [
                lambda: thumbnails(fresh(), largest),
                lambda: scrolling(fresh(), largest),
                lambda: deciding(fresh(), smallest),
                *[lambda size=size: lasso(fresh(), runs[size], size) for size in sizes],
                lambda: sliding(fresh(), largest),
            ]
            for part in parts:
                for name, numbers in part().items():
                    found[name] = {key: round(value, 1) for key, value in numbers.items()}
                    if name in BUDGETS_MS:
                        found[name]["budget_ms"] = BUDGETS_MS[name]
                    print(f"  {name:<40}{_words(found[name])}", flush=True)
            browser.close()
    return found


def _words(numbers: dict[str, float]) -> str:
    return ", ".join(
        f"{key.removesuffix('_ms').replace('_', ' ')} {value} ms" for key, value in numbers.items()
    )


def misses(found: dict[str, dict[str, float]]) -> list[str]:
    """What is over its budget, or slower than the plain way, in words."""
    over = []
    for name, numbers in found.items():
        if "ours_ms" not in numbers:
            continue
        ours, plain = numbers["ours_ms"], numbers.get("plain_ms")
        if ours > numbers.get("budget_ms", float("inf")):
            over.append(f"{name}: {ours} ms, allowed {numbers['budget_ms']} ms")
        if plain is not None and ours > plain:
            over.append(f"{name}: {ours} ms, the plain way {plain} ms")
    return over


def main() -> int:
    """Measure, print, write JSON; 1 when something is over its budget or slower than the plain way."""
    parser = argparse.ArgumentParser(
        description="Time the dashboard in a browser on runs with very many samples."
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 200_000, 1_000_000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit(HINT)
    # Open to the user that PostgreSQL runs as when we are root.
    folder = Path(tempfile.mkdtemp(prefix="noise-audit-bench-"))
    folder.chmod(0o755)
    began = time.perf_counter()
    try:
        found = measured(options.sizes, folder, chromium)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    over = misses(found)
    print(
        "\n" + ("\n".join(over) if over else "Everything is within its budget and faster than the plain way.")
    )
    if options.json is not None:
        kept = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, software rendering",
            "seconds": round(time.perf_counter() - began),
            **found,
            "over_budget": over,
        }
        options.json.write_text(json.dumps(kept, indent=1) + "\n")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
