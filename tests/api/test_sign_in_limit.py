"""How often one may try to sign in."""

import pytest

from xray_ai.api.sign_in_limit import MOST_KEPT, WINDOW_S, SignInLimit


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(clock: Clock) -> SignInLimit:
    return SignInLimit(clock)


def fail(limit: SignInLimit, times: int, name: str = "maria", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        limit.failed(name, address)


@pytest.mark.parametrize(("failures", "waits"), [(4, False), (5, True)])
def test_five_failures_of_a_name_from_one_place_are_enough(limit: SignInLimit, failures: int, *, waits: bool) -> None:
    fail(limit, failures)

    assert (limit.wait_s("maria", "10.0.0.1") > 0) is waits


def test_somebody_else_elsewhere_does_not_wait(limit: SignInLimit) -> None:
    fail(limit, 5)

    assert limit.wait_s("maria", "10.0.0.2") == 0
    assert limit.wait_s("linh", "10.0.0.1") == 0


def test_one_address_cannot_try_many_names(limit: SignInLimit) -> None:
    for number in range(30):
        limit.failed(f"name{number}", "10.0.0.1")

    assert limit.wait_s("maria", "10.0.0.1") > 0


def test_many_addresses_cannot_try_one_name(limit: SignInLimit) -> None:
    for number in range(50):
        limit.failed("maria", f"10.0.0.{number}")

    assert limit.wait_s("maria", "10.1.0.1") > 0


def test_waiting_helps(limit: SignInLimit, clock: Clock) -> None:
    fail(limit, 5)
    assert limit.wait_s("maria", "10.0.0.1") == WINDOW_S

    clock.now = WINDOW_S
    assert limit.wait_s("maria", "10.0.0.1") == 0


def test_success_is_a_new_beginning(limit: SignInLimit) -> None:
    fail(limit, 4)
    limit.succeeded("maria", "10.0.0.1")
    fail(limit, 4)

    assert limit.wait_s("maria", "10.0.0.1") == 0


def test_what_is_remembered_is_bounded(limit: SignInLimit) -> None:
    fail(limit, 5)
    for number in range(MOST_KEPT):
        limit.failed(f"name{number}", f"{number}")

    assert limit.wait_s("maria", "10.0.0.1") == 0
