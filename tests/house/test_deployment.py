"""The example configuration names every key, and is one that the service takes."""

import re
import tomllib

from tests.house.shape import ROOT
from xray_ai.config import Settings, keys, read_settings

EXAMPLE = ROOT / "deploy" / "xray-ai.toml"
SETTING = re.compile(r"^# (\[\[?[a-z_]+\]?\]|[a-z_]+ = .+)$", flags=re.MULTILINE)


def everything_set() -> str:
    """The example with every key uncommented."""
    return SETTING.sub(r"\1", EXAMPLE.read_text(encoding="utf-8"))


def test_every_key_stands_in_the_example_configuration() -> None:
    tree = tomllib.loads(everything_set())

    tables = {name: table[0] if isinstance(table, list) else table for name, table in tree.items()}
    assert {f"{name}.{key}" for name, table in tables.items() for key in table} == set(keys())


def test_as_it_stands_it_changes_nothing() -> None:
    assert read_settings(EXAMPLE, {}) == Settings()


def test_every_example_in_it_is_a_value_that_is_taken() -> None:
    tree = tomllib.loads(everything_set())

    assert Settings.model_validate(tree).destinations[0].name == "pacs"
