"""The API knows which processes live, and says in words what is missing."""

from datetime import timedelta
from pathlib import Path

from tests.receive.reception import NOW
from tests.records.databases import upgraded
from xray_ai.housekeeping import SILENT_S
from xray_ai.http_server import NEEDED, not_ready
from xray_ai.records import workers
from xray_ai.records.database import writing


def missing(folder: Path, **seconds_ago: float) -> list[str]:
    """What is not ready, where each of these roles was last heard of so long ago."""
    with upgraded(f"sqlite:///{folder}/records.sqlite") as engine:
        with writing(engine) as connection:
            for role, age_s in seconds_ago.items():
                workers.beat(connection, f"{role}@here", role, NOW - timedelta(seconds=age_s))
        return not_ready(engine, NOW)


def test_the_service_is_ready_when_each_process_was_heard_of_lately(tmp_path: Path) -> None:
    assert missing(tmp_path, receiver=1, reader=2, reporter=3) == []


def test_each_process_that_is_missing_is_named(tmp_path: Path) -> None:
    assert missing(tmp_path, receiver=1, reader=SILENT_S + 1) == [NEEDED["reader"], NEEDED["reporter"]]
