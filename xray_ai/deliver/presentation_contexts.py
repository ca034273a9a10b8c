"""What is proposed for results, and which form of them an answer leaves."""

from collections.abc import Mapping
from types import MappingProxyType

from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported

from xray_ai.deliver.destinations import Destination, Forms
from xray_ai.domain.evidence import SCForm, SRForm
from xray_ai.domain.uid import SOPClassUID, TransferSyntaxUID

Context = tuple[SOPClassUID, TransferSyntaxUID]

EXPLICIT_VR, IMPLICIT_VR = TransferSyntaxUID(ExplicitVRLittleEndian), TransferSyntaxUID(ImplicitVRLittleEndian)
VERIFICATION: Context = (SOPClassUID(str(Verification)), IMPLICIT_VR)
SR_FORMS: Mapping[SRForm, Context] = MappingProxyType(  # the best first
    {
        SRForm.COMPREHENSIVE_3D: (SOPClassUID(Comprehensive3DSRStorage), EXPLICIT_VR),
        SRForm.COMPREHENSIVE: (SOPClassUID(ComprehensiveSRStorage), EXPLICIT_VR),
    }
)
SC_FORMS: Mapping[SCForm, Context] = MappingProxyType(
    {
        SCForm.JPEG: (SOPClassUID(SecondaryCaptureImageStorage), TransferSyntaxUID(JPEGBaseline8Bit)),
        SCForm.RLE: (SOPClassUID(SecondaryCaptureImageStorage), TransferSyntaxUID(RLELossless)),
        SCForm.UNCOMPRESSED: (SOPClassUID(SecondaryCaptureImageStorage), EXPLICIT_VR),
    }
)


def plainest(context: Context) -> Context | None:
    """The same in the default transfer syntax, which each peer must take (PS3.5 10.1); None for compressed pixels."""
    sop_class, syntax = context
    return (sop_class, IMPLICIT_VR) if syntax == EXPLICIT_VR else None


def with_plainest(contexts: list[Context]) -> list[Context]:
    """Each context once, and for the uncompressed the default transfer syntax too."""
    plain = [other for context in contexts if (other := plainest(context)) is not None]
    return list(dict.fromkeys([*contexts, *plain]))


def proposed_forms(destination: Destination) -> list[Context]:
    """Propose each form of a result that the destination may get."""
    sr = [context for form, context in SR_FORMS.items() if destination.sr_form in (None, form)]
    sc = [context for form, context in SC_FORMS.items() if destination.sc_form in (None, form)]
    return with_plainest([*sr, *sc])


def chosen_forms(destination: Destination, accepted: frozenset[Context]) -> Forms:
    """Choose the form that the destination is set to, else the best that is accepted, else the plainest there is."""
    sr = next((form for form, context in SR_FORMS.items() if is_taken(context, accepted)), SRForm.COMPREHENSIVE)
    sc = next((form for form, context in SC_FORMS.items() if is_taken(context, accepted)), SCForm.UNCOMPRESSED)
    return Forms(destination.sr_form or sr, destination.sc_form or sc)


def is_taken(context: Context, accepted: frozenset[Context]) -> bool:
    """Whether an object of this class and syntax can be sent, as it is or in the default transfer syntax."""
    return context in accepted or plainest(context) in accepted
