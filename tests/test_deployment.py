"""The containers: what docker-compose.yml, the Dockerfiles and the backend's package list promise each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml  # type: ignore[import-untyped]
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backend.cli import app
from backend.settings import Limits, Settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = [ROOT / "backend" / "Dockerfile", ROOT / "worker" / "Dockerfile"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPUTE = {"torch", "torchvision", "triton", "scikit-learn", "umap-learn", "numba", "llvmlite"}


def environment(service: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = service.get("environment", {})
    return found


def settings_names() -> set[str]:
    limits = {f"NOISE_AUDIT_LIMIT_{name.upper()}" for name in Limits.model_fields}
    return limits | {f"NOISE_AUDIT_{name.upper()}" for name in Settings.model_fields if name != "limits"}


def locked(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by package name, of a list written by `make lock`."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        pin = re.match(r"([a-z0-9][a-z0-9._-]*)(?:\[.*?\])?==(\S+)", block)
        assert pin, f"{path.name}: not a pin: {block[:80]}"
        found[canonicalize_name(pin[1])] = (pin[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", block)))
    return found


def closure(requirements: list[str]) -> set[str]:
    """Names of everything that these requirements bring on this machine, as installed here."""
    wanted = [Requirement(each) for each in requirements]
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                needs = [Requirement(each) for each in requires(name) or []]
            except PackageNotFoundError:
                continue
            wanted += [
                each for each in needs if each.marker is None or each.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in seen}


def instructions(dockerfile: Path) -> list[list[str]]:
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text()))
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]


def test_every_setting_named_in_the_containers_exists() -> None:
    named = {key for service in SERVICES.values() for key in environment(service)}
    for dockerfile in DOCKERFILES:
        named |= set(re.findall(r"\bNOISE_AUDIT_\w+", dockerfile.read_text()))
    ours = {name for name in named if name.startswith("NOISE_AUDIT_")}
    assert ours >= {"NOISE_AUDIT_DATABASE_URL", "NOISE_AUDIT_PUBLIC_HOST", "NOISE_AUDIT_DATA"}
    assert ours <= settings_names()


def test_the_settings_of_the_containers_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in SERVICES.values():
        with monkeypatch.context() as patch:
            for key, value in environment(service).items():
                if key.startswith("NOISE_AUDIT_") and value is not None:
                    patch.setenv(key, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
            Settings()


def test_no_secret_has_a_default() -> None:
    for name, service in SERVICES.items():
        for key, value in environment(service).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY", key):
                assert value is None or re.fullmatch(r"\$\{\w+:\?.+\}", value), f"{name}: {key}"
    assert environment(SERVICES["postgres"])["POSTGRES_PASSWORD"]
    assert "PASSWORD" not in str(environment(SERVICES["backend"])["NOISE_AUDIT_DATABASE_URL"])


def test_nothing_listens_beyond_this_machine_unless_asked_to() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_ours_run_confined_and_the_database_is_migrated_first() -> None:
    ours = {name: service for name, service in SERVICES.items() if "build" in service}
    assert ours.keys() == {"migrate", "backend", "worker", "worker-gpu"}
    for name, service in ours.items():
        assert service["cap_drop"] == ["ALL"], name
        assert (ROOT / service["build"]["dockerfile"]).is_file(), name
        assert service["volumes"] == ["data:/var/lib/noise-audit"], name
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
    assert "/health/ready" in " ".join(SERVICES["backend"]["healthcheck"]["test"])


def test_workers_get_the_processor_after_those_whom_people_wait_for() -> None:
    share = {name: service.get("cpu_shares", 1024) for name, service in SERVICES.items()}
    assert max(share["worker"], share["worker-gpu"]) < min(share["backend"], share["postgres"])


def test_the_gpu_is_asked_for_in_its_profile_alone() -> None:
    def devices(service: dict[str, Any]) -> Any:
        reservations = service.get("deploy", {}).get("resources", {}).get("reservations", {})
        return reservations.get("devices")

    with_gpu = {name for name, service in SERVICES.items() if devices(service)}
    assert with_gpu == {name for name, service in SERVICES.items() if service.get("profiles") == ["gpu"]}
    assert with_gpu == {"worker-gpu"}
    assert devices(SERVICES["worker-gpu"])[0]["driver"] == "nvidia"


def test_every_command_of_a_container_exists() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in ("migrate", "backend"):
        assert SERVICES[name]["command"][0] in commands
    for run in re.findall(
        r"docker compose run --rm backend ([\w ]+?) NAME", (ROOT / "docker-compose.yml").read_text()
    ):
        group, command = run.split()
        assert command in commands[group].commands
    entries = {file.parent.name: instructions(file) for file in DOCKERFILES}
    assert ["ENTRYPOINT", '["noise-audit"]'] in entries["backend"]
    assert ["ENTRYPOINT", '["python", "-m", "worker"]'] in entries["worker"]
    assert find_spec("worker.__main__")


def test_both_images_build_the_same_wheel_and_run_as_an_ordinary_user() -> None:
    stages = []
    for dockerfile in DOCKERFILES:
        lines = instructions(dockerfile)
        second = next(i for i, line in enumerate(lines) if line[0] == "FROM" and i)
        stages.append(lines[:second])
        users = [line[1] for line in lines if line[0] == "USER"]
        assert users == ["noise-audit"]
    assert stages[0] == stages[1]


def test_everything_an_image_copies_is_there_and_not_ignored() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert "*" in rules
    for dockerfile in DOCKERFILES:
        copied = {
            source
            for word, rest in instructions(dockerfile)
            if word == "COPY" and not rest.startswith("--from")
            for source in rest.split()[:-1]
        }
        assert copied <= allowed
        assert all((ROOT / source).exists() for source in copied)
        assert copied >= {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "README.md"}


def test_the_image_builds_with_the_pinned_build_packages() -> None:
    listed = re.search(r"keep = /\^\(([a-z|-]+)\)==/", DOCKERFILES[0].read_text())
    assert listed
    names = set(listed[1].split("|"))
    assert names <= locked(ROOT / "constraints.txt").keys()
    assert closure(PROJECT["build-system"]["requires"]) <= names


def test_the_backends_packages_are_those_of_the_whole_without_the_compute_side() -> None:
    everything, backend = locked(ROOT / "constraints.txt"), locked(ROOT / "constraints-backend.txt")
    assert all(hashes for _, hashes in backend.values())
    differing = {name for name, pin in backend.items() if everything.get(name) != pin}
    assert not differing, "run `make lock`"
    assert not backend.keys() & COMPUTE
    assert not [name for name in backend if name.startswith(("nvidia-", "cuda-"))]
    assert closure(PROJECT["project"]["dependencies"]) <= backend.keys(), "run `make lock`"


BARE = """
import importlib, importlib.abc, pkgutil, sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

allowed = set(sys.argv[1].split(","))
absent = {top for top, owners in packages_distributions().items()
          if not {canonicalize_name(owner) for owner in owners} & allowed}

class Bare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is not in constraints-backend.txt", name=name)

sys.meta_path.insert(0, Bare())
for gone in [name for name in sys.modules if name.partition(".")[0] in absent]:
    del sys.modules[gone]
import backend, migrations, noise_audit
for package in (backend, noise_audit):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print("torch" in absent, "torch" in sys.modules)
"""


def test_the_backend_imports_with_its_own_packages_alone() -> None:
    allowed = [*locked(ROOT / "constraints-backend.txt"), "noise-audit"]
    done = subprocess.run(
        [sys.executable, "-c", BARE, ",".join(allowed)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["True", "False"]


def compose() -> list[str] | None:
    """A Compose that works here, as a plug-in of docker or on its own."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    return None


@pytest.mark.skipif(compose() is None, reason="no Docker Compose on this machine")
def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    command = compose()
    assert command
    base = [*command, "-f", str(ROOT / "docker-compose.yml")]
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for profile in ([], ["--profile", "gpu"]):
        accepted = subprocess.run(
            [*base, *profile, "config", "--quiet"],
            env={**clean, "POSTGRES_PASSWORD": "a$1@b/c:d"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert accepted.returncode == 0, accepted.stderr
    refused = subprocess.run(
        [*base, "config", "--quiet"], env=clean, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "POSTGRES_PASSWORD" in refused.stderr
