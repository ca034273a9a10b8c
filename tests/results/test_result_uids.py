import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.factories import a_dataset, as_part10
from tests.house.shape import ROOT
from tests.readings import (
    MODEL,
    POLICY,
    READ_AT,
    SCOPE,
    a_read_image,
    a_score,
    a_study_result,
    accepted,
    an_unread_image,
    some_heat,
)
from xray_ai import __version__
from xray_ai.domain.evidence import ResultOptions, SCForm, SRForm
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note
from xray_ai.domain.reading import ModelIdentity
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.part10 import parse_part10
from xray_ai.results.part10_bytes import encoded
from xray_ai.results.result_uids import (
    COMPOSER_VERSION,
    device_uid,
    series_instance_uid,
    sop_instance_uid,
    tracking_uid,
)
from xray_ai.results.structured_report import structured_report
from xray_ai.results.study_result import ReadImage, StudyResult, UnreadImage

SR, SC = SOPClassUID("1.2.840.10008.5.1.4.1.1.88.34"), SOPClassUID("1.2.840.10008.5.1.4.1.1.7")
# What the composer wrote at each of its versions, without UIDs and our own version. Whoever changes what is
# written raises COMPOSER_VERSION and adds a line; a line that has been released is never changed.
WRITTEN = {
    "1": "1c947437575f469056d2d6bcfa4ef6b5dfa28f4a31598bc7a318ca272a0f2a8c",
    "2": "e57004dfb9002bf63a282a063b12e7de6dc523ed2573ed73997b27da0dc82747",
}
OTHER_OPTIONS: dict[str, Any] = {
    "localisation": False,
    "sr_form": SRForm.COMPREHENSIVE,
    "sc_form": SCForm.RLE,
    "sr_series_number": 1,
    "sc_series_number": 1,
}
PROBABILITIES = st.floats(0, 1).map(lambda share: round(share, 3))


def a_source(number: int = 1, **attributes: object) -> Dataset:
    source = a_dataset(SOPInstanceUID=f"1.2.3.{number}")
    for keyword, value in attributes.items():
        setattr(source, keyword, value)
    return source


def an_order() -> Dataset:
    order = Dataset()
    order.RequestedProcedureID, order.RequestedProcedureDescription = "P1", "Chest"
    return order


def a_study() -> StudyResult:
    """A study of two radiographs that were read and one that was not."""
    scores = [a_score("Pneumothorax", 0.91), a_score("Mass", 0.3), a_score("Abnormality", 0.02)]
    refused = StudyRejected(RejectionCode.VIEW_POSITION, "This is a lateral view.")
    return a_study_result(
        accepted(a_read_image(a_source(1), scores), ScopeQuestion.CLIPPED),
        a_read_image(a_source(2), scores),
        unread=[an_unread_image(a_source(3, ViewPosition="LL"), refused)],
        scope=SCOPE,
    )


def file_of(study: StudyResult) -> bytes:
    report = structured_report(study)
    assert report is not None
    return encoded(report)


def with_source(study: StudyResult, **attributes: object) -> StudyResult:
    """The same study, but for the header of its first image."""
    first = study.read[0]
    scores, source = first.reading.scores, a_source(1, **attributes)
    return replace(study, read=(a_read_image(source, scores), *study.read[1:]))


def with_first(study: StudyResult, image: ReadImage) -> StudyResult:
    return replace(study, read=(image, *study.read[1:]))


def unchecked(image: ReadImage) -> ReadImage:
    return replace(image, reading=replace(image.reading, scope=None))


def with_unread(study: StudyResult, code: RejectionCode, found: str) -> StudyResult:
    return replace(study, unread=(replace(study.unread[0], rejection=StudyRejected(code, found)),))


def rescored(study: StudyResult, probability: float) -> StudyResult:
    first = study.read[0]
    return with_first(
        study, a_read_image(first.source, [a_score("Pneumothorax", probability), *first.reading.scores[1:]])
    )


def reheated(study: StudyResult, row: int) -> StudyResult:
    first = study.read[0]
    return with_first(
        study, a_read_image(first.source, first.reading.scores, heat=[some_heat((row, 2))] * len(first.reading.scores))
    )


def with_other(option: str) -> Callable[[StudyResult], StudyResult]:
    return lambda study: replace(study, options=replace(study.options, **{option: OTHER_OPTIONS[option]}))


CHANGES: dict[str, Callable[[StudyResult], StudyResult]] = {
    "another patient": lambda study: with_source(study, PatientName="Doe^Jane"),
    "another study date": lambda study: with_source(study, StudyDate="20200705"),
    "another series": lambda study: with_source(study, SeriesInstanceUID="1.2.9"),
    "another orientation": lambda study: with_source(study, PatientOrientation=["L", "F"]),
    "another view": lambda study: with_source(study, ViewPosition="AP"),
    "another order": lambda study: with_source(study, RequestAttributesSequence=[an_order()]),
    "another time zone of the source": lambda study: with_source(study, TimezoneOffsetFromUTC="+0700"),
    "another probability": lambda study: rescored(study, 0.92),
    "another presence": lambda study: rescored(study, 0.2),
    "another heatmap": lambda study: reheated(study, 7),
    "an ordered priority": lambda study: with_first(
        study, a_read_image(study.read[0].source, [a_score("Mass", 0.2)], ordered=Priority.STAT)
    ),
    "a note": lambda study: with_first(study, replace(study.read[0], notes=(Note("a", "A note."),))),
    "one image less": lambda study: replace(study, read=study.read[:1]),
    "an image that was not read": lambda study: replace(
        study, read=study.read[:1], unread=(*study.unread, _refused(2))
    ),
    "another reason": lambda study: with_unread(study, RejectionCode.BLANK, "This is a lateral view."),
    "another sentence": lambda study: with_unread(study, RejectionCode.VIEW_POSITION, "This is no frontal view."),
    "another model": lambda study: replace(study, model=replace(MODEL, name="other")),
    "another version of the model": lambda study: replace(study, model=replace(MODEL, version="2.0.0")),
    "another pack": lambda study: replace(study, model=replace(MODEL, digest="ef" * 32)),
    "another scope pack": lambda study: replace(study, scope=replace(SCOPE, digest="ef" * 32)),
    "no scope pack": lambda study: replace(study, scope=None),
    "another fault of the image": lambda study: with_first(study, accepted(study.read[0], ScopeQuestion.MOTION)),
    "pixels that were not checked": lambda study: with_first(study, unchecked(study.read[0])),
    "another policy": lambda study: replace(study, policy=replace(POLICY, digest="ef" * 32)),
    "other priorities": lambda study: replace(
        study, policy=replace(POLICY, priorities=MappingProxyType({FindingKey("mass"): Priority.STAT}))
    ),
    "a second later": lambda study: replace(study, read_at=READ_AT + timedelta(seconds=1)),
    "the same moment elsewhere": lambda study: replace(study, read_at=READ_AT.astimezone(timezone(timedelta(hours=7)))),
    "a predecessor": lambda study: replace(study, predecessor=SOPInstanceUID("2.25.1")),
    **{f"another {field.name}": with_other(field.name) for field in fields(ResultOptions)},
}


def _refused(number: int) -> UnreadImage:
    return an_unread_image(a_source(number), StudyRejected(RejectionCode.BLANK, "Blank."))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_content_has_another_uid(change: Callable[[StudyResult], StudyResult]) -> None:
    study = a_study()

    assert sop_instance_uid(change(study), SR) != sop_instance_uid(study, SR)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3), st.lists(st.sampled_from(sorted(CHANGES)), max_size=3))
def test_one_uid_is_never_two_contents_whatever_changes_together(one: list[str], other: list[str]) -> None:
    first, second = a_study(), a_study()
    for name in one:
        first = CHANGES[name](first)
    for name in other:
        second = CHANGES[name](second)

    is_same_uid = sop_instance_uid(first, SR) == sop_instance_uid(second, SR)

    assert is_same_uid == (file_of(first) == file_of(second))


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        ResultOptions,
        st.booleans(),
        st.sampled_from(SRForm),
        st.sampled_from(SCForm),
        st.integers(1, 2**31 - 1),
        st.integers(1, 2**31 - 1),
    ),
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    st.lists(PROBABILITIES, min_size=1, max_size=4),
    st.text(max_size=20),
)
def test_any_study_is_written_with_the_same_bytes_again(
    options: ResultOptions, read_at: datetime, probabilities: list[float], name: str
) -> None:
    scores = [a_score(f"Finding {place}", share) for place, share in enumerate(probabilities)]
    model = ModelIdentity(name, name, "ab" * 32)

    def compose() -> bytes:
        image = a_read_image(a_source(), scores)
        return file_of(replace(a_study_result(image), options=options, read_at=read_at, model=model))

    assert compose() == compose()


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_header_is_reported_with_the_same_bytes_again(seed: int) -> None:
    dice = np.random.default_rng(seed)
    header = a_source(PatientWeight="60", PregnancyStatus=4, RequestAttributesSequence=[an_order()])
    file = np.frombuffer(as_part10(header), np.uint8).copy()
    file[dice.integers(330, 760, 4)] = dice.integers(0, 256, 4)
    source = parse_part10(file.tobytes())

    study = a_study_result(replace(a_read_image(), source=source))

    assert file_of(study) == file_of(study)


def test_the_order_of_the_images_does_not_matter() -> None:
    study = a_study()
    study = replace(study, unread=(*study.unread, _refused(4)))

    written = {
        file_of(replace(study, read=tuple(read), unread=tuple(unread)))
        for read in permutations(study.read)
        for unread in permutations(study.unread)
    }

    assert len(written) == 1


def test_two_processes_write_the_same_bytes() -> None:
    program = "import hashlib; from tests.results.test_result_uids import a_study, file_of; "
    program += "print(hashlib.sha256(file_of(a_study())).hexdigest())"

    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "Asia/Ho_Chi_Minh"))
    }

    assert digests == {hashlib.sha256(file_of(a_study())).hexdigest()}


def test_whoever_changes_what_is_written_raises_the_composers_version() -> None:
    report = structured_report(a_study())

    assert report is not None
    words = re.sub(r"2\.25\.\d+", "UID", report.to_json()).replace(__version__, "VERSION")
    assert hashlib.sha256(words.encode()).hexdigest() == WRITTEN[COMPOSER_VERSION]


def test_objects_of_two_sop_classes_and_two_images_have_uids_of_their_own() -> None:
    study = a_study()
    uids = [sop_instance_uid(study, SR), sop_instance_uid(study, SC, "1.2.3.1"), sop_instance_uid(study, SC, "1.2.3.2")]

    uids += [SOPInstanceUID(series_instance_uid(uid)) for uid in uids]

    assert len(set(uids)) == len(uids)


def test_a_finding_is_tracked_into_the_revised_report() -> None:
    image = SOPInstanceUID("1.2.3.1")

    assert tracking_uid(MODEL, image, "mass") == tracking_uid(MODEL, image, "mass")
    assert tracking_uid(MODEL, image, "mass") != tracking_uid(MODEL, image, "mass", "region 1")
    assert tracking_uid(MODEL, image, "mass") != tracking_uid(MODEL, SOPInstanceUID("1.2.3.2"), "mass")


def test_each_pair_of_packs_is_a_device_of_its_own() -> None:
    devices = [
        device_uid(model, scope)
        for model in (MODEL, replace(MODEL, digest="ef" * 32))
        for scope in (None, SCOPE, replace(SCOPE, digest="ef" * 32))
    ]

    assert len(set(devices)) == len(devices)
    assert device_uid(MODEL, SCOPE) == device_uid(replace(MODEL, name="renamed"), SCOPE)


def test_a_uid_is_one_by_the_standard() -> None:
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", sop_instance_uid(a_study(), SR))
