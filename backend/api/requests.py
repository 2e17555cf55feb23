"""Counts and times the requests of this process, for Prometheus. Knows nothing of what they ask."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import Scope

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Bounds of the histogram; 0.5 s is what is promised for the 99th percentile."""


class Requests:
    """Counts and times this process's requests by route, never by address: their number stays bounded."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        named = ["method", "route"]
        self._count = Counter(
            "noise_audit_requests", "Requests answered.", [*named, "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "noise_audit_request_seconds",
            "Seconds until the answer began.",
            named,
            registry=self.registry,
            buckets=SECONDS,
        )

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """One answer: `seconds` until it began (an event stream goes on for hours)."""
        route = str(getattr(scope.get("route"), "path", "other"))
        method = scope["method"] if route != "other" else "other"
        self._count.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
