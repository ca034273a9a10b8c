"""One event is one line of JSON on standard error, about a study that only we can name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xray_ai import log


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_an_event_is_one_line_of_json_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")

    log.event("study.triaged", study="0a1b", priority="HIGH", seconds=0.25)

    (line,) = logged(capsys)
    assert line.pop("timestamp")
    assert line == {"event": "study.triaged", "level": "info", "study": "0a1b", "priority": "HIGH", "seconds": 0.25}


def test_a_line_break_in_a_fact_begins_no_new_event(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")

    log.warning("radiograph.noted", code='a\n{"event": "forged"}')

    assert [line["event"] for line in logged(capsys)] == ["radiograph.noted"]


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", ["event", "warning"]), ("WARNING", ["warning"]), ("ERROR", [])])
def test_only_events_at_or_above_the_configured_level_are_shown(
    level: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(level)

    log.event("event")
    log.warning("warning")

    assert [line["event"] for line in logged(capsys)] == shown


def test_our_key_of_an_object_does_not_hold_its_uid() -> None:
    key = log.key_of("1.2.826.0.1.3680043.10.1")

    assert len(key) == 16
    assert int(key, 16)
    assert key == log.key_of("1.2.826.0.1.3680043.10.1") != log.key_of("1.2.826.0.1.3680043.10.2")


def test_lines_of_processes_that_share_standard_error_stay_whole(tmp_path: Path) -> None:
    logs_much = "from xray_ai import log; log.configure('INFO'); [log.event('a.happened', n=n) for n in range(500)]"
    with (tmp_path / "log").open("ab") as shared:
        writers = [subprocess.Popen([sys.executable, "-c", logs_much], stderr=shared) for _ in range(3)]
        assert [writer.wait() for writer in writers] == [0, 0, 0]

    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["a.happened"] * 1500
