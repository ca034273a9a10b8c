"""Our application entity where it calls: pynetdicom, on a connection that tells how it ended and never waits for ever.

pynetdicom keeps to itself why a connection failed, waits without end for a peer that stops reading, queues a whole file
before its first byte is sent, and makes one PDU of it where the peer sets no limit. Each is mended here.
"""

import queue
import socket
import struct
from ssl import SSLContext
from typing import TypeVar

from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import DimseServiceType
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import MaximumLengthNotification
from pynetdicom.transport import AddressInformation, AssociationSocket

from xray_ai.domain.delivery import Peer
from xray_ai.results.part10_bytes import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_config.STORE_SEND_CHUNKED_DATASET = True  # a file goes as it is, piece by piece
_config.LOG_HANDLER_LEVEL = "none"  # it would describe each PDU, at its cost

LARGEST_PDU = 2**17  # bytes at a time, where the peer sets no limit or a higher one
MOST_PDUS_WAITING = 8
LOOK_AGAIN_S = 0.2

T = TypeVar("T")
Answer = tuple[None, None] | tuple[int, DimseServiceType]


class Line(socket.socket):
    """A TCP connection that remembers how it ended, and on which no wait is endless."""

    failure: OSError | None = None
    is_connected = False
    has_heard = False  # anything at all from the peer

    def make_prompt(self, standstill_s: float) -> None:
        """Send small pieces at once, and give up when nothing moves."""
        limit = struct.pack("ll", int(standstill_s), int(standstill_s % 1 * 1e6))
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)

    def connect(self, address: tuple[str, int] | tuple[str, int, int, int], /) -> None:  # type: ignore[override]  # no other is used
        try:
            super().connect(address)
        except OSError as error:
            self.failure = error
            raise
        self.is_connected = True

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        try:
            content = super().recv(bufsize, flags)
        except OSError as error:
            self.failure = error
            raise
        if content:
            self.has_heard = True
        else:
            self.failure = ConnectionResetError()
        return content

    def send(self, content: bytes, flags: int = 0, /) -> int:  # type: ignore[override]  # only bytes are sent here
        try:
            return super().send(content, flags)
        except OSError as error:
            self.failure = error
            raise


class CallingAE(AE):
    """Our AE for one association."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(ae_title=peer.calling_ae_title)
        self._standstill_s = peer.timeouts.answer_s
        self.lines: list[Line] = []
        self.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        self.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        self.connection_timeout = peer.timeouts.connect_s
        self.acse_timeout = peer.timeouts.association_s
        self.dimse_timeout = peer.timeouts.answer_s
        self.network_timeout = None  # between two objects we may be busy ourselves

    @property
    def line(self) -> Line:
        """The connection of the last association asked for."""
        return self.lines[-1]

    def _create_socket(
        self, assoc: Association, address: AddressInformation, tls_args: tuple[SSLContext, str] | None
    ) -> AssociationSocket:
        wrapped = super()._create_socket(assoc, address, tls_args)
        if wrapped.socket is not None:
            self.lines.append(Line(fileno=wrapped.socket.detach()))
            self.line.make_prompt(self._standstill_s)
            wrapped.socket = self.line
        return wrapped


def bound_memory(association: Association) -> None:
    """Keep no more than a few PDUs in memory, however large the object and however slow the peer."""
    association.dul.to_provider_queue = _Sluice(association.dul)
    limits = [item for item in association.acceptor.user_information if isinstance(item, MaximumLengthNotification)]
    if not limits:
        limits = [MaximumLengthNotification()]
        association.acceptor.user_information.extend(limits)
    for limit in limits:
        if not 0 < limit.maximum_length_received <= LARGEST_PDU:
            limit.maximum_length_received = LARGEST_PDU


def keep_answers(association: Association) -> None:
    """Leave each answer to the one who waits for it.

    pynetdicom's own thread looks for requests of the peer, and pauses for ours with a gap in which it takes the answer:
    then we would wait for it in vain until the time limit. As an SCU we have no requests to expect.
    """
    take = association.dimse.get_msg

    def awaited(block: bool = False) -> Answer:  # noqa: FBT001, FBT002 - the signature is the library's
        return take(block) if block else (None, None)

    association.dimse.get_msg = awaited  # type: ignore[method-assign]  # the gap is in the library


class _Sluice(queue.Queue[T]):
    """What waits to be sent: a few PDUs at most, and nothing once nobody sends any more."""

    def __init__(self, sender: DULServiceProvider) -> None:
        super().__init__(maxsize=MOST_PDUS_WAITING)
        self._sender = sender

    def put(self, item: T, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002 - the signature is the library's
        """Wait for room as long as there is a sender."""
        while self._sender.is_alive():
            try:
                super().put(item, timeout=LOOK_AGAIN_S)
            except queue.Full:
                continue
            return
