"""Our application entity: its titles, what it takes, who may associate, and how it stops."""

import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydicom.uid import UID
from pynetdicom import _config
from pynetdicom.ae import ApplicationEntity as LibraryEntity
from pynetdicom.transport import AssociationServer

from xray_ai import log
from xray_ai.domain.priority import Priority
from xray_ai.errors import OperatorNeeded
from xray_ai.receive.admission import STOPPING, TOO_MANY, Admission, Caller, Rejection
from xray_ai.receive.event_limit import EventLimit
from xray_ai.receive.served_association import ServedAssociation
from xray_ai.receive.storage_scp import Door, StorageScp, storage_contexts
from xray_ai.receive.verification_scp import verification_context
from xray_ai.results.part10_bytes import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

UNLIMITED = 0
SPARE_CONNECTIONS = 16  # that may negotiate, or be told why not, while all associations are taken
GIVES_WAY_S = 0.5
POLL_S = 0.1

# The library logs each message at length, names of patients among them, and tracebacks to standard error.
_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


class PortNotAvailable(OperatorNeeded):
    """We cannot listen where we are told to."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"The DICOM port {port} of {host} cannot be opened: {reason}.",
            remedy="Stop what uses it, or choose another storage_scp.host or storage_scp.port.",
        )


@dataclass(frozen=True, slots=True)
class StorageScpSettings:
    """Where we listen, to whom, and for what."""

    ae_titles: frozenset[str] = frozenset({"XRAY_AI"})
    ordered_priorities: Mapping[str, Priority] = field(
        default_factory=lambda: MappingProxyType({})
    )  # by AE title of ours
    host: str = "127.0.0.1"
    port: int = 11112  # 0: any that is free
    calling_ae_titles: frozenset[str] = frozenset()
    calling_hosts: frozenset[str] = frozenset()
    more_sop_classes: frozenset[str] = frozenset()
    maximum_associations: int = 32
    acse_timeout_s: float = 30.0  # from the connection to the whole request for an association
    dimse_timeout_s: float = 600.0  # from the first to the last byte of one C-STORE
    network_timeout_s: float = 60.0  # of silence


class ApplicationEntity:
    """Listens from `start` to `stop`."""

    def __init__(self, settings: StorageScpSettings, door: Door) -> None:
        self._settings = settings
        self._storage = StorageScp(door, settings.ordered_priorities)
        self._admission = Admission(settings.ae_titles, settings.calling_ae_titles, settings.calling_hosts)
        self._endings = EventLimit("association.ended")
        self._server = _Server(settings, self._serve, self._make_room, self._endings)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), name="associations")
        self._connected: list[ServedAssociation] = []  # the oldest first
        self._admitted: set[ServedAssociation] = set()
        self._lock = threading.Lock()
        self._is_stopping = False

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()
        log.event("receiver.started", host=self._settings.host, port=self.port)

    def stop(self, deadline_s: float) -> None:
        """Stop listening, let running C-STOREs end, and abort those that are late."""
        self._is_stopping = True
        socketserver.BaseServer.shutdown(self._server)
        self._thread.join()
        self._server.server_close()
        deadline = time.monotonic() + deadline_s
        running = self._living()
        for association in running:
            association.finish()
        for association in running:
            association.join(max(deadline - time.monotonic(), 0))
        late = self._living()
        for association in late:
            association.dul.stream.hang_up()
        self._endings.tell_counted(at_once=True)
        log.event("receiver.stopped", cut_off=len(late))

    def _serve(self, connection: socket.socket) -> None:
        association = ServedAssociation(
            self._server, connection, self._storage.receive, self._admit, self._endings.tell
        )
        with self._lock:
            self._connected.append(association)
        try:
            association.start()
        except RuntimeError:  # no more threads
            self._connected.remove(association)
            association.dul.stream.dispose()
            raise

    def _make_room(self) -> bool:
        """Whether another connection can be taken; for its sake the oldest goes that has not been admitted yet."""
        most = self._settings.maximum_associations + SPARE_CONNECTIONS
        living = self._living()
        if len(living) >= most:
            not_admitted = [one for one in living if one not in self._admitted]
            for one in not_admitted[:1]:
                one.give_way(GIVES_WAY_S)
        return len(self._living()) < most

    def _living(self) -> list[ServedAssociation]:
        """All that are connected; those that have ended are forgotten."""
        with self._lock:
            self._connected = [one for one in self._connected if one.is_alive() or one.ident is None]
            self._admitted.intersection_update(self._connected)
            return list(self._connected)

    def _admit(self, association: ServedAssociation, caller: Caller) -> Rejection | None:
        rejection = STOPPING if self._is_stopping else self._admission.rejection_of(caller)
        if rejection is not None:
            return rejection
        self._living()
        with self._lock:
            if sum(not one.is_over for one in self._admitted) >= self._settings.maximum_associations:
                return TOO_MANY
            self._admitted.add(association)
        return None


class _Server(AssociationServer):
    """The listening socket; it accepts whoever calls while there is room, and leaves the rest to the association."""

    request_queue_size = 128

    def __init__(
        self,
        settings: StorageScpSettings,
        serve: Callable[[socket.socket], None],
        make_room: Callable[[], bool],
        endings: EventLimit,
    ) -> None:
        self._serve, self._make_room, self._endings = serve, make_room, endings
        try:
            super().__init__(
                _library_entity(settings),
                (settings.host, settings.port),
                min(settings.ae_titles),
                [verification_context(), *storage_contexts(settings.more_sop_classes)],
            )
        except OSError as error:
            raise PortNotAvailable(settings.host, settings.port, error.strerror or type(error).__name__) from error

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401, ARG002 - the library's signature
        if self._make_room():
            return True
        self._endings.tell("closed unheard: too many connections", str(client_address[0]))
        return False

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the library's signature
        self._serve(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the library's signature
        self._endings.tell("it could not be begun", str(client_address[0]))

    def service_actions(self) -> None:
        """The library collects all garbage here, which stops every association for as long; this counts instead."""
        self._endings.tell_counted()


def _library_entity(settings: StorageScpSettings) -> LibraryEntity:
    entity = LibraryEntity(min(settings.ae_titles))
    entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = UNLIMITED
    entity.maximum_associations = settings.maximum_associations + SPARE_CONNECTIONS  # `_admit` counts
    entity.acse_timeout = settings.acse_timeout_s
    entity.dimse_timeout = settings.dimse_timeout_s
    entity.network_timeout = settings.network_timeout_s
    return entity


@contextmanager
def listening(settings: StorageScpSettings, door: Door, deadline_s: float = 10.0) -> Iterator[ApplicationEntity]:
    """An application entity for as long as it is needed. Raises PortNotAvailable."""
    entity = ApplicationEntity(settings, door)
    entity.start()
    try:
        yield entity
    finally:
        entity.stop(deadline_s)
