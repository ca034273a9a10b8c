"""Whatever a user can see, the manual names: commands, options, configuration keys, reasons."""

import re
from collections.abc import Iterator

from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_group

from tests.house.shape import ROOT
from xray_ai import cli
from xray_ai.config import keys
from xray_ai.errors import RejectionCode


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def commands(command: TyperGroup | TyperCommand, path: str) -> Iterator[tuple[str, TyperGroup | TyperCommand]]:
    """Each group and command as a user types it."""
    yield path, command
    inner = command.commands.items() if isinstance(command, TyperGroup) else ()
    for name, part in inner:
        if isinstance(part, TyperGroup | TyperCommand) and not part.hidden:
            yield from commands(part, f"{path} {name}")


def options(command: TyperGroup | TyperCommand) -> set[str]:
    shown = [parameter for parameter in command.params if isinstance(parameter, TyperOption) and not parameter.hidden]
    spellings = {spelling for parameter in shown for spelling in (*parameter.opts, *parameter.secondary_opts)}
    return {spelling for spelling in spellings if spelling.startswith("--")}


def test_every_command_is_documented_and_so_is_each_of_its_options() -> None:
    manual = page("commands.md")
    documented = set(re.findall(r"--[a-z][a-z0-9-]*", manual))

    for name, command in commands(get_group(cli.app), "xray-ai"):
        assert name in manual
        assert options(command) - documented == set(), name


def test_every_configuration_key_is_documented() -> None:
    manual = page("configuration.md")

    assert [key for key in keys() if f"`{key}`" not in manual] == []


def test_every_reason_not_to_read_is_documented() -> None:
    manual = page("reasons.md")

    assert [code.value for code in RejectionCode if f"`{code.value}`" not in manual] == []
