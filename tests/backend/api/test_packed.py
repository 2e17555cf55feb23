"""What is compressed once arrives whole with everybody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.mark.parametrize("address", ["figures/losses", "figures/map", "map/points"])
def test_a_client_that_takes_no_gzip_gets_the_same_bytes(
    client: httpx.Client, planted: Any, address: str
) -> None:
    packed = client.get(f"/api/runs/{planted.run_id}/{address}")
    plain = client.get(f"/api/runs/{planted.run_id}/{address}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.content == packed.content
    assert packed.headers["Vary"] == "Accept-Encoding"
