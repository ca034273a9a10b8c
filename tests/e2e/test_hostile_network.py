"""More than 800 hostile inputs by DICOM and HTTP, in kinds: the whole service stays up, serves others, keeps nothing.

Each kind is sent to one running service. After each, the same processes run, a C-ECHO and a C-STORE of somebody else
are answered, threads, open files and `incoming` are as before, and each connection was logged with its reason.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.process_figures import memory_mb
from bench.raw_scu import P_DATA, RawAssociation, associate_rq, pdu, pdv
from tests.e2e.serving import MEMBERS, Service, serving, until
from tests.hostile.conversations import CONVERSATIONS, MARK, Conversation, radiograph_with, reset
from tests.hostile.requests import REQUESTS, ask
from tests.packs import a_pack, absent, present
from tests.receive.dimse_peers import STORAGE, a_command, a_store, answers_echo, status_after
from tests.scope_packs import a_scope_pack
from xray_ai.records.words import StudyStatus

pytestmark = pytest.mark.e2e

IMPATIENT = "maximum_associations = 8\nacse_timeout_s = 1.0\ndimse_timeout_s = 3.0\nnetwork_timeout_s = 1.5"
PLACES = 8 + 16  # associations, and connections that may negotiate beside them
GROWTH_MB = 48  # what allocators keep, of one kind of input
SPARE_THREADS = 40  # its pool, which grows once
SPARE_FILES = 12  # a pool of connections to SQLite: three files each
LISTENING = ("receiver", "api")
OTHERS_UID = "1.2.826.0.1.3680043.10.9"


@dataclass
class Site:
    """A service under attack, and the others who use it."""

    service: Service
    stored: list[str] = field(default_factory=list)  # the studies of others
    connections: int = 0  # to the DICOM port, others' included

    @property
    def pids(self) -> dict[str, int]:
        return {member: self.service.pid_of(member) for member in MEMBERS}

    def attack(self, conversation: Conversation) -> None:
        self.connections += 1
        conversation.hold(self.service.port)

    def serves_others(self) -> bool:
        """Whether somebody else's C-ECHO and C-STORE succeed at once."""
        self.connections += 2
        uid = f"{OTHERS_UID}.{len(self.stored)}"
        self.stored.append(f"{uid}.1")
        image = radiograph_with(SOPInstanceUID=uid, StudyInstanceUID=f"{uid}.1")
        return (
            answers_echo(self.service.port)
            and status_after(self.service.port, a_store(image, command=a_command(uid))) == 0
        )

    def memory_mb(self) -> float:
        """Of the processes that listen."""
        return memory_mb([self.pids[member] for member in LISTENING])

    def in_use(self) -> dict[str, int]:
        """Threads and open files of the processes that listen, and files in `incoming`."""
        used = {"incoming": len(list((self.service.folder / "storage" / "incoming").iterdir()))}
        for member in LISTENING:
            process = Path("/proc") / str(self.pids[member])
            used[f"files of {member}"] = len(list((process / "fd").iterdir()))
            used[f"threads of {member}"] = len(list((process / "task").iterdir()))
        return used

    def gives_back(self, used: dict[str, int]) -> bool:
        """Whether nothing more is in use than then; the API may fill its pools."""
        allowed = Counter(used) + Counter({"files of api": SPARE_FILES, "threads of api": SPARE_THREADS})
        return all(count <= allowed[what] for what, count in self.in_use().items())

    def reasons(self) -> Counter[str]:
        """How often associations ended for which reason, by the log."""
        ended = [line for line in self.service.log() if line["event"] == "association.ended"]
        return sum((Counter({str(line["reason"]): int(str(line.get("times", 1)))}) for line in ended), Counter())

    def others_are_read(self) -> bool:
        read = {study.study_instance_uid for study in self.service.studies() if study.status is StudyStatus.READ}
        return set(self.stored) <= read


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    a_pack(folder / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(folder / "packs")
    with serving(folder, models=folder / "packs", storage_scp=IMPATIENT) as service:
        site = Site(service)
        until(lambda: service.ask("/readyz")[0] == 200, "the service is ready")
        for _ in range(20):  # pools and caches are filled
            assert site.serves_others()
            service.ask("/api/worklist")
        until(site.others_are_read, "the first are read")
        until(lambda: bool(site.reasons()), "it logs")
        site.connections = sum(site.reasons().values())
        yield site


@contextmanager
def unharmed(site: Site) -> Iterator[None]:
    """Whatever happens meanwhile, nothing of it stays, and all of it is logged."""
    pids, used, memory = site.pids, site.in_use(), site.memory_mb()
    files = set(site.service.folder.iterdir())
    yield
    assert site.serves_others()
    until(lambda: site.gives_back(used), f"all is given back, {used}")
    until(lambda: sum(site.reasons().values()) >= site.connections, "each connection is logged")
    until(site.others_are_read, "others' images are read")
    assert site.pids == pids
    assert site.memory_mb() - memory < GROWTH_MB
    assert set(site.service.folder.iterdir()) == files
    log = site.service.log_file.read_text("utf-8")
    assert [line for line in log.splitlines() if not line.startswith("{")] == []
    assert MARK not in log
    assert '"defect": "' not in log
    assert "request.failed" not in log


@pytest.mark.parametrize("kind", CONVERSATIONS)
def test_conversations_that_nobody_should_hold_harm_nobody(site: Site, kind: str) -> None:
    with unharmed(site):
        for conversation in CONVERSATIONS[kind]():
            site.attack(conversation)


@pytest.mark.parametrize("said", [b"", b"\x01", associate_rq(STORAGE)[:50]], ids=["silent", "a byte", "half a request"])
def test_connections_held_half_open_keep_nobody_out(site: Site, said: bytes) -> None:
    with unharmed(site), ExitStack() as stack:
        for _ in range(10 * PLACES):
            site.connections += 1
            with suppress(ConnectionError):
                stack.enter_context(RawAssociation(site.service.port)).send(said)
        assert site.serves_others()


def test_thousands_of_tiny_connections_leave_nothing(site: Site) -> None:
    with unharmed(site):
        for number in range(2_000):
            site.connections += 1
            connection = RawAssociation(site.service.port).socket
            reset(connection) if number % 2 else connection.close()


def test_senders_of_a_few_bytes_a_second_are_ended(site: Site) -> None:
    with unharmed(site):
        senders = [threading.Thread(target=drip, args=(site.service.port,)) for _ in range(6)]
        site.connections += len(senders)
        for sender in senders:
            sender.start()
        assert site.serves_others()
        for sender in senders:
            sender.join()

    assert site.reasons()["too slow"] >= len(senders)


def drip(port: int) -> None:
    """Send a dataset a byte at a time, until the service ends it."""
    pause = threading.Event()
    with suppress(OSError), RawAssociation(port) as association:
        association.associate(STORAGE)
        association.send(a_command())
        while True:
            association.send(pdu(P_DATA, pdv(1, 0, b"x")))
            pause.wait(0.2)


def test_one_host_that_takes_all_associations_is_told_so_and_ended(site: Site) -> None:
    with unharmed(site), ExitStack() as stack:
        for _ in range(2 * PLACES):
            site.connections += 1
            association = stack.enter_context(RawAssociation(site.service.port))
            with suppress(ConnectionError):
                association.associate(STORAGE)

    assert site.reasons()["rejected: too many associations"] > 0


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_that_nobody_should_make_harm_nobody(site: Site, kind: str) -> None:
    with unharmed(site):
        for request in REQUESTS[kind]():
            assert ask(site.service.http_port, request)[:3] in {
                "",
                "200",
                "307",
                "400",
                "401",
                "403",
                "404",
                "405",
                "422",
            }
        assert site.service.ask("/healthz")[0] == 200


def test_http_connections_held_open_keep_nobody_out(site: Site) -> None:
    with unharmed(site), ExitStack() as stack:
        for number in range(1_500):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", site.service.http_port)))
            with suppress(ConnectionError):
                connection.sendall(b"GET / HTTP/1.1\r\n"[: number % 17])
        assert site.service.ask("/healthz")[0] == 200


def test_the_inputs_are_as_many_as_promised() -> None:
    inputs = sum(len(list(kind())) for kind in (*CONVERSATIONS.values(), *REQUESTS.values()))

    assert inputs >= 800
