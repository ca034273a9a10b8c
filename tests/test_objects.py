"""What is kept is whole, once, and under its digest; what was not kept leaves nothing behind."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xray_ai import objects as objects_module
from xray_ai.domain.received import ObjectDigest
from xray_ai.objects import LocalObjects, ObjectStoreFull

RECEIVE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from xray_ai.objects import LocalObjects

objects = LocalObjects(Path(sys.argv[1]))
incoming = objects.incoming()
incoming.write(b"image")
if sys.argv[2] == "after":
    objects.keep(incoming)
os.kill(os.getpid(), signal.SIGKILL)
"""
IMAGE = ObjectDigest(hashlib.sha256(b"image").hexdigest())


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[LocalObjects]:
    store = LocalObjects(tmp_path)
    yield store
    store.close()


def leftovers(root: Path) -> list[str]:
    return [path.name for path in (root / "incoming").iterdir()]


def kept(root: Path) -> list[str]:
    return [path.name for path in (root / "objects").rglob("*") if path.is_file()]


def receive_and_die(root: Path, when: str) -> None:
    """Let another process lose its power, before or after it kept an object; nothing is recorded."""
    died = subprocess.run([sys.executable, "-c", RECEIVE_AND_DIE, str(root), when], check=False)
    assert died.returncode == -signal.SIGKILL


def test_an_object_lies_under_its_digest(objects: LocalObjects, tmp_path: Path) -> None:
    digest = objects.put(b"image")

    assert digest == IMAGE
    assert objects.path(digest) == tmp_path / "objects" / digest[:2] / digest[2:4] / digest
    assert objects.path(digest).read_bytes() == b"image"
    assert leftovers(tmp_path) == []


def test_the_same_bytes_twice_are_one_object(objects: LocalObjects, tmp_path: Path) -> None:
    assert objects.put(b"image") == objects.put(b"image")

    assert kept(tmp_path) == [IMAGE]


def test_threads_that_keep_the_same_bytes_at_once_make_one_object(objects: LocalObjects, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        digests = set(threads.map(objects.put, [b"image"] * 32))

    assert digests == {IMAGE}
    assert kept(tmp_path) == [IMAGE]


@pytest.mark.parametrize("piece_bytes", [1, 1000, 70_000, 2**20, 5 * 2**20])
def test_the_digest_is_that_of_all_bytes_however_they_come(objects: LocalObjects, piece_bytes: int) -> None:
    content = bytes(range(256)) * (20_000 if piece_bytes > 1 else 4)

    with objects.incoming() as incoming:
        for start in range(0, len(content), piece_bytes):
            incoming.write(memoryview(content)[start : start + piece_bytes])
        digest = objects.keep(incoming)

    assert digest == hashlib.sha256(content).hexdigest()
    assert objects.path(digest).read_bytes() == content


def test_what_was_not_kept_is_gone(objects: LocalObjects, tmp_path: Path) -> None:
    with objects.incoming() as incoming:
        incoming.write(bytes(5 * 2**20))

    assert leftovers(tmp_path) == kept(tmp_path) == []


def test_keeping_again_before_closing_puts_a_deleted_object_back(objects: LocalObjects) -> None:
    with objects.incoming() as incoming:
        incoming.write(b"image")
        objects.delete(objects.keep(incoming))
        objects.keep(incoming)

    assert objects.path(IMAGE).read_bytes() == b"image"


def test_a_deleted_object_is_gone_and_may_be_deleted_again(objects: LocalObjects, tmp_path: Path) -> None:
    digest = objects.put(b"image")

    objects.delete(digest)
    objects.delete(digest)

    assert kept(tmp_path) == []


def test_sweep_removes_what_a_dead_process_had_begun(objects: LocalObjects, tmp_path: Path) -> None:
    receive_and_die(tmp_path, "before")
    assert len(leftovers(tmp_path)) == 1

    assert objects.sweep() == 1

    assert leftovers(tmp_path) == kept(tmp_path) == []


def test_sweep_removes_an_object_that_was_kept_and_never_recorded(objects: LocalObjects, tmp_path: Path) -> None:
    receive_and_die(tmp_path, "after")

    objects.sweep(lambda _: False)

    assert leftovers(tmp_path) == kept(tmp_path) == []


def test_sweep_leaves_an_object_that_is_recorded(objects: LocalObjects, tmp_path: Path) -> None:
    receive_and_die(tmp_path, "after")

    objects.sweep(lambda digest: digest == IMAGE)

    assert leftovers(tmp_path) == []
    assert kept(tmp_path) == [IMAGE]


def test_sweep_leaves_what_a_living_process_receives(objects: LocalObjects, tmp_path: Path) -> None:
    with objects.incoming() as incoming:
        incoming.write(b"image")

        assert LocalObjects(tmp_path).sweep(lambda _: False) == 0

        assert objects.keep(incoming) == IMAGE


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "a" * 63, "a" * 64 + "\n", "/" + "a" * 63])
def test_only_a_digest_names_an_object(objects: LocalObjects, name: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        objects.path(ObjectDigest(name))


def test_an_endless_object_is_stopped(objects: LocalObjects, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(objects_module, "LARGEST_OBJECT_BYTES", 1000)

    with objects.incoming() as incoming, pytest.raises(ObjectStoreFull, match="larger than"):
        incoming.write(bytes(1001))

    assert leftovers(tmp_path) == []


def test_a_full_disk_is_named_as_such(objects: LocalObjects) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with objects.incoming() as incoming:
        os.dup2(full, incoming._file)  # noqa: SLF001 - a full disk, without filling one

        with pytest.raises(ObjectStoreFull) as refusal:
            incoming.write(b"image")
    os.close(full)

    assert isinstance(refusal.value.__cause__, OSError)
    assert refusal.value.__cause__.errno == errno.ENOSPC


def test_the_free_share_is_that_of_the_disk_below(objects: LocalObjects) -> None:
    assert 0.0 < objects.free_share() <= 1.0
    assert objects.free_bytes() > 0
