"""Processes are killed at random moments under load: what got success is read, each result delivered, none twice."""

import os
import random
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.deliver.peers import a_program, free_port
from tests.e2e.serving import (
    MEMBERS,
    XRAY_AI,
    Service,
    held_by,
    is_listening,
    push_until_success,
    serving,
    started,
    storescp,
    storescp_at,
    studies_on_disk,
    until,
)
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.records.words import StudyStatus

pytestmark = pytest.mark.e2e

STUDIES_A_ROUND = 8
RESULTS_A_STUDY = 2  # report and capture
UPGRADED = (sys.executable, "-c", "from xray_ai import cli, durable; durable.PATH_VERSION = 'next'; cli.main()")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    a_pack(tmp_path / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(tmp_path / "packs")
    return tmp_path / "packs"


def push_and_cut(service: Service, victims: tuple[str, ...], round_number: int, draw: random.Random) -> None:
    """Push studies, and kill these members somewhere in the middle."""
    files = studies_on_disk(service.folder / "sent", STUDIES_A_ROUND, first=round_number * STUDIES_A_ROUND)
    pushing = threading.Thread(target=push_until_success, args=(service, files))
    pushing.start()
    for victim in victims:
        time.sleep(draw.uniform(0.0, 1.0))  # not for something to happen, but for the cut to fall anywhere
        service.kill(victim)
    pushing.join()


def cut_the_power(service: Service, models: Path, program: Sequence[str] = XRAY_AI) -> Service:
    """Kill every process at once, and start the service again on what the disk holds."""
    pids = [service.process.pid, *filter(None, map(service.pid_of, MEMBERS))]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    again = started(service.folder, service.port, models, program)
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


def test_a_destination_that_was_down_all_the_time_gets_each_result_once(tmp_path: Path, models: Path) -> None:
    port = free_port()
    with serving(tmp_path, {"pacs": port}, models=models) as service:
        push_and_cut(service, ("reporter", "reader"), 0, random.Random(1))  # noqa: S311 - the same cuts each time
        cut_the_power(service, models)
        planned = RESULTS_A_STUDY * STUDIES_A_ROUND
        until(lambda: sum(one.attempts > 0 for one in service.deliveries()) == planned, "each was tried in vain")
        with storescp_at(port, tmp_path):
            until(lambda: service.is_done(STUDIES_A_ROUND), "all is delivered")

    held = [result.SOPInstanceUID for result in held_by(tmp_path)]
    assert len(held) == len(set(held)) == planned


def test_an_upgrade_of_the_path_ends_what_the_one_before_had_begun(tmp_path: Path, models: Path) -> None:
    files = studies_on_disk(tmp_path / "sent", 9)
    with socket.create_server(("127.0.0.1", 0)) as hung:  # a PACS that takes connections and never answers
        port = hung.getsockname()[1]
        with serving(tmp_path, {"pacs": port}, models=models) as service:
            service.push(*files[:3])
            select.select([hung], [], [])  # some are being delivered
            os.kill(service.pid_of("reporter"), signal.SIGSTOP)
            service.push(*files[3:6])
            until(lambda: {one.status for one in service.studies()} == {StudyStatus.READ}, "the others are read")
            os.kill(service.pid_of("reader"), signal.SIGSTOP)
            service.push(*files[6:])
            hung.close()
            cut_the_power(service, models, UPGRADED)
            with storescp_at(port, tmp_path):
                until(lambda: service.is_done(len(files)), "all is read and delivered")

    held = [result.SOPInstanceUID for result in held_by(tmp_path)]
    assert len(held) == len(set(held)) == RESULTS_A_STUDY * len(files)
