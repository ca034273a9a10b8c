"""`xray-ai serve` as a process of its own on free ports, and what is asked of it and of the peers around it."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from sqlalchemy import Engine, inspect, select

from tests.deliver.peers import free_port
from tests.factories import a_dataset, as_part10, some_pixels
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import deliveries, worklist
from xray_ai.records.database import open_database, reading
from xray_ai.records.deliveries import Delivery
from xray_ai.records.studies import Study
from xray_ai.records.tables import received_instances
from xray_ai.records.words import DeliveryStatus, StudyStatus
from xray_ai.records.worklist import WorklistQuery

ROOT = Path(__file__).parents[2]
WITHIN_S = 240  # of a machine that does much else
LOG_FILE = "service.log"
XRAY_AI = (sys.executable, "-m", "xray_ai")
MEMBERS = ("receiver", "reader", "reporter", "api")
CONFIG = """
[log]
level = "INFO"
[storage]
root = "{folder}/storage"
least_free_share = 0.0
least_free_bytes = 0
[records]
{records}
[storage_scp]
port = {port}
{storage_scp}
[http]
port = {http_port}
[engine]
study_quiet_s = 0.5
[deliveries]
first_wait_s = 0.5
longest_wait_s = 2.0
"""
DESTINATION = """
[[destinations]]
name = "{name}"
ae_title = "ANY"
host = "127.0.0.1"
port = {port}
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: it did not come to pass within {WITHIN_S} s"
        time.sleep(0.1)


@dataclass
class Service:
    """A running service."""

    folder: Path
    port: int
    http_port: int
    process: subprocess.Popen[bytes]
    engine: Engine
    log_file: Path

    def log(self) -> list[dict[str, object]]:
        """What was logged so far; a line that is half written is left out."""
        lines = self.log_file.read_text("utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]

    def pid_of(self, member: str) -> int:
        """The process that runs as this member now; 0 while there is none."""
        started = [
            line["pid"]
            for line in self.log()
            if line.get("event") == "process.started" and line.get("process") == member
        ]
        pid = started[-1] if started else 0
        return pid if isinstance(pid, int) and _is_alive(pid) else 0

    def kill(self, member: str) -> None:
        """Kill a member as a power cut would, if it runs."""
        pid = self.pid_of(member)
        if pid:
            os.kill(pid, signal.SIGKILL)

    def push(self, *files: Path) -> list[bool]:
        """Push files by storescu, each on an association of its own; whether each got success."""
        return [self.call("storescu", "-R", str(file)).returncode == 0 for file in files]

    def call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a peer's program against the receiver."""
        command = [program, "-aec", "XRAY_AI", *[one for one in arguments if one.startswith("-")]]
        files = [one for one in arguments if not one.startswith("-")]
        command += ["127.0.0.1", str(self.port), *files]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)

    def ask(self, path: str) -> tuple[int, Any]:
        """What the API answers: status and content."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def studies(self) -> tuple[Study, ...]:
        with reading(self.engine) as connection:
            return worklist.page(connection, WorklistQuery(1000)).items

    def received(self) -> set[str]:
        with reading(self.engine) as connection:
            return set(connection.execute(select(received_instances.c.sop_instance_uid)).scalars())

    def everything_recorded(self) -> dict[str, str]:
        """All rows of each table, the engine's too, as text."""
        with reading(self.engine) as connection:
            names = inspect(connection).get_table_names()
            return {name: repr(connection.exec_driver_sql(f"SELECT * FROM {name}").all()) for name in names}  # noqa: S608

    def deliveries(self) -> tuple[Delivery, ...]:
        with reading(self.engine) as connection:
            return deliveries.page(connection, 10_000).items

    def is_done(self, count: int) -> bool:
        """Whether so many studies were judged and each result is delivered."""
        listed, sent = self.studies(), self.deliveries()
        is_judged = len(listed) == count and all(study.status is not StudyStatus.RECEIVED for study in listed)
        with_results = {one.study_instance_uid for one in sent}
        read = {study.study_instance_uid for study in listed if study.status is StudyStatus.READ}
        return is_judged and read <= with_results and all(one.status is DeliveryStatus.DELIVERED for one in sent)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(WITHIN_S)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def serving(
    folder: Path,
    destinations: dict[str, int] | None = None,
    *,
    models: Path | None = None,
    records_url: str | None = None,
    program: Sequence[str] = XRAY_AI,
    storage_scp: str = "",
) -> Iterator[Service]:
    """Run the service with these destinations, name to port, until the end of the test; by default on SQLite."""
    port = free_port()
    records = f'url = "{records_url}"' if records_url else ""
    site = CONFIG.format(folder=folder, port=port, http_port=free_port(), records=records, storage_scp=storage_scp)
    tables = [DESTINATION.format(name=name, port=number) for name, number in (destinations or {}).items()]
    (folder / "xray-ai.toml").write_text("".join([site, *tables]), "utf-8")
    service = started(folder, port, models, program)
    try:
        until(lambda: is_listening(service), "the receiver listens")
        yield service
    finally:
        service.process.terminate()
        try:
            service.process.wait(60)
        except subprocess.TimeoutExpired:
            service.process.kill()
        service.engine.dispose()


def started(folder: Path, port: int, models: Path | None = None, program: Sequence[str] = XRAY_AI) -> Service:
    """Start it, and do not wait."""
    process = process_of(folder, models, "serve", program=program)
    config = tomllib.loads((folder / "xray-ai.toml").read_text("utf-8"))
    engine = open_database(config["records"].get("url", f"sqlite:///{folder}/storage/records.sqlite"))
    return Service(folder, port, config["http"]["port"], process, engine, folder / LOG_FILE)


def process_of(
    folder: Path, models: Path | None, *command: str, program: Sequence[str] = XRAY_AI
) -> subprocess.Popen[bytes]:
    """Start a command of the service with the configuration in this folder."""
    environment = {key: word for key, word in os.environ.items() if not key.startswith("XRAY_AI_")}
    environment |= {"PYTHONPATH": str(ROOT)}
    if models is not None:
        environment |= {"XRAY_AI_MODELS__ROOT": str(models)}
    with (folder / LOG_FILE).open("ab") as log:
        whole = [*program, *command, "--config", str(folder / "xray-ai.toml")]
        return subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment)


def is_listening(service: Service) -> bool:
    assert service.process.poll() is None, service.log_file.read_text("utf-8")[-2000:]
    return service.call("echoscu").returncode == 0


def push_until_success(service: Service, files: list[Path]) -> None:
    """Push each as a modality does: again, until it gets success."""
    for file in files:
        while service.push(file) != [True]:
            time.sleep(0.1)


def studies_on_disk(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """Write radiographs, each a study of its own."""
    folder.mkdir(exist_ok=True)
    files = []
    for number in range(first, first + count):
        uid = f"1.2.826.0.1.3680043.10.{number + 100}"
        dataset = a_dataset(some_pixels(128, 96), SOPInstanceUID=f"{uid}.1", StudyInstanceUID=uid)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        files.append(folder / f"{number}.dcm")
        files[-1].write_bytes(as_part10(dataset))
    return files


def storescp(folder: Path) -> Sequence[str]:
    """A peer that keeps what it gets."""
    (folder / "held").mkdir(exist_ok=True)
    return ["storescp", "+B", "+xa", "-od", str(folder / "held"), "PORT"]


@contextmanager
def storescp_at(port: int, folder: Path) -> Iterator[None]:
    """A peer that comes only now to the port where a destination was expected; it keeps repeats apart."""
    command = [word.replace("PORT", str(port)) for word in storescp(folder)]
    with subprocess.Popen([command[0], "--unique-filenames", *command[1:]]) as peer:
        yield
        peer.kill()


def held_by(folder: Path) -> list[Dataset]:
    return [dcmread(file) for file in sorted((folder / "held").iterdir())]


def study_uid(number: int) -> StudyInstanceUID:
    return StudyInstanceUID(f"1.2.826.0.1.3680043.10.{number + 100}")
