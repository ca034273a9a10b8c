"""WADO-RS: objects, headers, frames and pictures of a study (PS3.18 10.4)."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, StreamingResponse

from xray_ai.api.dicom_web.held import Instance, Uid, instances_of
from xray_ai.api.problems import NotHere
from xray_ai.api.service import Service
from xray_ai.dicom_web import pixels
from xray_ai.dicom_web.accepted import ANY, MediaType, choose
from xray_ai.dicom_web.json_model import PIXEL_DATA, as_json
from xray_ai.dicom_web.pixels import FUNCTIONS, View, has_pixels

router = APIRouter(prefix="/dicom-web/studies/{study}", tags=["dicomweb"])
ONE = "/series/{series}/instances/{instance}"
DICOM, OCTETS, JSON_TYPE = "application/dicom", "application/octet-stream", "application/dicom+json"
EXPLICIT = "1.2.840.10008.1.2.1"
PIECE_BYTES = 2**20
PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG"}
STORED_FRAMES = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
Numbers = Annotated[str, InPath(pattern=r"^[0-9]{1,4}(,[0-9]{1,4}){0,15}$", description="Frame numbers from 1.")]
WindowText = Annotated[str | None, Query(max_length=64, description="center,width,function")]
ViewportText = Annotated[str | None, Query(max_length=64, description="width,height in pixels")]
Quality = Annotated[int, Query(ge=1, le=100, description="Of a JPEG picture.")]


def view_of(window: WindowText = None, viewport: ViewportText = None, quality: Quality = 90) -> View:
    """How a picture is to look, as it was asked."""
    return View(_window(window), _viewport(viewport), quality=quality)


Look = Annotated[View, Depends(view_of)]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an answer; its bytes are made when its turn comes."""

    media_type: str
    content: Callable[[], Iterable[bytes]]


@router.get("", summary="All objects of a study")
def study_objects(request: Request, service: Service, study: Uid) -> Response:
    return _objects(request, instances_of(service, study))


@router.get("/series/{series}", summary="All objects of a series")
def series_objects(request: Request, service: Service, study: Uid, series: Uid) -> Response:
    return _objects(request, instances_of(service, study, series))


@router.get(ONE, summary="One object")
def one_object(request: Request, service: Service, study: Uid, series: Uid, instance: Uid) -> Response:
    return _objects(request, instances_of(service, study, series, instance))


@router.get("/metadata", summary="The headers of a study")
def study_metadata(request: Request, service: Service, study: Uid) -> Response:
    return _metadata(request, instances_of(service, study))


@router.get("/series/{series}/metadata", summary="The headers of a series")
def series_metadata(request: Request, service: Service, study: Uid, series: Uid) -> Response:
    return _metadata(request, instances_of(service, study, series))


@router.get(f"{ONE}/metadata", summary="The header of an object")
def one_metadata(request: Request, service: Service, study: Uid, series: Uid, instance: Uid) -> Response:
    return _metadata(request, instances_of(service, study, series, instance))


@router.get(f"{ONE}/frames/{{numbers}}", summary="Frames, as stored or decoded")
def frames(request: Request, service: Service, study: Uid, series: Uid, instance: Uid, numbers: Numbers) -> Response:
    (one,) = instances_of(service, study, series, instance)
    if set(numbers.split(",")) != {"1"} or not has_pixels(one.header):
        raise NotHere("There is no such frame.")
    return _frame(request, one)


@router.get(f"{ONE}/bulkdata/{PIXEL_DATA}", summary="The pixel data of an object")
def bulkdata(request: Request, service: Service, study: Uid, series: Uid, instance: Uid) -> Response:
    (one,) = instances_of(service, study, series, instance)
    if not has_pixels(one.header):
        raise NotHere("The object has no pixel data.")
    return _frame(request, one)


@router.get(f"{ONE}/rendered", summary="An object as a picture")
def rendered(request: Request, service: Service, study: Uid, series: Uid, instance: Uid, look: Look) -> Response:
    (one,) = instances_of(service, study, series, instance)
    chosen = choose(request.headers.get("accept", ""), [MediaType(name) for name in PICTURES])
    if chosen is None:
        raise HTTPException(406, "A picture is answered as image/jpeg or image/png.")
    if not has_pixels(one.header):
        raise NotHere("The object has no picture.")
    name = chosen[1].name
    return Response(pixels.rendered(one.path, replace(look, form=PICTURES[name])), media_type=name)


def _objects(request: Request, those: Sequence[Instance]) -> Response:
    syntaxes = {one.held.transfer_syntax_uid for one in those}
    stored = next(iter(syntaxes)) if len(syntaxes) == 1 else ANY
    offers = [
        MediaType(DICOM, is_multipart=True, transfer_syntax=syntax) for syntax in dict.fromkeys((stored, EXPLICIT))
    ]
    if len(those) == 1:
        offers += [MediaType(DICOM, transfer_syntax=syntax) for syntax in dict.fromkeys((stored, EXPLICIT))]
    chosen = choose(request.headers.get("accept", ""), offers)
    if chosen is None:
        raise HTTPException(406, f"Objects are answered as {DICOM}, as stored or in {EXPLICIT}.")
    wanted, offer = chosen
    is_as_stored = wanted.transfer_syntax in ("", ANY) or offer.transfer_syntax != EXPLICIT
    parts = [Part(DICOM, _whole(one, is_as_stored=is_as_stored)) for one in those]
    if not offer.is_multipart:
        return StreamingResponse(parts[0].content(), media_type=DICOM)
    return _multipart(DICOM, parts)


def _whole(one: Instance, *, is_as_stored: bool) -> Callable[[], Iterable[bytes]]:
    if is_as_stored or one.held.transfer_syntax_uid == EXPLICIT:
        return lambda: _pieces(one.path)
    return lambda: [pixels.explicit_little_endian(one.path)]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _metadata(request: Request, those: Sequence[Instance]) -> Response:
    if choose(request.headers.get("accept", ""), (MediaType(JSON_TYPE), MediaType("application/json"))) is None:
        raise HTTPException(406, f"Headers are answered as {JSON_TYPE}.")
    told = []
    for one in those:
        place = f"{one.url(request)}/bulkdata/{PIXEL_DATA}"
        told.append(as_json(one.header, {PIXEL_DATA: ("OW", place)} if has_pixels(one.header) else None))
    return JSONResponse(told, media_type=JSON_TYPE)


def _frame(request: Request, one: Instance) -> Response:
    syntax = one.held.transfer_syntax_uid
    stored = STORED_FRAMES.get(syntax)
    offers = [MediaType(stored, is_many, syntax) for is_many in (True, False)] if stored else []
    offers = [*(MediaType(OCTETS, is_many, EXPLICIT) for is_many in (True, False)), *offers]
    asked = request.headers.get("accept", "")
    if stored and re.search(r"transfer-syntax=\"?\*", asked):
        offers = [*offers[2:], *(MediaType(OCTETS, is_many, ANY) for is_many in (True, False))]
    chosen = choose(asked, offers)
    if chosen is None:
        raise HTTPException(406, f"Frames are answered as {OCTETS}, or as stored.")
    offer = chosen[1]
    is_decoded = offer.transfer_syntax == EXPLICIT
    content = pixels.decoded_of(one.path)[1].tobytes() if is_decoded else pixels.stored_frame(one.path)
    name = f"{offer.name}; transfer-syntax={EXPLICIT if is_decoded else syntax}"
    if not offer.is_multipart:
        return Response(content, media_type=name)
    return _multipart(offer.name, [Part(name, lambda: [content])])


def _multipart(name: str, parts: Sequence[Part]) -> StreamingResponse:
    boundary = uuid4().hex

    def pieces() -> Iterator[bytes]:
        for part in parts:
            yield f"--{boundary}\r\nContent-Type: {part.media_type}\r\n\r\n".encode()
            yield from part.content()
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    return StreamingResponse(pieces(), media_type=f'multipart/related; type="{name}"; boundary={boundary}')


def _window(text: str | None) -> tuple[float, float, str] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?),(\d+(?:\.\d+)?),([a-z-]+)", text)
    if found is None or found[3] not in FUNCTIONS or float(found[2]) < 1:
        raise HTTPException(400, "window is center,width,function: linear, linear-exact or sigmoid.")
    return float(found[1]), float(found[2]), found[3]


def _viewport(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4}),([1-9]\d{0,4})", text)
    if found is None:
        raise HTTPException(400, "viewport is width,height in pixels.")
    return int(found[1]), int(found[2])
