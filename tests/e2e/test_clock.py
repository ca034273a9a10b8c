"""The clock of the machine is set by an hour in the middle of work: it goes on, and nothing comes twice."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.deliver.peers import free_port
from tests.e2e.serving import held_by, serving, storescp_at, studies_on_disk, until
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack

pytestmark = pytest.mark.e2e

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
SERVICE = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)  # libfaketime 0.9.10 breaks the sleep of Python 3.11
from xray_ai.cli import main
main()
"""
RESULTS_A_STUDY = 2


def set_clock(folder: Path, ahead: timedelta) -> None:
    """Let the service believe that it is so much later; the clock that only counts seconds stays as it is."""
    (folder / "clock.new").write_text(f"{ahead.total_seconds():+.0f}s", "utf-8")
    (folder / "clock.new").rename(folder / "clock")


@pytest.mark.parametrize("hours", [1, -1], ids=["forwards", "back"])
def test_work_goes_on_when_the_clock_is_set(tmp_path: Path, hours: int) -> None:
    a_pack(tmp_path / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(tmp_path / "packs")
    set_clock(tmp_path, timedelta(0))
    clock = (f"LD_PRELOAD={FAKETIME[0]}", f"FAKETIME_TIMESTAMP_FILE={tmp_path / 'clock'}", "FAKETIME_NO_CACHE=1")
    program = ("env", *clock, "FAKETIME_DONT_FAKE_MONOTONIC=1", sys.executable, "-c", SERVICE)
    port = free_port()
    with serving(tmp_path, {"pacs": port}, models=tmp_path / "packs", program=program) as service:
        files = studies_on_disk(tmp_path / "sent", 6)
        assert all(service.push(*files[:3]))
        until(lambda: sum(one.attempts > 0 for one in service.deliveries()) == 3 * RESULTS_A_STUDY, "none is taken")
        set_clock(tmp_path, timedelta(hours=hours))
        assert all(service.push(*files[3:]))
        with storescp_at(port, tmp_path):
            until(lambda: service.is_done(len(files)), "all is read and delivered")
        until(lambda: service.ask("/readyz")[0] == 200, "all processes count as alive")

    held = [result.SOPInstanceUID for result in held_by(tmp_path)]
    assert len(held) == len(set(held)) == RESULTS_A_STUDY * len(files)
