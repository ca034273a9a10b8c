"""What tests in several files start from."""

from pathlib import Path

import pytest

from tests.command import Command, the_command


@pytest.fixture
def xray_ai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in an empty folder, with tiny packs installed."""
    return the_command(tmp_path, monkeypatch, capsys)
