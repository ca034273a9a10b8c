"""One JSON object for each file: what the contract promises to programs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.factories import a_radiograph_header
from tests.packs import Tree
from xray_ai.domain.finding import ABNORMALITY, Code, Finding, FindingKey, Score
from xray_ai.domain.radiograph import Note, ViewPosition
from xray_ai.domain.reading import ModelIdentity, Reading, ScopeReading
from xray_ai.domain.scope import ScopeAnswer, ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.results.triage_json import Read, TriagedFile
from xray_ai.results.triage_json import as_json as json_object
from xray_ai.triage import TriagePolicy, triage

POLICY = TriagePolicy.parse('name = "ours"\n[priorities]\nmass = "HIGH"\nabnormality = "HIGH"')
MODEL = ModelIdentity("tiny", "1.2.3", "ab" * 32)
SCOPE = ModelIdentity("tiny-scope", "0.1.0", "cd" * 32)
REJECTION = StudyRejected(RejectionCode.NO_PIXEL_DATA, "The object has no pixel data.", remedy="Send the image itself.")


def a_score(key: str, probability: float) -> Score:
    return Score(Finding(FindingKey(key), key.title(), Code("SCT", "1", key)), probability, 0.5, 0.1)


def a_read_file(
    mass: float = 0.9,
    abnormality: float = 0.1,
    notes: tuple[Note, ...] = (),
    **changes: Any,  # noqa: ANN401 - any field
) -> TriagedFile:
    scores = (a_score("mass", mass), a_score(ABNORMALITY, abnormality))
    read = Read(Reading(MODEL, scores, heatmaps=()), triage(scores, POLICY), POLICY, notes)
    return replace(TriagedFile(Path("a/chest.dcm"), a_radiograph_header(), 0.25, files=None, read=read), **changes)


def a_file_with(*answers: ScopeAnswer) -> TriagedFile:
    """A file that was read after a scope check."""
    file = a_read_file()
    assert file.read is not None
    return replace(
        file, read=replace(file.read, reading=replace(file.read.reading, scope=ScopeReading(SCOPE, answers)))
    )


def an_unread_file(**changes: Any) -> TriagedFile:  # noqa: ANN401 - any field
    return replace(a_read_file(), **{"rejection": REJECTION, "read": None} | changes)


def as_json(triaged: TriagedFile) -> Tree:
    return json_object(triaged)


def test_abnormality_stands_beside_the_findings_and_not_among_them() -> None:
    tree = as_json(a_read_file())

    assert [finding["key"] for finding in tree["findings"]] == ["mass"]
    assert tree["abnormality"] == {"probability": 0.1, "operating_point": 0.5, "positive": False}


def test_a_finding_tells_its_code_probability_and_operating_point() -> None:
    (finding,) = as_json(a_read_file(mass=0.7))["findings"]

    code = {"scheme": "SCT", "value": "1", "meaning": "mass"}
    judged = {"probability": 0.7, "operating_point": 0.5, "positive": True}
    assert finding == {"key": "mass", "name": "Mass", "code": code, **judged}


def test_the_reasons_may_hold_abnormality() -> None:
    tree = as_json(a_read_file(mass=0.6, abnormality=0.99))

    assert (tree["priority"], tree["because"]) == ("HIGH", ["mass", "abnormality"])


def test_a_read_file_that_flags_nothing_is_routine_without_reasons() -> None:
    tree = as_json(a_read_file(mass=0.2))

    assert (tree["status"], tree["priority"], tree["because"]) == ("read", "ROUTINE", [])


def test_model_and_policy_are_named_with_their_digests() -> None:
    tree = as_json(a_read_file())

    assert tree["model"] == {"name": "tiny", "version": "1.2.3", "digest": "ab" * 32}
    assert tree["policy"] == {"name": "ours", "digest": POLICY.digest}


def test_a_file_that_is_not_read_has_its_reason_and_no_priority() -> None:
    tree = as_json(an_unread_file())

    assert (tree["status"], tree["priority"], tree["abnormality"]) == ("not_read", None, None)
    assert tree["reason"] == {"code": "no_pixel_data", "text": "The object has no pixel data. Send the image itself."}
    assert tree["sop_instance_uid"] == "1.2.826.0.1.3680043.10.1"


def test_a_file_without_a_header_has_no_uids_and_no_view() -> None:
    tree = as_json(an_unread_file(header=None))

    assert (tree["sop_instance_uid"], tree["study_instance_uid"], tree["view_position"]) == (None, None, None)


@pytest.mark.parametrize("view", ViewPosition)
def test_the_view_is_told_in_one_word(view: ViewPosition) -> None:
    assert as_json(a_read_file(header=a_radiograph_header(view_position=view)))["view_position"] == view.value


def test_notes_are_told() -> None:
    tree = as_json(a_read_file(notes=(Note("patient_age_unknown", "No age."),)))

    assert tree["notes"] == [{"code": "patient_age_unknown", "text": "No age."}]


def test_the_scope_pack_is_named_with_its_answers() -> None:
    tree = as_json(a_file_with(ScopeAnswer(ScopeQuestion.INVERTED, 0.25, 0.5)))

    answers = [{"key": "inverted", "probability": 0.25, "point": 0.5}]
    assert tree["scope"] == {"name": "tiny-scope", "version": "0.1.0", "digest": "cd" * 32, "answers": answers}


def test_a_refusal_by_the_pixels_names_the_scope_pack() -> None:
    tree = as_json(an_unread_file(refused_by=SCOPE))

    assert tree["scope"] == {"name": "tiny-scope", "version": "0.1.0", "digest": "cd" * 32}


def test_where_pixels_were_not_checked_no_scope_pack_is_named() -> None:
    tree = as_json(a_read_file())

    assert (tree["scope"], tree["image_quality"]) == (None, {"rating": None, "findings": []})


def test_a_poor_image_has_its_rating_and_each_fault_with_its_code() -> None:
    blurred, bright = ScopeAnswer(ScopeQuestion.MOTION, 0.75, 0.5), ScopeAnswer(ScopeQuestion.UNDEREXPOSED, 0.4, 0.5)

    quality = as_json(a_file_with(blurred, bright))["image_quality"]

    assert quality["rating"] == {"scheme": "RADLEX", "value": "RID13", "meaning": "Limited quality"}
    code = {"scheme": "DCM", "value": "111210", "meaning": "Motion blur"}
    assert quality["findings"] == [{"key": "motion", "probability": 0.75, "point": 0.5, "code": code}]


def test_files_are_told_only_when_a_folder_was_asked_for() -> None:
    unasked, none_made, made = (as_json(a_read_file(files=files)) for files in (None, {}, {"heatmap": Path("p/h.png")}))

    assert "files" not in unasked
    assert none_made["files"] == {"heatmap": None, "sr": None, "sc": None, "gsps": None}
    assert made["files"] == {"heatmap": "p/h.png", "sr": None, "sc": None, "gsps": None}


@pytest.mark.parametrize("triaged", [a_read_file(), an_unread_file(), an_unread_file(header=None)], ids=str)
def test_every_object_is_json_as_it_is(triaged: TriagedFile) -> None:
    tree = as_json(triaged)

    assert json.loads(json.dumps(tree, allow_nan=False)) == tree
