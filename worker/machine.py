"""The machine that a worker runs on, asked without torch: device, cores, memory."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEMORY = Path("/proc/meminfo")
ASK_SECONDS = 10


def described(device: str) -> dict[str, Any]:
    """What `usage.describe_worker` takes of this machine; `device` as in the settings."""
    free = _meminfo().get("MemAvailable")
    return {
        "host": platform.node()[:255],
        "device": device_name(device)[:200],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_bytes": memory_bytes(),
        "memory_free_bytes": free,
    }


def device_name(device: str) -> str:
    """What training would use: the graphics cards' names, or the word for it."""
    if device in ("auto", "cuda") and (cards := _cards()):
        return ", ".join(cards)
    if device == "auto" and platform.system() == "Darwin" and platform.machine() == "arm64":
        return "mps"
    return "cpu" if device == "auto" else device


def memory_bytes() -> int | None:
    """The machine's memory, or the container's where that has less; None where nobody says."""
    known = [_meminfo().get("MemTotal")]
    if CGROUP_LIMIT.is_file() and (limit := CGROUP_LIMIT.read_text().strip()).isdecimal():
        known.append(int(limit))
    if known == [None] and "SC_PHYS_PAGES" in os.sysconf_names:
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((each for each in known if each is not None), default=None)


def _meminfo() -> dict[str, int]:
    """Linux's account of its memory, in bytes."""
    if not MEMORY.is_file():
        return {}
    lines = (line.split() for line in MEMORY.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) == 3}


def _cards() -> list[str]:
    """Names of the machine's NVIDIA cards."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    asked = [command, "--query-gpu=name", "--format=csv,noheader"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=ASK_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in said.stdout.splitlines() if line.strip()]
