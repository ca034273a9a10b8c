"""One association that another application entity asked for: admitted or rejected, served, and logged at its end."""

import queue
import socket
from collections.abc import Callable
from typing import Any

from pydicom import uid
from pynetdicom import events
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.transport import AddressInformation, AssociationServer

from xray_ai import log
from xray_ai.imaging.attributes import attempt
from xray_ai.receive.admission import Caller, Rejection
from xray_ai.receive.association_stream import AssociationStream
from xray_ai.receive.upper_layer import Receive, UpperLayer
from xray_ai.receive.verification_scp import answer_echo

WAIT_S = 0.5
MOST_NAMES = 5  # some senders propose every SOP Class there is
RELEASED, REJECTED = "released", "rejected"
ENDINGS = {  # events of the state machine (PS3.8 9.2.1) that end an association other than by release
    "Evt15": "aborted by us",
    "Evt16": "aborted by the peer",
    "Evt17": "connection lost",
    "Evt18": "no request in time",
    "Evt19": "invalid PDU",
}
UNEXPECTED = frozenset({"AA-1", "AA-7", "AA-8"})  # what is done about a PDU that does not belong here
OVER = frozenset({"Sta1", "Sta13"})
Tell = Callable[[str, str, str], None]  # reason, host and calling AE title of an association that ended
Admit = Callable[["ServedAssociation", Caller], Rejection | None]


class ServedAssociation(Association):
    """Two threads: this one negotiates and answers C-ECHO, that of the upper layer reads, and stores."""

    def __init__(
        self, server: AssociationServer, connection: socket.socket, receive: Receive, admit: Admit, tell: Tell
    ) -> None:
        super().__init__(server.ae, MODE_ACCEPTOR)
        self.name = "association"
        self.ending = "what arrived could not be understood"
        self._admit, self._tell = admit, tell
        self._server = server
        self._our_host = str(connection.getsockname()[0])
        self.dul: UpperLayer = UpperLayer(self, receive)
        self.dimse = _WaitingDimse(self)
        self.acse_timeout, self.network_timeout = server.ae.acse_timeout, server.ae.network_timeout
        self._describe(server, connection)  # raises OSError where the peer has gone already
        self.set_socket(AssociationStream(self, connection, server.ae.network_timeout or 0))
        self.bind(events.EVT_C_ECHO, answer_echo)
        self.bind(events.EVT_REQUESTED, self._judge)
        self.bind(events.EVT_ACCEPTED, self._log_refused_contexts)
        self.bind(events.EVT_FSM_TRANSITION, self._note_ending)

    def _describe(self, server: AssociationServer, connection: socket.socket) -> None:
        self.acceptor.maximum_length = server.ae.maximum_pdu_size
        self.acceptor.ae_title = server.ae_title
        self.acceptor.address_info = AddressInformation.from_tuple(connection.getsockname())
        self.acceptor.implementation_class_uid = server.ae.implementation_class_uid
        self.acceptor.implementation_version_name = server.ae.implementation_version_name
        self.acceptor.supported_contexts = server.contexts
        self.requestor.address_info = AddressInformation.from_tuple(connection.getpeername())

    @property
    def is_over(self) -> bool:
        return self.dul.state_machine.current_state in OVER

    def run_reactor(self) -> None:
        """Serve from the first byte to the last, and say how it ended."""
        attempt(super().run_reactor)
        self.dul.stream.hang_up()
        self._tell(self.dul.fault or self.ending, self.requestor.address, self.requestor.ae_title.strip())

    def finish(self) -> None:
        """End after the C-STORE that is running, or now if there is none."""
        self.dul.is_stopping = True
        if not self.is_established:
            self.dul.stream.hang_up()
        elif not self.dul.is_receiving:
            self.abort(block=False)

    def give_way(self, wait_s: float) -> None:
        """End before it was admitted, for the sake of another."""
        self.dul.fault = "gave way to another connection"
        self.dul.stream.hang_up()
        self.join(wait_s)

    def _judge(self, _: events.Event) -> None:
        request = self.requestor.primitive
        if request is None:
            return
        self.requestor.ae_title = request.calling_ae_title
        caller = Caller(
            request.calling_ae_title.strip(),
            request.called_ae_title.strip(),
            str(request.application_context_name),
            self.requestor.address,
            self._our_host,
        )
        rejection = self._admit(self, caller)
        if rejection is not None:
            self.ending = f"{REJECTED}: {rejection.reason}"
            self.acse.send_reject(rejection.result, rejection.source, rejection.diagnostic)
            self.kill()  # waits until it is sent

    def _log_refused_contexts(self, _: events.Event) -> None:
        names = sorted({_name_of(uid.UID(context.abstract_syntax or "")) for context in self.rejected_contexts})
        if names:
            shown = ", ".join(names[:MOST_NAMES])
            caller = self.requestor.ae_title.strip()
            log.event("context.refused", count=len(names), sop_classes=shown, calling_ae_title=caller)

    def _note_ending(self, event: events.Event) -> None:
        if event.current_state in OVER:
            return
        if event.fsm_event in ENDINGS:
            self.ending = ENDINGS[event.fsm_event]
        elif event.action in UNEXPECTED:
            self.ending = "a PDU out of order"
        elif event.fsm_event == "Evt12":
            self.ending = RELEASED


def _name_of(sop_class: uid.UID) -> str:
    """The name of a SOP Class; of what is no UID, which may be anything, nothing is told."""
    return sop_class.name if sop_class.is_valid else "no UID"


class _WaitingDimse(DIMSEServiceProvider):
    """The library looks for a message once a millisecond; this waits for one, or for the end."""

    def get_msg(self, block: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - the library's signature
        try:
            return self.msg_queue.get(timeout=WAIT_S)
        except queue.Empty:
            return None, None
