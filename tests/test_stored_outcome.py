"""What was made of a radiograph comes back as it was."""

import numpy as np
import pytest

from tests.factories import a_dataset
from tests.readings import MODEL, POLICY, a_read_image, accepted
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.header import header_of
from xray_ai.reading_room import TriagedRadiograph, UnreadRadiograph
from xray_ai.stored_outcome import as_bytes, from_bytes


def a_triaged_radiograph() -> TriagedRadiograph:
    image = accepted(a_read_image(ordered=Priority.STAT), ScopeQuestion.CLIPPED)
    return TriagedRadiograph(image.header, image.reading, POLICY, image.decision, (Note("clipped", "Clipped."),))


def test_a_reading_comes_back_with_its_scores_its_reasons_and_its_policy() -> None:
    outcome = a_triaged_radiograph()

    back = from_bytes(as_bytes(outcome))

    assert isinstance(back, TriagedRadiograph)
    assert (back.header, back.notes, back.policy) == (outcome.header, outcome.notes, outcome.policy)
    assert (back.reading.scores, back.reading.scope) == (outcome.reading.scores, outcome.reading.scope)
    assert back.decision == outcome.decision


def test_its_heatmaps_come_back_to_the_last_bit() -> None:
    outcome = a_triaged_radiograph()

    back = from_bytes(as_bytes(outcome))

    assert isinstance(back, TriagedRadiograph)
    for ours, theirs in zip(outcome.reading.heatmaps, back.reading.heatmaps, strict=True):
        assert (ours.finding, ours.box) == (theirs.finding, theirs.box)
        assert np.array_equal(ours.values, theirs.values)


@pytest.mark.parametrize("with_header", [True, False])
def test_a_refusal_comes_back_with_its_reason(*, with_header: bool) -> None:
    header = header_of(a_dataset()) if with_header else None
    rejection = StudyRejected(RejectionCode.TURNED, "It is turned.", remedy="Send it upright.")

    back = from_bytes(as_bytes(UnreadRadiograph(header, rejection, MODEL)))

    assert isinstance(back, UnreadRadiograph)
    assert (back.header, back.refused_by) == (header, MODEL)
    assert (back.rejection.code, str(back.rejection)) == (rejection.code, str(rejection))


def test_the_same_outcome_gives_the_same_bytes() -> None:
    assert as_bytes(a_triaged_radiograph()) == as_bytes(a_triaged_radiograph())


def test_what_holds_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a reading nor a refusal"):
        from_bytes(b'{"triaged": null, "unread": null}')
