"""What all commands share: where they print, which configuration they read, and how errors become exit codes."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xray_ai import log
from xray_ai.config import Settings, read_settings
from xray_ai.errors import PeerUnavailable, StudyRejected, XrayAiError

EXIT_REJECTED, EXIT_OPERATOR, EXIT_PEER = 1, 2, 3  # 0: done

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


def exit_code_of(run: Callable[[], object]) -> int:
    """Run a command or a process; every error becomes one sentence and an exit code."""
    try:
        run()
    except XrayAiError as error:
        complaints.print(f"xray-ai: {error}")
        return _exit_code(error)
    except Exception as defect:  # noqa: BLE001 - the process edge: a defect is named by place, its values may be a patient's
        place = traceback.extract_tb(defect.__traceback__)[-1]
        complaints.print(
            f"xray-ai: a defect of this program: {type(defect).__name__} in {Path(place.filename).name}, line"
            f" {place.lineno}. Nothing was lost; please report it with these words."
        )
        return EXIT_OPERATOR
    return 0


def _exit_code(error: XrayAiError) -> int:
    match error:
        case StudyRejected():
            return EXIT_REJECTED
        case PeerUnavailable():
            return EXIT_PEER
        case _:
            return EXIT_OPERATOR
