"""What tests in several files start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.command import Command, the_command


@pytest.fixture
def xray_ai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in an empty folder, with tiny packs installed."""
    return the_command(tmp_path, monkeypatch, capsys)


@pytest.fixture(autouse=True)
def the_next_test_logs_anew() -> Iterator[None]:
    """A command logs to what was standard error when it began, which is closed after its test."""
    yield
    structlog.reset_defaults()
