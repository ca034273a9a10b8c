"""Processes are killed at random moments under load: what got success is read, each result delivered, none twice."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.deliver.peers import a_program
from tests.e2e.serving import (
    MEMBERS,
    Service,
    held_by,
    is_listening,
    serving,
    started,
    storescp,
    studies_on_disk,
    until,
)
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.records.words import StudyStatus

pytestmark = pytest.mark.e2e

STUDIES_A_ROUND = 8
RESULTS_A_STUDY = 2  # report and capture


@pytest.fixture
def models(tmp_path: Path) -> Path:
    a_pack(tmp_path / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(tmp_path / "packs")
    return tmp_path / "packs"


def push_until_success(service: Service, files: list[Path]) -> None:
    """Push each as a modality does: again, until it gets success."""
    for file in files:
        while service.push(file) != [True]:
            time.sleep(0.1)


def push_and_cut(service: Service, victims: tuple[str, ...], round_number: int, draw: random.Random) -> None:
    """Push studies, and kill these members somewhere in the middle."""
    files = studies_on_disk(service.folder / "sent", STUDIES_A_ROUND, first=round_number * STUDIES_A_ROUND)
    pushing = threading.Thread(target=push_until_success, args=(service, files))
    pushing.start()
    for victim in victims:
        time.sleep(draw.uniform(0.0, 1.0))  # not for something to happen, but for the cut to fall anywhere
        service.kill(victim)
    pushing.join()


def cut_the_power(service: Service, models: Path) -> Service:
    """Kill every process at once, and start the service again on what the disk holds."""
    pids = [service.process.pid, *filter(None, map(service.pid_of, MEMBERS))]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    again = started(service.folder, service.port, models)
    service.process = again.process
    until(lambda: is_listening(service), "the service is back")
    return service


@pytest.mark.parametrize("rounds", [5, pytest.param(30, marks=pytest.mark.soak)])
def test_no_image_is_lost_and_no_result_is_doubled(tmp_path: Path, models: Path, rounds: int) -> None:
    draw = random.Random(rounds)  # noqa: S311 - the same cuts each time
    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        for number in range(rounds):
            push_and_cut(service, (MEMBERS[number % len(MEMBERS)], draw.choice(MEMBERS)), number, draw)
            if number % 5 == 2:
                cut_the_power(service, models)
        until(lambda: service.is_done(STUDIES_A_ROUND * rounds), "all is read and delivered")
        statuses = {study.status for study in service.studies()}

    assert statuses == {StudyStatus.READ}
    held = [result.SOPInstanceUID for result in held_by(tmp_path)]
    assert len(held) == len(set(held)) == RESULTS_A_STUDY * STUDIES_A_ROUND * rounds
