"""Peers for tests, on this machine's loopback: storage SCPs of chosen manners, and lines that break."""

import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydicom import uid
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported

from tests.factories import a_dataset, as_part10
from tests.readings import a_study_result
from xray_ai.deliver.destinations import Destination, Forms
from xray_ai.deliver.storage_scu import associated_for_results
from xray_ai.domain.delivery import ObjectOutcome, Peer, Timeouts
from xray_ai.domain.evidence import ResultOptions, SCForm, SRForm
from xray_ai.results.evidence import compose

STARTS_WITHIN_S = 30
SHORT = Timeouts(connect_s=5.0, association_s=0.5, answer_s=0.5)
PATIENT = Timeouts(connect_s=10.0, association_s=20.0, answer_s=20.0)
Contexts = dict[uid.UID, list[str | uid.UID]]  # SOP class -> transfer syntaxes
EVERYTHING: Contexts = {
    Verification: [uid.ImplicitVRLittleEndian],
    uid.Comprehensive3DSRStorage: [uid.ExplicitVRLittleEndian],
    uid.ComprehensiveSRStorage: [uid.ExplicitVRLittleEndian],
    uid.SecondaryCaptureImageStorage: [uid.JPEGBaseline8Bit, uid.RLELossless, uid.ExplicitVRLittleEndian],
    uid.DigitalXRayImageStorageForPresentation: [uid.ExplicitVRLittleEndian],
}


def a_peer(port: int, timeouts: Timeouts = PATIENT, **changes: str) -> Peer:
    titles = {"ae_title": "PACS1", "calling_ae_title": "XRAY_AI"} | changes
    return Peer("PACS1", titles["ae_title"], "127.0.0.1", port, titles["calling_ae_title"], timeouts)


def a_destination(port: int, **changes: object) -> Destination:
    return Destination(a_peer(port), **changes)  # type: ignore[arg-type]  # any field of a destination


def negotiated_forms(destination: Destination) -> Forms:
    with associated_for_results(destination) as association:
        return association.forms


def send(destination: Destination, objects: Sequence[Path]) -> tuple[ObjectOutcome, ...]:
    with associated_for_results(destination) as association:
        return association.send(objects)


def results(folder: Path, **options: SRForm | SCForm) -> list[Path]:
    """Write the report and the capture of one study; options as of ResultOptions."""
    study = replace(a_study_result(), options=ResultOptions(**options))  # type: ignore[arg-type]  # any of its forms
    evidence = compose(study)
    contents = [evidence.structured_report, *evidence.secondary_captures.values()]
    return [a_part10_file(folder / f"{number}.dcm", content) for number, content in enumerate(contents) if content]


def a_part10_file(path: Path, content: bytes | None = None) -> Path:
    """Write a file; by default a radiograph."""
    path.write_bytes(as_part10(a_dataset()) if content is None else content)
    return path


@dataclass
class StorageScp:
    """A peer that keeps what it gets, as it gets it."""

    port: int = 0
    statuses: Sequence[int] = (0x0000,)  # of the first object, the second and so on; the last for all further ones
    datasets: list[bytes] = field(default_factory=list)
    associations: list[int] = field(default_factory=list)  # how many contexts each proposed

    def keep(self, event: evt.Event) -> int:
        request = event.request
        assert isinstance(request, C_STORE)
        self.datasets.append(b"" if request.DataSet is None else request.DataSet.getvalue())
        return self.statuses[min(len(self.datasets), len(self.statuses)) - 1]

    def count(self, event: evt.Event) -> None:
        self.associations.append(len(event.assoc.requestor.requested_contexts))


@contextmanager
def a_storage_scp(
    contexts: Contexts = EVERYTHING,
    statuses: Sequence[int] = (0x0000,),
    *,
    configure: Callable[[AE], None] = lambda _: None,
) -> Iterator[StorageScp]:
    """Run a peer that takes these contexts and answers objects with these statuses."""
    scp = StorageScp(statuses=statuses)
    ae = AE("PACS1")
    ae.supported_contexts = [build_context(sop_class, syntaxes) for sop_class, syntaxes in contexts.items()]
    configure(ae)
    handlers: list[evt.EventHandlerType] = [(evt.EVT_C_STORE, scp.keep), (evt.EVT_REQUESTED, scp.count)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    scp.port = server.server_address[1]
    try:
        yield scp
    finally:
        ae.shutdown()
        server.server_close()


@contextmanager
def a_line(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen, and treat each connection as told; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        lines = [listener]
        threading.Thread(target=_serve, args=(lines, answer), daemon=True).start()
        yield listener.getsockname()[1]
        for line in lines:
            with suppress(OSError):  # the other side was quicker
                line.shutdown(socket.SHUT_RDWR)


def _serve(lines: list[socket.socket], answer: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):  # the listener is shut down at the end of the test
        while True:
            line, _ = lines[0].accept()
            lines.append(line)
            with line, suppress(OSError):
                answer(line)


def stay_silent(line: socket.socket) -> None:
    """Take everything, say nothing."""
    while line.recv(2**16):
        pass


def hang_up(line: socket.socket) -> None:
    line.recv(1)


def answer_in_http(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    stay_silent(line)


def breaking_after(
    port: int, most_bytes: int, then: Callable[[socket.socket], None]
) -> Callable[[socket.socket], None]:
    """Pass everything on to a peer, and after so many bytes do as told."""

    def answer(line: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as peer:
            threading.Thread(target=_pass_back, args=(peer, line), daemon=True).start()
            passed = 0
            while passed < most_bytes and (content := line.recv(2**14)):
                peer.sendall(content)
                passed += len(content)
            then(line)
            peer.shutdown(socket.SHUT_RDWR)  # closing alone would wait for the thread that reads

    return answer


def _pass_back(peer: socket.socket, line: socket.socket) -> None:
    with suppress(OSError):
        while content := peer.recv(2**14):
            line.sendall(content)


def stop_reading(line: socket.socket) -> None:
    """Hold the line until the end of the test: behind what is not read, nothing says that the other side is gone."""
    gone = select.poll()
    gone.register(line, select.POLLHUP)
    gone.poll()


@contextmanager
def a_program(command: Sequence[str], folder: Path) -> Iterator[int]:
    """Run a peer program, whose command says PORT where its port stands; its port."""
    port = free_port()
    with (folder / "peer.log").open("w") as log:
        process = subprocess.Popen([word.replace("PORT", str(port)) for word in command], stdout=log, stderr=log)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.kill()
            process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTS_WITHIN_S * 20):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "the peer ended before it was up"
        time.sleep(0.05)
    message = "the peer is not up"
    raise TimeoutError(message)
