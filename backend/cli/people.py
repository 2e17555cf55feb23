"""The commands that keep accounts and tokens, on the server's own machine: whoever can read its data may use them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

import typer

from backend.audit.rights import AccountRole, Scope
from backend.cli.console import plain_errors, result, say
from backend.cli.server import Data, settings_with

ROLES = ", ".join(get_args(AccountRole))
Name = Annotated[str, typer.Argument(help="Name to sign in with.")]


def token(
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the command line",
    days: Annotated[int | None, typer.Option(min=1, help="Expires after; default: never.")] = None,
    scope: Annotated[Scope, typer.Option(help="What it may at most.")] = "full",
    user: Annotated[str | None, typer.Option(help="Whose; default: the local account's.")] = None,
    data: Data = None,
) -> None:
    """Print a new API token."""
    from backend.cli.running import transaction
    from backend.store import accounts, activity

    with plain_errors(), transaction(settings_with(data)) as session:
        account = accounts.named(session, user) if user else accounts.ensure_local_account(session)
        row, secret = accounts.new_api_token(session, account.id, name, days, scope)
        activity.record(
            session, account.id, "token.create", row.id, name=name, scope=scope, by="command line"
        )
    result(secret)


def user_add(
    name: Name,
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for where it is not given."
        ),
    ],
    role: Annotated[
        AccountRole | None,
        typer.Option(help="What the account may at most; default: editor, and admin for the first."),
    ] = None,
    data: Data = None,
) -> None:
    """Add an account with a password."""
    from backend.cli.running import transaction
    from backend.store import accounts, activity

    with plain_errors(), transaction(settings_with(data)) as session:
        if role is None:
            role = "editor" if accounts.has_passwords(session) else "admin"
        identifier = accounts.add_user(session, name, password, role).id
        activity.record(session, None, "account.create", identifier, name=name, role=role, by="command line")
    say(f"{name} can sign in now, as {role}.")
    result(identifier)


def user_list(data: Data = None) -> None:
    """List the accounts: name, role, and whether it is shut."""
    from backend.cli.running import transaction
    from backend.store import people

    with plain_errors(), transaction(settings_with(data)) as session:
        for row in people.list_all(session):
            result(f"{row.name}\t{row.role}\t{'disabled' if row.disabled_at else 'open'}")


def user_role(
    name: Name,
    role: Annotated[AccountRole, typer.Argument(help=ROLES)],
    data: Data = None,
) -> None:
    """Give an account another role."""
    _change(data, name, role=role)
    say(f"{name} is {role} now.")


def user_disable(name: Name, data: Data = None) -> None:
    """Shut an account: nobody comes in, what it did stays."""
    _change(data, name, disabled=True)
    say(f"{name} is shut out.")


def user_enable(name: Name, data: Data = None) -> None:
    """Open an account again."""
    _change(data, name, disabled=False)
    say(f"{name} can sign in again.")


def user_code(name: Name, data: Data = None) -> None:
    """Print a one-time code, with which the account's owner signs in and sets a password."""
    from backend.cli.running import transaction
    from backend.store import accounts, activity

    hours = accounts.HANDED_CODE_HOURS
    with plain_errors(), transaction(settings_with(data)) as session:
        account = accounts.named(session, name)
        code = accounts.new_login_code(session, account.id, timedelta(hours=hours))
        activity.record(session, None, "account.code", account.id, name=name, by="command line")
    say(f"It works once, within {hours} hours; paste it on the sign-in page, or append it as #code=… :")
    result(code)


def _change(
    data: Path | None, name: str, role: AccountRole | None = None, *, disabled: bool | None = None
) -> None:
    from backend.cli.running import transaction
    from backend.store import accounts, activity, people

    with plain_errors(), transaction(settings_with(data)) as session:
        account = accounts.named(session, name)
        people.change(session, account.id, role, disabled=disabled)
        done = {"role": role} if disabled is None else {"disabled": disabled}
        activity.record(session, None, "account.change", account.id, name=name, by="command line", **done)


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    app.command()(token)
    user = typer.Typer(help="Accounts.", no_args_is_help=True)
    for name, command in (
        ("add", user_add),
        ("list", user_list),
        ("role", user_role),
        ("disable", user_disable),
        ("enable", user_enable),
        ("code", user_code),
    ):
        user.command(name)(command)
    app.add_typer(user, name="user")
