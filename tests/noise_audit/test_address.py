"""A script finds its server and token: the environment first, then what `up` left for this user."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from noise_audit import address


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(address.sys, "platform", "linux")
    monkeypatch.delenv("NOISE_AUDIT_URL", raising=False)
    monkeypatch.delenv("NOISE_AUDIT_TOKEN", raising=False)


def test_with_nothing_known_it_is_the_default_address_without_a_token() -> None:
    assert address.server_url() == "http://127.0.0.1:8765"
    assert address.server_token(address.server_url()) is None


def test_the_server_started_last_is_the_one_talked_to() -> None:
    address.remember("http://127.0.0.1:1", "one")
    address.remember("http://127.0.0.1:2", "two")
    assert (address.server_url(), address.server_token("http://127.0.0.1:2")) == ("http://127.0.0.1:2", "two")
    address.remember("http://127.0.0.1:1", "again")
    assert address.server_url() == "http://127.0.0.1:1"
    assert address.remembered_tokens() == {"http://127.0.0.1:2": "two", "http://127.0.0.1:1": "again"}


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    address.remember("http://127.0.0.1:1", "one")
    monkeypatch.setenv("NOISE_AUDIT_URL", "http://elsewhere:9/")
    monkeypatch.setenv("NOISE_AUDIT_TOKEN", "given")
    assert address.server_url() == "http://elsewhere:9"
    assert address.server_token("http://127.0.0.1:1") == "given"


def test_only_this_user_can_read_the_tokens() -> None:
    address.remember("http://127.0.0.1:1", "one")
    file = address.config_dir() / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_file_is_as_none() -> None:
    address.config_dir().mkdir(parents=True)
    (address.config_dir() / "tokens.json").write_text("{")
    assert address.remembered_tokens() == {}
