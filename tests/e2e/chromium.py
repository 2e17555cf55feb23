"""Finds the Chromium that drives the browser tests; run as a program it installs one where there is none.

Looked for in this order: `CHROMIUM`, Debian's `chromium`, other usual names, Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HINT = (
    "The browser tests need Chromium. Install it (Debian, Ubuntu: apt-get install chromium), "
    "or name one with CHROMIUM=/path/to/chromium."
)


def find_chromium() -> str | None:
    """Path of a Chromium that is there, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> str:
    """Debian's package where this user may install it, else Playwright's own; exits with a hint otherwise."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, env=quiet)
    if find_chromium() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_chromium() or sys.exit(HINT)


if __name__ == "__main__":
    if os.environ.get("CHROMIUM") and find_chromium() is None:
        sys.exit(f"CHROMIUM names {os.environ['CHROMIUM']}, which is not there. {HINT}")
    print("Browser for the tests:", find_chromium() or install())
