"""A backup is taken from a service at work, and the service that is restored from it goes on with the work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deliver.peers import a_program, free_port
from tests.e2e.serving import ROOT, held_by, serving, storescp, studies_on_disk, study_uid, until
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.records.words import DeliveryStatus

pytestmark = pytest.mark.e2e

RESULTS_A_STUDY = 2  # report and capture


@pytest.fixture
def models(tmp_path: Path) -> Path:
    a_pack(tmp_path / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(tmp_path / "packs")
    return tmp_path / "packs"


def xray_ai(*arguments: str | Path, root: Path) -> str:
    """Run a command of an operator on a storage; what it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XRAY_AI_STORAGE__ROOT": str(root)}
    command = [sys.executable, "-m", "xray_ai", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_what_was_not_delivered_when_the_backup_was_taken_is_delivered_by_the_restored_service(
    tmp_path: Path, models: Path
) -> None:
    old, new, pacs = tmp_path / "old", tmp_path / "new", free_port()
    old.mkdir()
    new.mkdir()
    with serving(old, {"pacs": pacs}, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 3))
        until(lambda: len(service.deliveries()) == 3 * RESULTS_A_STUDY, "all is reported, and the archive is down")
        xray_ai("backup", tmp_path / "backup", root=old / "storage")

    xray_ai("restore", tmp_path / "backup", root=new / "storage")
    with a_program(storescp(tmp_path), tmp_path) as port, serving(new, {"pacs": port}, models=models) as service:
        until(lambda: service.is_done(3), "the restored service delivers")

    assert {one.StudyInstanceUID for one in held_by(tmp_path)} == {study_uid(number) for number in range(3)}
    assert len(held_by(tmp_path)) == 3 * RESULTS_A_STUDY


def test_a_result_that_was_given_up_is_delivered_once_a_person_says_so(tmp_path: Path, models: Path) -> None:
    refusing = ["storescp", "--refuse", "PORT"]
    with a_program(refusing, tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        service.push(*studies_on_disk(tmp_path / "sent", 1))
        until(lambda: {one.status for one in service.deliveries()} == {DeliveryStatus.DEAD}, "the archive refuses it")

    with a_program(storescp(tmp_path), tmp_path) as port, serving(tmp_path, {"pacs": port}, models=models) as service:
        printed = xray_ai("deliveries", "retry", root=tmp_path / "storage")
        until(lambda: service.is_done(1), "it is tried again")

    assert f"{RESULTS_A_STUDY} deliveries are tried again." in printed
    assert len(held_by(tmp_path)) == RESULTS_A_STUDY
