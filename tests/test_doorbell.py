"""Whoever listens hears the bell, and who rings does not depend on it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from xray_ai.doorbell import DRAINED_AT_ONCE, Doorbell, ring

PIPE_HOLDS = 2**16  # bytes, pipe(7)


def listen_to_the_end(bell: Doorbell) -> None:
    while not bell.wait():
        continue


def test_a_ring_ends_the_wait_and_sets_nothing(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path / "bell")

    ring(tmp_path / "bell")

    assert bell.wait() is False


def test_a_ring_of_another_process_is_heard(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path / "bell")
    told = "from pathlib import Path; from xray_ai.doorbell import ring; ring(Path('bell'))"

    subprocess.run([sys.executable, "-c", told], cwd=tmp_path, check=True)

    assert bell.wait() is False


def test_it_ends_for_good_when_it_is_set(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path / "bell")

    with ThreadPoolExecutor(1) as listener:
        heard = listener.submit(bell.wait)
        bell.set()

    assert heard.result() is True
    assert bell.wait() is True


def test_one_that_is_set_while_another_listener_takes_the_ring_ends_all_the_same(tmp_path: Path) -> None:
    bell, other = Doorbell(tmp_path / "bell"), Doorbell(tmp_path / "bell")

    with ThreadPoolExecutor(2) as listeners:
        ended = [listeners.submit(listen_to_the_end, one) for one in (bell, other)]
        bell.set()
        other.set()

    assert all(one.done() for one in ended)


def test_nobody_waits_where_nobody_listens_or_nobody_answers(tmp_path: Path) -> None:
    ring(tmp_path / "none")
    bell = Doorbell(tmp_path / "bell")

    for _ in range(PIPE_HOLDS + DRAINED_AT_ONCE):
        ring(tmp_path / "bell")

    assert bell.wait() is False
