"""Files that were used last stay in memory, older ones are let go and stay on disk."""

import os
from pathlib import Path

import pytest

from xray_ai.page_cache import RecentFiles, start_writing_out

SIZE = 2**20


def a_file(folder: Path, name: str) -> Path:
    path = folder / name
    with path.open("wb") as file:
        file.write(os.urandom(SIZE))
        file.flush()
        os.fsync(file.fileno())
    return path


def is_in_memory(path: Path) -> bool:
    """Whether the first page of a file can be read without its medium (preadv2(2), RWF_NOWAIT)."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(file, [bytearray(4096)], 0, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False
    except OSError:
        pytest.skip("this file system does not tell what it holds in memory")
    finally:
        os.close(file)


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A folder whose file system has a medium behind its memory."""
    probe = a_file(tmp_path, "probe")
    recent = RecentFiles(0)
    recent.use(probe)
    recent.use(a_file(tmp_path, "another"))
    if is_in_memory(probe):
        pytest.skip("this file system lives in memory")
    return tmp_path


def test_what_newer_files_crowd_out_is_let_go_and_kept(medium: Path) -> None:
    first, second, third = (a_file(medium, name) for name in ("first", "second", "third"))
    recent = RecentFiles(2 * SIZE)

    for file in (first, second, third):
        recent.use(file)

    assert [is_in_memory(file) for file in (first, second, third)] == [False, True, True]
    assert first.stat().st_size == SIZE


def test_a_file_that_is_used_again_counts_as_new(medium: Path) -> None:
    first, second, third = (a_file(medium, name) for name in ("first", "second", "third"))
    recent = RecentFiles(2 * SIZE)

    for file in (first, second, first, third):
        recent.use(file)

    assert [is_in_memory(file) for file in (first, second, third)] == [True, False, True]


def test_the_last_file_stays_however_large_it_is(medium: Path) -> None:
    file = a_file(medium, "large")

    RecentFiles(SIZE // 2).use(file)

    assert is_in_memory(file)


def test_a_file_that_expired_is_nobodys_concern(tmp_path: Path) -> None:
    gone = a_file(tmp_path, "gone")
    recent = RecentFiles(0)
    recent.use(gone)
    gone.unlink()

    recent.use(gone)
    recent.use(a_file(tmp_path, "here"))


def test_bytes_that_are_written_out_early_are_the_same_bytes(tmp_path: Path) -> None:
    path = a_file(tmp_path, "image")
    content = path.read_bytes()

    with path.open("r+b") as file:
        start_writing_out(file.fileno(), 0, SIZE)

    assert path.read_bytes() == content
