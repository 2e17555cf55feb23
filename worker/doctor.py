"""Whether this machine can compute: `python -m worker.doctor` multiplies two matrices on the chosen device.

Prints one JSON document {ok, device, torch, error}; `noise-audit doctor` asks it, which never imports torch itself.
"""

from __future__ import annotations

import json
import sys

SIZE = 64


def examine(name: str) -> dict[str, object]:
    """What the device of this name did when it was asked for a product of two matrices."""
    try:
        import torch

        from worker.training.device import chosen_device
    except ImportError as error:
        return {"ok": False, "device": name, "torch": None, "error": f"torch cannot be loaded: {error}"}
    found = {"device": name, "torch": torch.__version__}
    try:
        device = chosen_device(name)
        ones_SS = torch.ones(SIZE, SIZE, device=device.device)
        right = bool(((ones_SS @ ones_SS) == SIZE).all())
    except (ValueError, RuntimeError) as error:
        return {**found, "ok": False, "error": str(error).partition("\n")[0]}
    wrong = None if right else "it multiplies two matrices wrongly"
    return {**found, "ok": right, "device": device.name, "error": wrong}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(examine(sys.argv[1] if len(sys.argv) > 1 else "auto")) + "\n")
