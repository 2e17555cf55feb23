"""The `noise-audit` command: client commands talk HTTP to a server, the others run one."""

import typer

from backend.cli import client, deleting, demo, doctor, keeping, people, scan, server, takeout

app = typer.Typer(
    name="noise-audit",
    help="Finds the wrong labels in an image dataset, shows the evidence, keeps every decision.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
server.add_to(app)
people.add_to(app)
keeping.add_to(app)
doctor.add_to(app)
demo.add_to(app)
client.add_to(app)
takeout.add_to(app)
deleting.add_to(app)
scan.add_to(app)
