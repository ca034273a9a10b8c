"""The demonstration: the whole service on its defaults, to which two real radiographs are pushed by C-STORE."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from xray_ai.app import open_objects, open_records
from xray_ai.config import Settings
from xray_ai.deliver.destinations import Destination
from xray_ai.deliver.storage_scu import send_files
from xray_ai.deliver.verification_scu import echo
from xray_ai.domain.delivery import Peer
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.errors import OperatorNeeded, PeerUnavailable
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10
from xray_ai.objects import LocalObjects
from xray_ai.records import evidence, studies
from xray_ai.records.database import reading
from xray_ai.records.studies import Study
from xray_ai.records.words import StudyStatus

DEMO_FILES = ("RG1_UNCR.dcm", "RG3_UNCR.dcm")  # a chest full of masses, and a tibia that must be refused
WITHIN_S = 120.0
LOOK_AGAIN_S = 0.2
DOCTOR = "Run `xray-ai doctor`."
LOG_FILE = "demo.log"


@dataclass(frozen=True, slots=True)
class Shown:
    """The worklist line of a study that was pushed, and where its results lie."""

    study: Study
    results: tuple[Path, ...]
    is_reported: bool


def demo_images() -> tuple[Path, ...]:
    """Find the images of pydicom-data. Raises OperatorNeeded."""
    try:
        folder = Path(str(files("data_store"))) / "data"
    except ModuleNotFoundError as error:
        raise OperatorNeeded(
            "The demonstration images are not installed.", remedy="pip install 'xray-ai[cpu,demo]'."
        ) from error
    return tuple(folder / name for name in DEMO_FILES)


@contextmanager
def running_service(settings: Settings, config: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run `xray-ai serve` until the end; its log lies beside its data. Raises OperatorNeeded."""
    given = ("--config", str(config)) if config else ()
    settings.storage.root.mkdir(parents=True, exist_ok=True)
    with (settings.storage.root / LOG_FILE).open("ab") as log:
        command = (sys.executable, "-m", "xray_ai", "serve", *given)
        process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603 - this program's own
        try:
            _until(lambda: _answers(settings, process))
            yield process
        finally:
            process.terminate()
            process.wait()


def push(settings: Settings, images: Sequence[Path]) -> tuple[StudyInstanceUID, ...]:
    """Send the images by C-STORE; the studies that they belong to. Raises PeerUnavailable."""
    for outcome in send_files(images, _ourselves(settings)):
        if outcome.failure is not None:
            raise outcome.failure
    return tuple(header_of(open_part10(image)).study_instance_uid for image in images)


def watch(settings: Settings, pushed: Sequence[StudyInstanceUID]) -> Iterator[tuple[Shown, ...]]:
    """The worklist each time it changes, until every study is judged and reported. Raises OperatorNeeded."""
    last: tuple[Shown, ...] = ()
    deadline = time.monotonic() + WITHIN_S
    with open_records(settings) as engine, open_objects(settings) as objects:
        while not (last and all(line.is_reported for line in last)):
            _sleep_until_next_look(deadline)
            now = tuple(_shown(engine, objects, uid) for uid in pushed)
            if now != last:
                yield now
            last = now


def went_as_it_should(chest: Shown, tibia: Shown) -> bool:
    is_refused = tibia.study.status is StudyStatus.NOT_READ and not tibia.results
    return chest.study.status is StudyStatus.READ and len(chest.results) > 1 and is_refused


def _shown(engine: Engine, objects: LocalObjects, uid: StudyInstanceUID) -> Shown:
    with reading(engine) as connection:
        study, made = studies.find(connection, uid), evidence.newest(connection, uid)
    if study is None:
        raise OperatorNeeded("A study that was sent is not on the worklist.", remedy=DOCTOR)
    results = tuple(objects.path(one.digest) for one in made.objects) if made else ()
    return Shown(study, results, is_reported=made is not None)


def _ourselves(settings: Settings) -> Peer:
    scp = settings.storage_scp
    host = "127.0.0.1" if scp.host in {"0.0.0.0", "::"} else scp.host  # noqa: S104 - it is compared with
    return Peer("demo", min(scp.ae_titles), host, scp.port, "DEMO")


def _answers(settings: Settings, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise OperatorNeeded(
            "The service ended as soon as it was started.",
            remedy=f"{settings.storage.root / LOG_FILE} says why; perhaps it is running already.",
        )
    with suppress(PeerUnavailable):
        return echo(Destination(_ourselves(settings))).status == 0
    return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        _sleep_until_next_look(deadline)


def _sleep_until_next_look(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise OperatorNeeded(f"The demonstration did not end within {WITHIN_S:g} s.", remedy=DOCTOR)
    time.sleep(LOOK_AGAIN_S)
