"""The commands that let the first people in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from xray_ai import cli
from xray_ai.errors import OperatorNeeded

PASSWORD = "a horse that staples"  # noqa: S105 - of nobody


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_STORAGE__ROOT", str(tmp_path))


def accounts(*words: str, typed: str = PASSWORD) -> Result:
    return CliRunner().invoke(cli.app, ["accounts", *words], input=f"{typed}\n{typed}\n")


def test_the_first_administrator_is_made_on_the_machine() -> None:
    added = accounts("add", "Maria", "--role", "administrator", "--display-name", "Maria Muster")
    assert "maria may sign in as administrator." in added.output
    assert PASSWORD not in added.output

    listed = accounts("list").output
    assert "Maria Muster" in listed
    assert "open" in listed


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["add", "maria"], "short"),
        (["add", "root"], PASSWORD),
        (["add", "robot", "--role", "service"], PASSWORD),
        (["password", "nobody"], PASSWORD),
    ],
)
def test_what_cannot_be_done_says_what_to_do(words: list[str], typed: str) -> None:
    accounts("add", "root")

    refused = accounts(*words, typed=typed).exception
    assert isinstance(refused, OperatorNeeded)
    assert refused.remedy


def test_who_lost_the_way_in_gets_another_password() -> None:
    accounts("add", "maria")

    assert "maria has another password." in accounts("password", "Maria").output
