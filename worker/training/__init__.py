"""Training that resists wrong labels, and what it says of every sample.

`recipes` says what can be trained and how (no torch), `train` does it, `reports` is what comes out.
Needs torch, numpy, scipy and `worker.noise` only; must not know of the web application or its database.
"""
