"""A reading process keeps to one thread and keeps its memory."""

import ctypes
import subprocess
import sys

import cv2
import pytest

from tests.house.shape import ROOT
from xray_ai.one_core import settle_on_one_core

FETCHED_PAGES = """
import resource
from xray_ai.one_core import settle_on_one_core

def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        pixels = b"1" * 15_000_000
        del pixels
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

settle_on_one_core()
fetched()
print(fetched())
"""


def test_opencv_keeps_to_one_thread() -> None:
    settle_on_one_core()

    assert cv2.getNumThreads() == 1


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc can be told to keep memory")
def test_the_memory_of_one_radiograph_serves_the_next() -> None:
    pages = subprocess.run([sys.executable, "-c", FETCHED_PAGES], cwd=ROOT, capture_output=True, check=True).stdout

    assert int(pages) < 100


def test_who_lets_others_go_first_has_less_weight_among_processes_and_sessions() -> None:
    told = """
import os
from pathlib import Path
from xray_ai.one_core import AUTOGROUP, let_others_go_first
os.setsid()
let_others_go_first()
assert os.nice(0) == 19
assert not AUTOGROUP.exists() or AUTOGROUP.read_text().split()[-1] == "19"
"""

    assert subprocess.run([sys.executable, "-c", told], cwd=ROOT, check=False).returncode == 0
