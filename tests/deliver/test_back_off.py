"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray_ai.deliver.back_off import BackOff, next_try, next_try_after
from xray_ai.domain.delivery import DeliveryRefused
from xray_ai.errors import PeerUnavailable

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SOME = BackOff(first_wait_s=10.0, longest_wait_s=60.0, most_attempts=6)


@pytest.mark.parametrize(("attempt", "longest_s"), [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60)])
def test_the_longest_wait_doubles_up_to_its_cap(attempt: int, longest_s: int) -> None:
    assert next_try(NOW, attempt, 1.0, SOME) == NOW + timedelta(seconds=longest_s)


def test_the_draw_spreads_deliveries_over_the_whole_wait() -> None:
    assert next_try(NOW, 2, 0.0, SOME) == NOW
    assert next_try(NOW, 2, 0.25, SOME) == NOW + timedelta(seconds=5)


def test_after_the_last_attempt_it_is_a_dead_letter() -> None:
    assert next_try(NOW, 5, 0.5, SOME) is not None
    assert next_try(NOW, 6, 0.5, SOME) is None


def test_what_needs_a_person_is_a_dead_letter_at_once() -> None:
    refusal = DeliveryRefused("It does not know us.", remedy="Register us there.")

    assert next_try_after(refusal, NOW, 1, 0.5, SOME) is None
    assert next_try_after(PeerUnavailable("It is down.", remedy=""), NOW, 1, 0.5, SOME) is not None


@given(attempt=st.integers(1, 399), draw=st.floats(0, 1))
def test_no_wait_is_longer_than_the_cap(attempt: int, draw: float) -> None:
    due = next_try(NOW, attempt, draw)

    assert due is not None
    assert NOW <= due <= NOW + timedelta(seconds=BackOff().longest_wait_s)


def test_as_it_stands_a_pacs_may_be_away_over_a_weekend_day_and_night() -> None:
    waits = [BackOff().longest_after(attempt) / 2 for attempt in range(1, BackOff().most_attempts)]

    assert timedelta(days=2) < timedelta(seconds=sum(waits)) < timedelta(days=3)
