"""`make drills`: hit every promise as often as it is asked to hold, and print the table with what was reached.

`python -m tests.drills --scale 0.01` does a hundredth of it; `--only NAME` one; `--many` two backends, three workers, S3.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.drills.promises import PROMISES, Reached
from tests.drills.topology import topology


def main() -> int:
    """The exit status: 1 when a promise falls short."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the full counts (at least once each)"
    )
    parser.add_argument("--only", default="", help="only promises whose name holds this")
    parser.add_argument("--many", action="store_true", help="two backends, three workers and an S3 server")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    options = parser.parse_args()
    console, short = Console(), 0
    table = Table("promise", "asked", "hit", "reached", "seconds", box=None)
    chosen = [promise for promise in PROMISES if options.only in promise.name]
    with topology(
        backends=2 if options.many else 1, workers=3 if options.many else 2, s3=options.many
    ) as top:
        for promise in chosen:
            times, began = max(1, math.ceil(options.scale * promise.asked)), time.monotonic()
            try:
                reached = promise.drill(top, times, random.Random(options.seed))
            except Exception as error:  # noqa: BLE001
                # One drill that breaks must not cost the table of the others.
                reached = Reached(times, [f"the drill broke: {type(error).__name__}: {error}"], "nothing")
            short += bool(reached.wrong)
            held = "held" if not reached.wrong else f"FELL SHORT {len(reached.wrong)} ×"
            took = time.monotonic() - began
            row = (
                promise.name,
                f"{promise.asked:,}",
                f"{reached.times:,}",
                f"{held}: {reached.figure}",
                f"{took:.0f}",
            )
            table.add_row(*row)
            console.print("  ".join(row), markup=False, soft_wrap=True)
            for wrong in reached.wrong[:10]:
                console.print(f"    {wrong}", markup=False, soft_wrap=True)
    console.print()
    console.print(table)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
