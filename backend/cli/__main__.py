"""`python -m backend.cli`: the same as `noise-audit`."""

from backend.cli import app

app(prog_name="noise-audit")
