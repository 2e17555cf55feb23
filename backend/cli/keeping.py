"""The commands that keep an installation safe and small: back it up, restore it, remove what nobody needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend.cli.console import bytes_bar, plain_errors, say
from backend.cli.server import Data, settings_with

if TYPE_CHECKING:
    from backend.settings import Settings
    from backend.store.artifacts import Artifacts
    from backend.store.database import Database


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; must not exist yet.")], data: Data = None
) -> None:
    """Write everything into one file: all rows of one moment and their images; others may go on working."""
    from backend.store.backup import write_backup

    with plain_errors(), _parts(settings_with(data)) as (database, artifacts):
        with bytes_bar("Backing up") as progress:
            damaged: list[str] = []
            manifest = write_backup(database, artifacts, file, progress, damaged.append)
        say(
            f"Wrote {file}: {len(manifest.tables):,} tables and {len(manifest.artifacts):,} files, "
            f"{manifest.size / 1e6:,.1f} MB, with the SHA-256 of each."
        )
        if damaged:
            say(
                f"[bold red]{len(damaged)} files are damaged where they are stored[/] and were copied as they are: "
                f"{', '.join(damaged[:5])}. Keep older backups; noise-audit doctor --all says how to mend it."
            )


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", exists=True, dir_okay=False)], data: Data = None
) -> None:
    """Make an empty installation (a new data folder, or an empty database and bucket) what a backup holds."""
    from backend.store.restore import restore_backup

    with plain_errors(), _parts(settings_with(data), migrated=False) as (database, artifacts):
        with bytes_bar("Restoring") as progress:
            manifest = restore_backup(database, artifacts, file, progress)
        say(
            f"Restored {len(manifest.tables):,} tables and {len(manifest.artifacts):,} files of "
            f"{manifest.made_at[:16].replace('T', ' ')} UTC; every hash is that of the backup."
        )
        say("Start it with: noise-audit up")


def prune(
    hours: Annotated[float, typer.Option(min=1, help="Younger files are left alone.")] = 24,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    data: Data = None,
) -> None:
    """Remove files that no dataset, run or upload speaks of any more (left by crashes and deletions)."""
    from datetime import UTC, datetime, timedelta

    from backend.store import retention

    now, age = datetime.now(UTC), timedelta(hours=hours)
    with plain_errors(), _parts(settings_with(data)) as (database, artifacts):
        if dry_run:
            swept = retention.sweep(database, artifacts, now, age, really=False)
        else:
            swept = retention.prune(database, artifacts, now, age, account_id=None, how="command")
    say(f"{'Would remove' if dry_run else 'Removed'} {len(swept.keys):,} files, {swept.bytes / 1e6:,.1f} MB.")


@contextmanager
def _parts(settings: Settings, *, migrated: bool = True) -> Iterator[tuple[Database, Artifacts]]:
    from backend.cli.running import postgres
    from backend.store.artifacts import Artifacts
    from backend.store.database import Database

    with postgres(settings, migrated=migrated) as url:
        database = Database(url)
        try:
            yield database, Artifacts.open(settings.artifacts, settings.data)
        finally:
            database.dispose()


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    for command in (backup, restore, prune):
        app.command()(command)
