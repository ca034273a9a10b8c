"""The object store on local disk: bytes under their SHA-256, whole or not at all, whatever happens to the power."""

import errno
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from xray_ai.domain.received import ObjectDigest
from xray_ai.errors import OperatorNeeded
from xray_ai.page_cache import RecentFiles, start_writing_out

DIGEST = re.compile(r"[0-9a-f]{64}")
PIECE_BYTES = 2**20  # digested at once, without the interpreter's lock
FOLLOW_FROM_BYTES = 2**20  # smaller objects are not worth another thread
WRITE_OUT_BYTES = 4 * 2**20  # at once, while more arrive
RECENT_BYTES = 256 * 2**20  # of radiographs which a process leaves in the kernel's memory
LARGEST_OBJECT_BYTES = 2 * 2**30
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ObjectStoreFull(OperatorNeeded):
    """Nothing more can be kept."""

    def __init__(self, found: str = "The disk of the object store is full.") -> None:
        super().__init__(found, remedy="Free space under storage.root, or shorten the retention.")


class Incoming:
    """An object while it is being received; gone when closed, unless it was kept.

    A second thread digests behind the writer, from the page cache: SHA-256 takes longer than receiving does.
    """

    def __init__(self, folder: Path, digesting: ThreadPoolExecutor) -> None:
        self._file, self.path = _locked_file(folder)
        self._digesting = digesting
        self._sha256 = hashlib.sha256()
        self._digested = self._written_out = 0
        self._follower: Future[None] | None = None
        self.size = 0

    def write(self, content: bytes | bytearray | memoryview) -> int:
        """Append. Raises ObjectStoreFull."""
        left = memoryview(content).cast("B")
        count = len(left)
        if self.size + count > LARGEST_OBJECT_BYTES:
            raise ObjectStoreFull(f"The object is larger than {LARGEST_OBJECT_BYTES // 2**30} GiB.")
        with _full_disk_named():
            while left:
                left = left[os.write(self._file, left) :]
        self.size += count
        self._let_digest_follow()
        self._let_disk_follow()
        return count

    def settle(self) -> ObjectDigest:
        """Wait until the bytes are on the medium, and name them. Raises ObjectStoreFull."""
        with _full_disk_named():
            os.fdatasync(self._file)
        if self._follower is not None and not self._follower.cancel():
            self._follower.result()
        self._digest_to_the_end()
        return ObjectDigest(self._sha256.hexdigest())

    def close(self) -> None:
        """Forget what was not kept; may be called twice."""
        if self._file < 0:
            return
        if self._follower is not None and not self._follower.cancel():
            self.size = 0  # stops it
            wait([self._follower])
        self.path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _let_digest_follow(self) -> None:
        is_following = self._follower is not None and not self._follower.done()
        if not is_following and self.size - self._digested >= FOLLOW_FROM_BYTES:
            self._follower = self._digesting.submit(self._digest_to_the_end)

    def _let_disk_follow(self) -> None:
        fresh = self.size - self._written_out
        if fresh >= WRITE_OUT_BYTES:
            start_writing_out(self._file, self._written_out, fresh)
            self._written_out = self.size

    def _digest_to_the_end(self) -> None:
        buffer = memoryview(bytearray(min(PIECE_BYTES, max(self.size - self._digested, 0))))
        while self._digested < self.size:
            count = os.preadv(self._file, [buffer[: self.size - self._digested]], self._digested)
            self._sha256.update(buffer[:count])
            self._digested += count


class LocalObjects:
    """Objects under one folder: `incoming` while they are received, `objects/ab/cd/<digest>` once they are kept."""

    def __init__(self, root: Path) -> None:
        self._incoming = root / "incoming"
        self._objects = root / "objects"
        for folder in (self._incoming, self._objects):
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)
        self._durable_folders: set[Path] = set()
        self._recent = RecentFiles(RECENT_BYTES)
        self._digesting = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="digest")

    def incoming(self) -> Incoming:
        """Begin an object. Raises ObjectStoreFull."""
        with _full_disk_named():
            return Incoming(self._incoming, self._digesting)

    def keep(self, incoming: Incoming) -> ObjectDigest:
        """Put the object in its place for good; done twice it is one object. Raises ObjectStoreFull.

        It is linked there, not moved: until `incoming` is closed, which is after its row is committed, its name
        in `incoming` tells `sweep` that nobody may know the object.
        """
        digest = incoming.settle()
        place = self.path(digest)
        unsure = [folder for folder in place.parents[:2] if folder not in self._durable_folders]
        with _full_disk_named():
            for folder in reversed(unsure):
                folder.mkdir(exist_ok=True)
            with suppress(FileExistsError):  # by another thread, and perhaps not durable yet: so all is synced here too
                os.link(incoming.path, place)
            for folder in (place.parent, *(folder.parent for folder in unsure)):
                _sync_folder(folder)
        self._durable_folders.update(unsure)
        if incoming.size >= FOLLOW_FROM_BYTES:
            self._digesting.submit(self.used, digest)
        return digest

    def put(self, content: bytes) -> ObjectDigest:
        """Keep bytes that are at hand. Raises ObjectStoreFull."""
        with self.incoming() as incoming:
            incoming.write(content)
            return self.keep(incoming)

    def path(self, digest: ObjectDigest) -> Path:
        """Where an object lies, or would lie."""
        return place_of(self._objects, digest)

    def used(self, digest: ObjectDigest) -> None:
        """Say that this process has used an object; what it used long before leaves the kernel's memory."""
        self._recent.use(self.path(digest))

    def delete(self, digest: ObjectDigest) -> None:
        """Let an object go, inside the transaction that deletes the last row that names it (`retention`)."""
        self.path(digest).unlink(missing_ok=True)

    def sweep(self, is_recorded: Callable[[ObjectDigest], bool] | None = None) -> int:
        """Remove what dead processes left in `incoming`, and, told which are recorded, the objects nobody knows.

        What a living process still receives is locked, and stays. Answers how many leftovers there were.
        """
        leftovers = 0
        for path in self._incoming.iterdir():
            with _lock_if_abandoned(path) as is_abandoned:
                if is_abandoned:
                    self._sweep_one(path, is_recorded)
                    leftovers += 1
        return leftovers

    def free_bytes(self) -> int:
        state = os.statvfs(self._objects)
        return state.f_bavail * state.f_frsize

    def free_share(self) -> float:
        """How much of the disk is free for us, 0.0 to 1.0."""
        state = os.statvfs(self._objects)
        return state.f_bavail / max(state.f_blocks, 1)

    def close(self) -> None:
        self._digesting.shutdown()

    def _sweep_one(self, path: Path, is_recorded: Callable[[ObjectDigest], bool] | None) -> None:
        if not path.exists():  # closed since it was listed
            return
        if is_recorded is not None and path.stat().st_nlink > 1:
            with path.open("rb") as file:
                digest = ObjectDigest(hashlib.file_digest(file, "sha256").hexdigest())
            if not is_recorded(digest):
                self.delete(digest)
        path.unlink(missing_ok=True)


def place_of(objects: Path, digest: ObjectDigest) -> Path:
    """Where in a folder of objects this one lies, or would lie."""
    if DIGEST.fullmatch(digest) is None:
        message = "An object is named by 64 hexadecimal digits."
        raise ValueError(message)
    return objects / digest[:2] / digest[2:4] / digest


def _locked_file(folder: Path) -> tuple[int, Path]:
    """Make a file that `sweep` leaves alone for as long as this process holds it open."""
    while True:
        file, name = tempfile.mkstemp(".part", "", folder)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file, Path(name)
        os.close(file)  # swept before it was locked


@contextmanager
def _lock_if_abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody holds this file open; if so, none can from here on."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _is_locked_now(file)
    finally:
        os.close(file)


def _is_locked_now(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _full_disk_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise ObjectStoreFull from error
        raise
