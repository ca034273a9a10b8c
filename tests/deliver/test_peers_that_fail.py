"""Whatever a peer does, sending ends in finite time with a reason that tells what was found and what to do."""

import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import uid
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE

from tests.deliver.peers import (
    SHORT,
    a_line,
    a_part10_file,
    a_peer,
    a_storage_scp,
    answer_in_http,
    breaking_after,
    free_port,
    hang_up,
    stay_silent,
    stop_reading,
)
from tests.factories import a_dataset, as_part10
from xray_ai.acceptance import DX_FOR_PRESENTATION
from xray_ai.deliver.association import associated
from xray_ai.deliver.outgoing_file import outgoing_file
from xray_ai.deliver.storage_scu import send_files
from xray_ai.domain.delivery import DeliveryRefused, Peer
from xray_ai.domain.uid import SOPClassUID, TransferSyntaxUID
from xray_ai.errors import PeerUnavailable, XrayAiError

HALF_A_FILE = 2**20


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Larger than what sockets take in advance."""
    return a_part10_file(
        tmp_path_factory.mktemp("large") / "large.dcm", as_part10(a_dataset(np.zeros((4000, 4000), np.uint16)))
    )


DX = (SOPClassUID(DX_FOR_PRESENTATION), TransferSyntaxUID(ExplicitVRLittleEndian))


def failure_of(peer: Peer, file: Path) -> XrayAiError:
    with pytest.raises(XrayAiError) as failure:
        list(send_files([file], peer))
    assert str(failure.value).startswith(f"{peer} ") or f"to {peer} " in str(failure.value)
    assert failure.value.remedy
    return failure.value


def test_nobody_listens(file: Path) -> None:
    failure = failure_of(a_peer(free_port()), file)

    assert isinstance(failure, PeerUnavailable)
    assert "refused the connection: no program listens there" in failure.found


def test_the_name_is_unknown(file: Path) -> None:
    failure = failure_of(Peer("PACS1", "PACS1", "no-such-host.invalid", 104), file)

    assert isinstance(failure, PeerUnavailable)
    assert "no-such-host.invalid has no address" in failure.found


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (stay_silent, PeerUnavailable, "did not answer the association within 0.5 s"),
        (hang_up, PeerUnavailable, "closed the connection without a word"),
        (answer_in_http, DeliveryRefused, "answered with something that is no DICOM"),
    ],
)
def test_whoever_takes_the_connection_is_no_dicom_application(
    file: Path, answer: Callable[[socket.socket], None], kind: type[XrayAiError], words: str
) -> None:
    with a_line(answer) as port:
        failure = failure_of(a_peer(port, SHORT), file)

    assert isinstance(failure, kind)
    assert words in failure.found


@pytest.mark.parametrize(
    ("then", "words"),
    [(hang_up, "was lost on the way"), (stop_reading, "gave no proper answer within 0.5 s")],
)
def test_the_line_fails_in_the_middle_of_an_object(
    file: Path, then: Callable[[socket.socket], None], words: str
) -> None:
    with a_storage_scp() as pacs, a_line(breaking_after(pacs.port, HALF_A_FILE, then)) as port:
        failure = failure_of(a_peer(port, SHORT), file)

    assert isinstance(failure, PeerUnavailable)
    assert words in failure.found
    assert pacs.datasets == []


def test_the_peer_does_not_know_us(file: Path) -> None:
    with a_storage_scp(configure=only_known_callers) as pacs:
        failure = failure_of(a_peer(pacs.port), file)

    assert isinstance(failure, DeliveryRefused)
    assert "does not know our calling AE title XRAY_AI" in failure.found
    assert "Register XRAY_AI there, or set destinations.calling_ae_title" in failure.remedy


def test_the_peer_has_another_name(file: Path) -> None:
    with a_storage_scp(configure=called_by_its_name) as pacs:
        failure = failure_of(a_peer(pacs.port, ae_title="PACS2"), file)

    assert isinstance(failure, DeliveryRefused)
    assert "no application there is called PACS2" in failure.found


def test_the_peer_has_too_many_associations(file: Path) -> None:
    with a_storage_scp(configure=one_association) as pacs:
        with_one_open = send_files([file, file], a_peer(pacs.port))
        next(with_one_open)
        failure = failure_of(a_peer(pacs.port), file)
        with_one_open.close()  # type: ignore[attr-defined]  # it is a generator

    assert isinstance(failure, PeerUnavailable)
    assert "too many associations at present" in failure.found


def test_the_peer_takes_nothing_at_all(file: Path) -> None:
    with a_storage_scp({uid.CTImageStorage: [uid.ExplicitVRLittleEndian]}) as pacs:
        failure = failure_of(a_peer(pacs.port), file)

    assert isinstance(failure, DeliveryRefused)
    assert "none of the objects that would be sent" in failure.found


def only_known_callers(ae: AE) -> None:
    ae.require_calling_aet = ["KNOWN"]


def called_by_its_name(ae: AE) -> None:
    ae.require_called_aet = True


def one_association(ae: AE) -> None:
    ae.maximum_associations = 1


def test_only_who_waits_for_an_answer_takes_it(tmp_path: Path) -> None:
    image = a_part10_file(tmp_path / "image.dcm")
    with a_storage_scp() as scp, associated(a_peer(scp.port), [DX]) as association:
        took = association._association.dimse.get_msg(block=False)  # noqa: SLF001 - as the library's own thread asks

        assert took == (None, None)
        assert association.store(outgoing_file(image)) == 0
