"""What all commands share: where they print, which configuration they read, what they log."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xray_ai import log
from xray_ai.config import Settings, read_settings

# File names are printed as they are: brackets and colons in them are no markup.
console = Console(markup=False, emoji=False, highlight=False)
complaints = Console(stderr=True, markup=False, emoji=False, highlight=False)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file; absent: xray-ai.toml here, if there is one.")
]


def settings_for_command(config: Path | None) -> Settings:
    """Read the configuration, and log what an operator should look into. Raises ConfigurationWrong."""
    return _settings(config, "WARNING", process=None)


def settings_for_service(config: Path | None, process: str) -> Settings:
    """Read the configuration, and log each step under the name of this process. Raises ConfigurationWrong."""
    return _settings(config, "INFO", process)


def _settings(config: Path | None, level: str, process: str | None) -> Settings:
    settings = read_settings(config, dict(os.environ))
    log.configure(settings.log.level or level, process)
    return settings
