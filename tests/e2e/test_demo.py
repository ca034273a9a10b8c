"""The demonstration runs the whole service, and shows a chest that is read and a tibia that is refused."""

from pathlib import Path

import pytest

from tests.command import Command
from tests.deliver.peers import free_port

pytestmark = pytest.mark.e2e


def test_the_demonstration_shows_both_and_where_the_results_lie(
    xray_ai: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("STORAGE_SCP", "HTTP"):
        monkeypatch.setenv(f"XRAY_AI_{table}__PORT", str(free_port()))
    monkeypatch.setenv("XRAY_AI_ENGINE__STUDY_QUIET_S", "0.5")

    ended = xray_ai("demo", "--once")

    assert ended.code == 0, ended.err
    assert "The chest was read and the tibia refused, as they should be." in ended.out
    results = [line.removeprefix("result: ") for line in ended.out.splitlines() if line.startswith("result: ")]
    assert len(results) == 2
    assert all(Path(result).is_file() for result in results)
