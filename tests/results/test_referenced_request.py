from pydicom.dataset import Dataset

from tests.factories import a_dataset, as_part10
from xray_ai.imaging.part10 import parse_part10
from xray_ai.results.referenced_request import requests_digest, requests_of

PROCEDURE = "Chụp X quang ngực thẳng"


def a_request(**attributes: str) -> Dataset:
    request = Dataset()
    for keyword, value in attributes.items():
        setattr(request, keyword, value)
    return request


def a_source(*requests: Dataset, keyword: str = "RequestAttributesSequence") -> Dataset:
    image = a_dataset(AccessionNumber="A1", SpecificCharacterSet="ISO_IR 192")
    setattr(image, keyword, list(requests))
    return parse_part10(as_part10(image))


def test_a_request_is_referenced_with_its_own_words() -> None:
    source = a_source(a_request(RequestedProcedureID="P1", RequestedProcedureDescription=PROCEDURE))

    [request] = requests_of(source)

    assert request.RequestedProcedureID == "P1"
    assert request.get_item("RequestedProcedureDescription").value.strip() == PROCEDURE.encode()


def test_the_image_says_what_the_request_leaves_out() -> None:
    [request] = requests_of(a_source(a_request(RequestedProcedureID="P1")))

    assert request.AccessionNumber == "A1"
    assert request.StudyInstanceUID == a_dataset().StudyInstanceUID


def test_the_request_of_another_accession_keeps_it() -> None:
    [request] = requests_of(a_source(a_request(AccessionNumber="B2")))

    assert request.AccessionNumber == "B2"


def test_attributes_of_type_2_are_never_missing() -> None:
    [request] = requests_of(a_source(a_request(RequestedProcedureID="P1")))

    assert request.PlacerOrderNumberImagingServiceRequest == ""
    assert list(request.ReferencedStudySequence) == []


def test_a_referenced_request_sequence_counts_more() -> None:
    source = a_source(a_request(RequestedProcedureID="P1"), keyword="ReferencedRequestSequence")

    assert [request.RequestedProcedureID for request in requests_of(source)] == ["P1"]


def test_two_requests_are_two_references() -> None:
    source = a_source(a_request(RequestedProcedureID="P1"), a_request(RequestedProcedureID="P2"))

    assert len(requests_of(source)) == 2


def test_an_image_without_an_order_references_none() -> None:
    assert requests_of(a_dataset()) == []


def test_other_requests_have_another_digest() -> None:
    one, other = (a_source(a_request(RequestedProcedureID=procedure)) for procedure in ("P1", "P2"))

    assert requests_digest(one) != requests_digest(other)
    assert requests_digest(one) == requests_digest(one)
