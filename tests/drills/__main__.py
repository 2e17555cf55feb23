"""`make drills`: hit every promise as often as it is asked to hold, and print the table with what was reached.

Each turn is written to a record (`build/drills.jsonl`), and what stands there is not done again: broken off, the same
command goes on. `python -m tests.drills --scale 0.01` does a hundredth; `--only NAME` one promise; `--table` none.
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import signal
import sys
import time
from contextlib import ExitStack
from functools import reduce
from operator import add
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.drills.promises import PROMISES, Promise
from tests.drills.reached import Reached, Record, Turn
from tests.drills.topology import Topology, topology

console = Console()


def main() -> int:
    """The exit status: 1 when a promise falls short."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the full counts (at least one each)"
    )
    parser.add_argument(
        "--only", action="append", help="only promises whose name holds this; several times: any"
    )
    parser.add_argument(
        "--many", action="store_true", help="three workers and an S3 server instead of a folder"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument(
        "--record", type=Path, default=Path("build/drills.jsonl"), help="where turns are kept"
    )
    parser.add_argument("--fresh", action="store_true", help="forget the chosen promises' turns first")
    parser.add_argument("--table", action="store_true", help="only print what the record holds")
    options = parser.parse_args()
    # Told to end, it takes down what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Four lines for every bit that is flipped would hide what a drill says.
    logging.disable()
    record = Record(options.record)
    chosen = [each for each in PROMISES if any(part in each.name for part in options.only or [""])]
    if options.fresh:
        record.forget(promise.name for promise in chosen)
    if not options.table:
        with ExitStack() as stack:
            running: Topology | None = None
            for promise in chosen:
                wanted = max(1, math.ceil(options.scale * promise.asked))
                while (missing := wanted - _hits(record, promise)) > 0:
                    if running is None:
                        workers = 3 if options.many else 2
                        running = stack.enter_context(topology(backends=2, workers=workers, s3=options.many))
                    where = "3 workers, S3" if options.many else "2 workers, folder"
                    times = min(missing, promise.at_once)
                    seed = options.seed + _hits(record, promise)
                    turn = _turn(promise, running, times, seed, f"2 backends, {where}")
                    record.add(turn)
                    if not turn.reached.times:
                        break
    short = _table(record, chosen)
    return 1 if short else 0


def _hits(record: Record, promise: Promise) -> int:
    return sum(turn.reached.times for turn in record.turns(promise.name))


def _turn(promise: Promise, top: Topology, times: int, seed: int, where: str) -> Turn:
    began = time.monotonic()
    try:
        reached = promise.drill(top, times, random.Random(seed))
    except Exception as error:  # noqa: BLE001
        # One drill that breaks must not cost the table of the others.
        reached = Reached(times, [f"the drill broke: {type(error).__name__}: {error}"])
    turn = Turn.now(promise.name, reached, time.monotonic() - began, where)
    said = f"{promise.name}: {reached.times} hits in {turn.seconds:.0f} s; {reached.figure}"
    console.print(said, markup=False, soft_wrap=True)
    for wrong in reached.wrong[:10]:
        console.print(f"    WRONG {wrong}", markup=False, soft_wrap=True)
    return turn


def _table(record: Record, chosen: list[Promise]) -> int:
    """Print what all turns together reached; how many promises fall short."""
    table = Table("promise", "asked", "hit", "held", "reached", "minutes", "when (UTC)", "version", box=None)
    short, where = 0, set()
    for promise in chosen:
        turns = record.turns(promise.name)
        if not turns:
            table.add_row(promise.name, f"{promise.asked:,}", "0", "not tried", "", "", "", "")
            continue
        reached = reduce(add, [turn.reached for turn in turns])
        short += bool(reached.wrong)
        where |= {turn.where for turn in turns}
        table.add_row(
            promise.name,
            f"{promise.asked:,}",
            f"{reached.times:,}",
            f"FELL SHORT {len(reached.wrong)} ×"
            if reached.wrong
            else "yes"
            if reached.times
            else "not tried",
            reached.figure,
            f"{sum(turn.seconds for turn in turns) / 60:.1f}",
            " – ".join(sorted({turns[0].at[:16], turns[-1].at[:16]})).replace("T", " "),
            " ".join(dict.fromkeys(turn.version for turn in turns)),
        )
        for wrong in reached.wrong[:10]:
            console.print(f"{promise.name}: {wrong}", markup=False, soft_wrap=True)
    console.print(table)
    for each in sorted(where):
        console.print(f"On: {each}.", markup=False)
    return short


if __name__ == "__main__":
    sys.exit(main())
