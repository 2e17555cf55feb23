"""Features into what people look at: a 2-D map and each sample's neighbours; knows arrays only."""

from worker.embedding.mapping import embed
from worker.embedding.similarity import neighbours

__all__ = ["embed", "neighbours"]
