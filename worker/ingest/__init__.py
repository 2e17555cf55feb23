"""Archives and formats in, validated images out; knows nothing of databases, artifacts or training."""

from worker.ingest.source import Cancelled, Entry, Refusal, Source

__all__ = ["Cancelled", "Entry", "Refusal", "Source"]
