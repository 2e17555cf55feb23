"""Which Host and Origin a request may name, against DNS rebinding and foreign pages. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host_allowed(host: str, *, scheme: str, ports: frozenset[int], public_host: str) -> bool:
    """Whether the Host header names this machine's loopback with one of our ports, or the public host.

    A public host stated without a port is meant with any port (a proxy decides which).
    """
    named = _split(host)
    if named is None:
        return False
    name, port = named
    if name in LOOPBACK and (port or _DEFAULT_PORTS.get(scheme)) in ports:
        return True
    stated = _split(public_host) if public_host else None
    return stated is not None and name == stated[0] and stated[1] in (None, port)


def origin_allowed(origin: str, host: str) -> bool:
    """Whether the page that asks was served under the very host it asks; `null` is nobody's."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or parts.path or parts.query or parts.fragment:
        return False
    asked, asking = _split(host), _split(parts.netloc)
    if asked is None or asking is None or asked[0] != asking[0]:
        return False
    default = _DEFAULT_PORTS[parts.scheme]
    return (asked[1] or default) == (asking[1] or default)


def _split(host: str) -> tuple[str, int | None] | None:
    """Lower-case name and port of `name[:port]`; None for anything that is more or less than that."""
    if not host or not host.isascii() or any(sign in host for sign in "/?#@\\ \t,"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None
