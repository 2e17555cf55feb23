"""Which server a script talks to, and with which token; the only reader of the environment in this package.

`up` remembers the token of its address in the user's configuration folder (mode 0600).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:8765"


def config_dir() -> Path:
    """The user's configuration folder for Noise Audit, where the platform wants it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "noise-audit"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "noise-audit"


def server_url() -> str:
    """`NOISE_AUDIT_URL`, else the server that was started last on this machine, else the default address."""
    named = os.environ.get("NOISE_AUDIT_URL")
    return (named or next(reversed(remembered_tokens()), DEFAULT_URL)).rstrip("/")


def server_token(url: str) -> str | None:
    """`NOISE_AUDIT_TOKEN`, else the token that `up` wrote for this address."""
    return os.environ.get("NOISE_AUDIT_TOKEN") or remembered_tokens().get(url)


def remembered_tokens() -> dict[str, str]:
    """Token by address, the server started last at the end; empty when there is no such file."""
    try:
        kept = json.loads((config_dir() / "tokens.json").read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(url: str, token: str) -> None:
    """Keep the token of a server on this machine, readable by this user alone."""
    kept = {address: known for address, known in remembered_tokens().items() if address != url}
    folder = config_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f".tokens-{os.getpid()}.json"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({**kept, url: token}, file, indent=2)
    temporary.replace(folder / "tokens.json")
