"""The commands that let people in: the first administrator, and whoever forgot a password."""

from typing import Annotated

import typer
from rich.table import Table

from xray_ai.app import open_records, utc_now
from xray_ai.credentials import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_of
from xray_ai.domain.access import Role
from xray_ai.errors import OperatorNeeded
from xray_ai.records import accounts as recorded
from xray_ai.records import audit, sessions
from xray_ai.records.accounts import Account, NameTaken
from xray_ai.records.audit import AuditEntry
from xray_ai.records.database import reading, upgrade, writing
from xray_ai.records.words import AuditAction
from xray_ai.terminal import ConfigOption, console, settings_for_command

COMMAND_LINE = "command line"

commands = typer.Typer()
accounts = typer.Typer(help="People who may sign in over HTTP.", no_args_is_help=True)
commands.add_typer(accounts, name="accounts")

AccountName = Annotated[str, typer.Argument(help="What one signs in with; small letters.")]


@accounts.command("list")
def list_accounts(config: ConfigOption = None) -> None:
    """List who may sign in, as what, and when each was last here."""
    with open_records(settings_for_command(config)) as engine:
        upgrade(engine)
        with reading(engine) as connection:
            listed = recorded.listed(connection)
    table = Table("name", "display name", "role", "state", "last seen")
    for one in listed:
        state = "closed" if not one.is_active else "open" if one.password_hash else "invited"
        seen = one.last_seen_at.astimezone().isoformat(" ", "minutes") if one.last_seen_at else ""
        table.add_row(one.name, one.display_name, one.role.value, state, seen)
    console.print(table)


@accounts.command("add")
def add_account(
    name: AccountName,
    role: Annotated[Role, typer.Option(help="radiologist, administrator or researcher.")] = Role.RADIOLOGIST,
    display_name: Annotated[str, typer.Option(help="How others see the person; absent: the name.")] = "",
    config: ConfigOption = None,
) -> None:
    """Let somebody in; asks for the password. The first account closes the API to who does not sign in."""
    if role is Role.SERVICE:
        raise OperatorNeeded("Programs have no accounts.", remedy="Make a token: POST /api/tokens.")
    kept, now = hash_of(_asked_password()), utc_now()
    account = Account(name.lower(), display_name or name, role, is_active=True, created_at=now, password_hash=kept)
    with open_records(settings_for_command(config)) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            try:
                recorded.add(connection, account)
            except NameTaken as error:
                raise OperatorNeeded(
                    f"An account {account.name} is there already.", remedy="Choose another name."
                ) from error
            detail = f"{account.name} {role}"
            audit.note(connection, AuditEntry(now, COMMAND_LINE, AuditAction.ACCOUNT_ADDED, detail=detail))
    console.print(f"{account.name} may sign in as {role.value}.")


@accounts.command("password")
def set_password(name: AccountName, config: ConfigOption = None) -> None:
    """Choose another password for somebody, open the account and end its sessions."""
    kept, now = hash_of(_asked_password()), utc_now()
    with open_records(settings_for_command(config)) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            if not recorded.change(connection, name, {"password_hash": kept, "is_active": True}):
                raise OperatorNeeded(f"There is no account {name}.", remedy="`xray-ai accounts list` tells them.")
            sessions.close_all_of(connection, name.lower())
            audit.note(connection, AuditEntry(now, COMMAND_LINE, AuditAction.PASSWORD_CHANGED, detail=name.lower()))
    console.print(f"{name.lower()} has another password.")


def _asked_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise OperatorNeeded(
            f"The password has {len(password)} characters.",
            remedy=f"Choose one of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}.",
        )
    return password
