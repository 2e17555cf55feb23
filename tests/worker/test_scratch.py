"""Scratch folders go with their job, and what a killed job left is swept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from worker.scratch import FOLDER, scratch_folder, sweep


def test_a_folder_is_gone_after_the_job_even_when_it_failed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch_folder(tmp_path, "a") as folder:  # noqa: PT012
        (folder / "file").write_text("x")
        raise RuntimeError
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_only_what_nobody_holds_is_swept(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from worker.scratch import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1]), 'dead'): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert (tmp_path / FOLDER / "dead").is_dir()
    with scratch_folder(tmp_path, "alive") as alive:
        assert sweep(tmp_path) == 1
        assert alive.is_dir()
    assert not (tmp_path / FOLDER / "dead").exists()
