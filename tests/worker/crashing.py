"""A job's process that crashes at its first attempt, by the signal in CRASH_BY, and notes each in the file CRASH_LOG."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

with Path(os.environ["CRASH_LOG"]).open("a") as file:
    file.write(" ".join(sys.argv[2:]) + "\n")
if sys.argv[3:] != ["--smaller"]:
    signal.raise_signal(signal.Signals(int(os.environ["CRASH_BY"])))
