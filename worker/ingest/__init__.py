"""Archives and formats in, validated images out; knows nothing of databases, artifacts or training."""

from worker.ingest.source import Cancelled, Entry, Recognised, Refusal, Source, Wish

__all__ = ["Cancelled", "Entry", "Recognised", "Refusal", "Source", "Wish"]
