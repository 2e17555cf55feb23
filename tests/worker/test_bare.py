"""The commands of a bare compute machine run where nothing but torch, numpy and scipy is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

import worker


def closure(*names: str) -> set[str]:
    """These distributions and all that they require here, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue  # needed on another platform, or not at all
        found.add(name)
        waiting += [
            re.split(r"[ ;<>=!~\[(]", each, maxsplit=1)[0] for each in requires if "extra ==" not in each
        ]
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that links torch, numpy, scipy and what these require; `worker` lies beside it."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in closure("torch", "numpy", "scipy"):
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top in ("..", "__pycache__") or (packages / top).exists():
                continue
            (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))).resolve())
    (folder / "worker").symlink_to(Path(worker.__file__).parent)
    return folder / "venv" / "bin" / "python"


def run(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", *arguments], cwd=python.parents[2], capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.slow
def test_the_environment_is_bare(bare: Path) -> None:
    for missing in ("torchvision", "sklearn", "sqlalchemy", "PIL", "pyarrow", "fastapi", "backend"):
        done = subprocess.run(
            [bare, "-c", f"import {missing}"], cwd=bare.parents[2], capture_output=True, check=False, env={}
        )
        assert done.returncode == 1, missing


@pytest.mark.slow
def test_training_and_noise_run_on_a_bare_machine(bare: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "in.npz",
        image=rng.integers(0, 256, (80, 8, 8, 3), dtype=np.uint8),
        given_label=np.arange(80) % 2,
        true_label=np.arange(80) % 2,
    )
    command = (
        "worker.training",
        tmp_path / "in.npz",
        "--set",
        "epochs=1",
        "--set",
        "width=4",
        "--out",
        tmp_path / "out",
    )
    done = run(bare, *command)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["samples"] == 80

    missing = run(bare, *command[:-1], tmp_path / "other", "--set", "network=resnet18")
    assert missing.returncode == 2
    assert "network resnet18 needs torchvision, which is not installed here" in missing.stderr
    assert missing.stderr.count("\n") == 1

    np.savez(tmp_path / "loss.npz", loss=rng.gamma(2.0, 1.0, 500))
    done = run(bare, "worker.noise", tmp_path / "loss.npz", "--out", tmp_path / "posterior.npz")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["samples"] == 500
    assert (tmp_path / "posterior.npz").exists()
