"""A process dies between any two effects of the path: what got success is read, and each result delivered once."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.peers import a_program
from tests.e2e.serving import Service, held_by, push_until_success, serving, storescp, studies_on_disk, until
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack
from xray_ai.records.words import StudyStatus

pytestmark = pytest.mark.e2e

MORTAL = (sys.executable, str(Path(__file__).with_name("mortal_service.py")))
RESULTS_A_STUDY = 2  # report and capture
STEPS = {
    "the bytes are synced and have no name": "receiver after xray_ai.objects:Incoming.settle",
    "the bytes have a name that is not synced": "receiver after xray_ai.objects:os.link",
    "the bytes are safe and have no row": "receiver after xray_ai.objects:LocalObjects.keep",
    "the row is not committed": "receiver after xray_ai.receive.arrivals:ArrivalRecorder.record_all",
    "the row is committed, the answer not sent": "receiver after xray_ai.receive.intake:Intake.take",
    "reading is claimed": "reader before read_radiograph",
    "the image is read, the outcome not kept": "reader after xray_ai.pipeline:triage_file",
    "the outcome is kept and not recorded": "reader after xray_ai.objects:LocalObjects.put",
    "the outcome is not committed": "reader after xray_ai.durable:Jobs.enqueue_in",
    "the outcome is committed": "reader after read_radiograph",
    "reporting is claimed": "reporter before report_study",
    "the report is composed and not recorded": "reporter after xray_ai.composition:Composer.compose",
    "the report is not committed": "reporter after xray_ai.durable:Jobs.enqueue_in",
    "the report is committed, its delivery enqueued": "reporter after report_study",
    "delivering is claimed": "reporter before deliver_evidence",
    "one result of two is sent": "reporter after xray_ai.deliver.association:OpenAssociation.store",
    "all is sent and nothing noted": "reporter after xray_ai.deliver.storage_scu:ResultsAssociation.send",
    "one note is made and not committed": "reporter after xray_ai.outbox:note",
    "all is noted and committed": "reporter after deliver_evidence",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that dies where it is told to, and its PACS, which keeps all that comes, repeats too."""
    folder = tmp_path_factory.mktemp("service")
    a_pack(folder / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(folder / "packs")
    functions = {place.split()[-1] for place in STEPS.values()}
    (folder / "wrapped.json").write_text(json.dumps([one for one in functions if ":" in one]), "utf-8")
    pacs = [*storescp(folder), "--unique-filenames"]
    with (
        a_program(pacs, folder) as port,
        serving(folder, {"pacs": port}, models=folder / "packs", program=MORTAL) as running,
    ):
        yield running


def killed(service: Service) -> int:
    return sum(line.get("event") == "process.ended" and line.get("code") == -9 for line in service.log())


def contents_by_uid(service: Service) -> dict[str, set[bytes]]:
    """What the PACS holds: each result, with all contents under which it came."""
    contents: dict[str, set[bytes]] = defaultdict(set)
    for result in held_by(service.folder):
        contents[str(result.SOPInstanceUID)].add(result.to_json().encode())
    return contents


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_lost_or_doubled_when_the_process_dies_where(service: Service, step: str) -> None:
    studies, deaths = len(service.studies()) + 1, killed(service)
    (service.folder / "die_at").write_text(STEPS[step], "utf-8")

    push_until_success(service, studies_on_disk(service.folder / "sent", 1, first=studies))

    until(lambda: killed(service) == deaths + 1, "the process dies")
    until(lambda: service.is_done(studies), "all is read and delivered")
    assert {study.status for study in service.studies()} == {StudyStatus.READ}
    held = contents_by_uid(service)
    assert len(held) == len(service.deliveries()) == RESULTS_A_STUDY * studies
    assert all(len(contents) == 1 for contents in held.values())
