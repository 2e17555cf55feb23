"""An S3 server on this machine (moto), and buckets on it for whoever tests artifacts."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[str]:
    """Serves until the block ends; gives its address."""
    # It would tell of every request on standard error.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def s3_environment(address: str) -> dict[str, str]:
    """The variables that point any S3 client at it."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }


def new_bucket(address: str) -> str:
    """A new, empty bucket; gives its name."""
    bucket = f"bucket-{os.urandom(4).hex()}"
    httpx.put(f"{address}/{bucket}").raise_for_status()
    return bucket
