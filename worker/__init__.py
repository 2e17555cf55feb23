"""The compute side: reads datasets, trains on them, says which labels look wrong."""
