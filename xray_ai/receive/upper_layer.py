"""pynetdicom's upper layer (PS3.8), made to wake on events and to hand datasets on as they arrive.

pynetdicom 3.0.4 sleeps a millisecond before each look at the network, walks its state machine once a PDU, and hands
each dataset from thread to thread. Here a dataset is read in one go, in the thread that reads the network, and the
C-STORE is answered by that thread: so a sender that does not wait for answers is not read any further either.
"""

import queue
import struct
import time
from collections.abc import Callable
from typing import Any, Protocol

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.presentation import PresentationContext

from xray_ai.imaging.attributes import attempt
from xray_ai.receive.association_stream import AssociationStream

P_DATA_TF = 0x04
HEADER_OF_PDU = 6
LENGTH_BYTES, HEADER_BYTES = 4, 2  # of a presentation data value: its length, then context ID and control header
HEADER_OF_VALUE = LENGTH_BYTES + HEADER_BYTES
ESTABLISHED = "Sta6"
CLOSING = "Sta13"
LONGEST_CONTROL_PDU = 2**19  # an A-ASSOCIATE-RQ of 128 presentation contexts has some 100 kB
LONGEST_COMMAND = 2**16
CONNECTION_CLOSED = "Evt17"
INVALID_PDU = "Evt19"


class Reception(Protocol):
    """One C-STORE request as its dataset arrives. Its methods raise nothing."""

    def write(self, fragment: memoryview) -> None:
        """Take the next piece of the dataset; it is valid during this call only."""

    def finish(self) -> Dataset:
        """Take the whole, and answer with a Status."""

    def discard(self) -> None:
        """Forget it; also after `finish`."""


Receive = Callable[[Association, C_STORE, PresentationContext], Reception]


class _MalformedPDU(Exception):
    """What arrived is no PDU that an SCU may send now."""


class UpperLayer(DULServiceProvider):
    """The reactor of one association."""

    def __init__(self, association: Association, receive: Receive) -> None:
        super().__init__(association)
        self.daemon = True
        self.fault = ""  # what was wrong with what arrived, for the log
        self.is_stopping = False
        self._run_loop_delay = 0.0  # `AssociationStream.ready` waits in its stead
        self.to_user_queue = _RingingQueue(self._wake_association)
        self._receive = receive
        self._reception: Reception | None = None
        self._request = C_STORE()
        self._context_id = 0
        self._command_bytes = 0

    @property
    def stream(self) -> AssociationStream:
        if not isinstance(self.socket, AssociationStream):
            raise TypeError
        return self.socket

    @property
    def is_receiving(self) -> bool:
        return self._reception is not None

    def idle_timer_expired(self) -> bool:
        """While a dataset arrives, its own deadline counts."""
        return not self.is_receiving and super().idle_timer_expired()

    def send_pdu(self, primitive: Any) -> None:  # noqa: ANN401 - any of the library's primitives
        super().send_pdu(primitive)
        self.stream.ring()

    def run_reactor(self) -> None:
        """Serve the association until it ends, and leave nothing behind, however it ends."""
        attempt(super().run_reactor)
        if self._reception is not None:
            self._reception.discard()
        self.stream.dispose()
        self.to_user_queue.put(None)  # type: ignore[arg-type]  # as at a timeout: nobody need wait for a request

    def _wake_association(self) -> None:
        self.assoc.dimse.msg_queue.put((None, None))

    def _is_transport_event(self) -> bool:
        if self.state_machine.current_state == CLOSING:
            self.stream.close()
            return True
        return super()._is_transport_event()

    def _read_pdu_data(self) -> None:
        try:
            if self._reception is None:
                self.stream.deadline = time.monotonic() + self._allowed_s()
            self._read_pdu()
        except _MalformedPDU as malformed:
            self.fault = str(malformed)
            self.event_queue.put(INVALID_PDU)
        except OSError as error:
            if isinstance(error, TimeoutError):
                self.fault = "too slow"
            self.event_queue.put(CONNECTION_CLOSED)
        finally:
            if self._reception is None:
                self.stream.deadline = None

    def _allowed_s(self) -> float:
        is_established = self.state_machine.current_state == ESTABLISHED
        return float((self.assoc.dimse_timeout if is_established else self.assoc.acse_timeout) or 0)

    def _read_pdu(self) -> None:
        kind, length = self._pdu_header()
        if kind != P_DATA_TF or self.state_machine.current_state != ESTABLISHED:
            if length > LONGEST_CONTROL_PDU:
                raise _MalformedPDU("a PDU too long")
            self.stream.peek(HEADER_OF_PDU + length, self._write)
            super()._read_pdu_data()
            return
        self._read_fragments(length)
        while self._reception is not None:
            kind, length = self._pdu_header()
            if kind != P_DATA_TF:
                return
            self._read_fragments(length)

    def _pdu_header(self) -> tuple[int, int]:
        kind, length = struct.unpack(">BxL", self.stream.peek(HEADER_OF_PDU, self._write))
        return kind, length

    def _read_fragments(self, left: int) -> None:
        """Read one P-DATA-TF PDU.

        Source: PS3.8 9.3.5 and annex E.2.
        """
        self.stream.skip(HEADER_OF_PDU)
        if not left:
            raise _MalformedPDU("a P-DATA-TF PDU without a value")
        while left:
            length, context_id, control = struct.unpack(">LBB", self.stream.peek(HEADER_OF_VALUE, self._write))
            self.stream.skip(HEADER_OF_VALUE)
            if not HEADER_BYTES <= length <= left - LENGTH_BYTES:
                raise _MalformedPDU("a value that does not fit its PDU")
            left -= LENGTH_BYTES + length
            if control & 1:
                self._read_command(context_id, control, length - HEADER_BYTES)
            else:
                self._read_dataset(context_id, length - HEADER_BYTES, is_last=bool(control & 2))

    def _read_command(self, context_id: int, control: int, length: int) -> None:
        self._command_bytes += length
        if self._reception is not None or self._command_bytes > LONGEST_COMMAND:
            raise _MalformedPDU("a command where none belongs")
        fragment = bytes(self.stream.peek(length, self._write))
        self.stream.skip(length)
        pdv = P_DATA()
        pdv.presentation_data_value_list.append((context_id, bytes([control]) + fragment))
        if not attempt(lambda: self._decode(pdv)):
            raise _MalformedPDU("a command that cannot be understood")
        if control & 2:
            self._command_bytes = 0
            self._begin(context_id, self.assoc.dimse.message)

    def _decode(self, pdv: P_DATA) -> bool:
        self.assoc.dimse.receive_primitive(pdv)
        return True

    def _begin(self, context_id: int, message: DIMSEMessage | None) -> None:
        """Open the door for the dataset that this command announces, if it announces one."""
        if message is None:
            return
        self.assoc.dimse.message = None
        request = attempt(message.message_to_primitive) if isinstance(message, C_STORE_RQ) else None
        context = self.assoc._accepted_cx.get(context_id)  # noqa: SLF001 - the public list is not by ID
        if not isinstance(request, C_STORE) or not request.is_valid_request or context is None:
            raise _MalformedPDU("a dataset that no service here takes")
        self._request, self._context_id = request, context_id
        self._reception = self._receive(self.assoc, request, context)

    def _read_dataset(self, context_id: int, length: int, *, is_last: bool) -> None:
        if self._reception is None or context_id != self._context_id:
            raise _MalformedPDU("a dataset without a command")
        self.stream.gather(length, self._write)
        if is_last:
            self.stream.write_gathered(self._write)
            self._finish(self._reception)

    def _write(self, fragment: memoryview) -> None:
        if self._reception is not None:
            self._reception.write(fragment)

    def _finish(self, reception: Reception) -> None:
        """Answer the C-STORE, and end the association if the service is stopping."""
        status = reception.finish()
        answer = C_STORE()
        answer.MessageIDBeingRespondedTo = self._request.MessageID
        answer.AffectedSOPClassUID = self._request.AffectedSOPClassUID
        answer.AffectedSOPInstanceUID = self._request.AffectedSOPInstanceUID
        answer.Status = status.Status
        answer.ErrorComment = status.get("ErrorComment")
        self.assoc.dimse.send_msg(answer, self._context_id)
        self._idle_timer.restart()
        self._reception = None
        if self.is_stopping:  # asked after it is None, so that either this or whoever stops us aborts
            self.assoc.abort(block=False)


class _RingingQueue(queue.Queue[Any]):
    """The library's queue to the association's thread, which waits on another one."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._ring = ring

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002
        super().put(item, block, timeout)
        self._ring()
