"""The trained network as a zip: its weights, and in a README the five lines that load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backend.audit.exporting import json_bytes
from backend.audit.forms.archive import Arranged, Member, whole, zipped

WEIGHTS = "model.safetensors"
README = """# The network of an audit

`model.safetensors` holds the weights of the network that judged the samples (the last one where a recipe trains several),
and in its metadata what the network is, how images are brought to its size and standardised, and the classes in the order of
its outputs. Nothing in it can run code. With Noise Audit and its extra `worker` installed:

```python
from worker.trained import load

network = load("model.safetensors")
probability_NC = network.predict(["image.png"])
print(network.classes[probability_NC[0].argmax()])
```

Without it, `safetensors.safe_open` reads weights and metadata alike.

Classes: {classes}

It was trained to find wrong labels, on the labels as they were given. For production, train on the cleaned ones.
"""


OF_AN_EMBEDDING = """# The head of an audit

`model.safetensors` holds the weights of the layer that was trained on the embedding sent with the run: it reads vectors, not
images. `safetensors.safe_open` reads weights and metadata. Nothing in it can run code.

Classes: {classes}
"""


def network_archive(
    weights: bytes, classes: Sequence[str], about: dict[str, Any], *, of_an_embedding: bool = False
) -> Arranged:
    """README.md, model.safetensors, manifest.json, SHA256SUMS."""
    readme = OF_AN_EMBEDDING if of_an_embedding else README

    def members() -> Iterator[Member]:
        yield whole("README.md", readme.replace("{classes}", ", ".join(classes)).encode())
        yield whole(WEIGHTS, weights)

    return zipped(members, json_bytes(about))
