"""The Verification SCP (PS3.4 annex A): answers C-ECHO, so that an administrator can tell that we are there."""

from pydicom import uid
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext, build_context

from xray_ai import log

SUCCESS = 0x0000
VERIFICATION = "1.2.840.10008.1.1"


def verification_context() -> PresentationContext:
    return build_context(VERIFICATION, [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])


def answer_echo(event: Event) -> int:
    log.event(
        "echo.answered", calling_ae_title=event.assoc.requestor.ae_title.strip(), host=event.assoc.requestor.address
    )
    return SUCCESS
