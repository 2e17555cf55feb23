"""How a child process ranks beside others; that it dies with its parent is shown by the drills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backend.processes import dies_with_parent

AUTOGROUP = Path("/proc/self/autogroup")
SAYS = """
import json, os, pathlib
group = pathlib.Path("/proc/self/autogroup")
print(json.dumps([os.getpriority(os.PRIO_PROCESS, 0), group.read_text().split()[-1] if group.exists() else None]))
"""


def _ranks(gives_way: int) -> list[int | str | None]:
    said = subprocess.run(
        [sys.executable, "-c", SAYS],
        capture_output=True,
        check=True,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGKILL, gives_way=gives_way),
    )
    found: list[int | str | None] = json.loads(said.stdout)
    return found


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not rank sessions")
def test_a_child_that_gives_way_ranks_behind_as_a_process_and_as_a_session() -> None:
    process, session = _ranks(0)
    assert isinstance(process, int)
    assert session == "0"
    # No process ranks further behind than 19.
    assert _ranks(10) == [min(process + 10, 19), "10"]
