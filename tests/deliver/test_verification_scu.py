"""What an operator reads when a destination is tried."""

import pytest
from pydicom import uid

from tests.deliver.peers import EVERYTHING, a_destination, a_storage_scp, free_port
from xray_ai.deliver.verification_scu import echo
from xray_ai.domain.delivery import ResultKind
from xray_ai.errors import PeerUnavailable

SC, SR, SR_3D = uid.SecondaryCaptureImageStorage, uid.ComprehensiveSRStorage, uid.Comprehensive3DSRStorage


def test_a_destination_that_takes_everything_is_ready_and_gets_the_best_forms() -> None:
    with a_storage_scp() as pacs:
        report = echo(a_destination(pacs.port))

    assert report.is_ready
    assert report.sentences() == (
        f"PACS1 at 127.0.0.1:{pacs.port} accepts associations of XRAY_AI and answers C-ECHO.",
        "Structured reports: it takes Comprehensive 3D SR, Comprehensive SR; Comprehensive 3D SR is sent.",
        "Secondary captures: it takes JPEG, RLE, uncompressed; JPEG is sent.",
    )


def test_a_destination_that_takes_no_report_is_not_ready_and_the_operator_is_told_what_to_do() -> None:
    contexts = {sop_class: syntaxes for sop_class, syntaxes in EVERYTHING.items() if sop_class not in (SR, SR_3D)}

    with a_storage_scp(contexts) as pacs:
        report = echo(a_destination(pacs.port))

    assert not report.is_ready
    assert "takes none that may be sent. Let it store that SOP class" in report.sentences()[1]


def test_what_a_destination_does_not_want_it_need_not_take() -> None:
    with a_storage_scp({SR: [uid.ExplicitVRLittleEndian]}) as pacs:
        report = echo(a_destination(pacs.port, results=frozenset({ResultKind.SR})))

    assert report.is_ready
    assert "does not offer C-ECHO" in report.sentences()[0]
    assert "not wanted" in report.sentences()[2]


def test_a_destination_that_is_down_is_told_as_when_sending() -> None:
    with pytest.raises(PeerUnavailable, match="no program listens there"):
        echo(a_destination(free_port()))
