"""QIDO-RS: which studies, series and instances are here (PS3.18 10.6)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydicom.dataset import Dataset

from xray_ai.api.dicom_web.held import Instance, Uid, every_instance_of
from xray_ai.api.service import Operations, Service
from xray_ai.dicom_web.accepted import MediaType, choose
from xray_ai.dicom_web.json_model import INSTANCE, SERIES, STUDY, Json, answered
from xray_ai.dicom_web.matching import Search, WrongQuery, search_of
from xray_ai.imaging.attributes import text_of
from xray_ai.records.database import reading
from xray_ai.records.study_search import StudyFilter, uids_of

router = APIRouter(prefix="/dicom-web", tags=["dicomweb"])
JSON_TYPE = "application/dicom+json"
OFFERS = (MediaType(JSON_TYPE), MediaType("application/json"))
Found = Iterator[tuple[Dataset, str]]  # a header with its counts, and where it is retrieved
Level = Callable[[Sequence[Instance], Request], Found]


@router.get("/studies", summary="Which studies are here?")
def studies(request: Request, service: Service) -> JSONResponse:
    return _answer(request, service, _studies, STUDY)


@router.get("/series", summary="Which series are here?")
def series(request: Request, service: Service) -> JSONResponse:
    return _answer(request, service, _series, [*STUDY, *SERIES])


@router.get("/instances", summary="Which instances are here?")
def instances(request: Request, service: Service) -> JSONResponse:
    return _answer(request, service, _instances, [*STUDY, *SERIES, *INSTANCE])


@router.get("/studies/{study}/series", summary="Which series has a study?")
def series_of_study(request: Request, service: Service, study: Uid) -> JSONResponse:
    return _answer(request, service, _series, [*SERIES, "StudyInstanceUID"], study)


@router.get("/studies/{study}/instances", summary="Which instances has a study?")
def instances_of_study(request: Request, service: Service, study: Uid) -> JSONResponse:
    return _answer(request, service, _instances, [*SERIES, *INSTANCE, "StudyInstanceUID"], study)


@router.get("/studies/{study}/series/{series}/instances", summary="Which instances has a series?")
def instances_of_series(request: Request, service: Service, study: Uid, series: Uid) -> JSONResponse:
    def in_series(those: Sequence[Instance], request: Request) -> Found:
        return _instances([one for one in those if one.series == series], request)

    return _answer(request, service, in_series, [*INSTANCE, "StudyInstanceUID", "SeriesInstanceUID"], study)


def _answer(
    request: Request, service: Operations, level: Level, keywords: Sequence[str], study: str | None = None
) -> JSONResponse:
    if choose(request.headers.get("accept", ""), OFFERS) is None:
        raise HTTPException(406, f"A search is answered as {JSON_TYPE}.")
    try:
        search = search_of(request.query_params.multi_items())
    except WrongQuery as wrong:
        raise HTTPException(400, str(wrong)) from wrong
    matches = (one for one in _all(request, service, level, _studies_to_ask(service, search, study)))
    wanted = (one for one in matches if search.matches(one[0]))
    page = islice(wanted, search.offset, search.offset + search.limit)
    headers = {"Warning": f'299 xray_ai "{"; ".join(search.ignored)}"'} if search.ignored else None
    return JSONResponse([_told(one, keywords, search) for one in page], headers=headers, media_type=JSON_TYPE)


def _told(found: tuple[Dataset, str], keywords: Sequence[str], search: Search) -> Json:
    header, url = found
    asked = [key.keyword for key in search.keys]
    further = [element.keyword for element in header] if "all" in search.include else search.include
    return answered(header, [*keywords, *asked, *further], url)


def _studies_to_ask(service: Operations, search: Search, study: str | None) -> Sequence[str]:
    if study is not None:
        return [study]
    listed = search.value_of("StudyInstanceUID").replace("\\", ",")
    exact = [_if_exact(search.value_of(keyword)) for keyword in ("PatientID", "AccessionNumber")]
    wanted = StudyFilter(tuple(listed.split(",")) if listed else (), *exact)
    with reading(service.engine) as connection:
        return uids_of(connection, wanted)


def _if_exact(value: str) -> str:
    return "" if set(value) & set("*?") else value


def _all(request: Request, service: Operations, level: Level, uids: Sequence[str]) -> Found:
    for uid in uids:
        those = every_instance_of(service, uid)
        if those:
            yield from level(those, request)


def _studies(those: Sequence[Instance], request: Request) -> Found:
    newest = _with_counts(those[0], those, those)
    yield newest, those[0].url(request).split("/series/")[0]


def _series(those: Sequence[Instance], request: Request) -> Found:
    for series in dict.fromkeys(one.series for one in those):
        inside = [one for one in those if one.series == series]
        yield _with_counts(inside[0], those, inside), inside[0].url(request).split("/instances/")[0]


def _instances(those: Sequence[Instance], request: Request) -> Found:
    for one in those:
        yield _with_counts(one, those, [two for two in those if two.series == one.series]), one.url(request)


def _with_counts(one: Instance, study: Sequence[Instance], series: Sequence[Instance]) -> Dataset:
    header = Dataset(one.header)
    header.ModalitiesInStudy = sorted({text_of(other.header, "Modality") for other in study})
    header.NumberOfStudyRelatedSeries = len({other.series for other in study})
    header.NumberOfStudyRelatedInstances = len(study)
    header.NumberOfSeriesRelatedInstances = len(series)
    return header
