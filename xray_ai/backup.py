"""Backup and restore: a consistent copy of records and objects, taken while the service runs.

The records are copied first, as they stand at one moment; then each object that they name, which never changes. What
expires meanwhile is looked for in a newer copy of the records. A folder with `backup.json` in it is a whole backup.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine

from xray_ai import __version__
from xray_ai.domain.received import ObjectDigest
from xray_ai.errors import OperatorNeeded
from xray_ai.objects import place_of
from xray_ai.records.database import copy_sqlite, open_copy, reading
from xray_ai.records.retention import recorded_objects

RECORDS, OBJECTS, CARD = "records.sqlite", "objects", "backup.json"
MOST_ROUNDS = 5
MAY_STAND = frozenset({"service.lock", "lost+found"})  # in a storage that is empty
PRIVATE = 0o700


class BackupFailed(OperatorNeeded):
    """A backup was not made, or not restored."""


class BackupCard(BaseModel):
    """What a backup says of itself; it is written last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str  # of the program that made it
    made_at: datetime
    records_sha256: str
    objects: int
    missing: frozenset[ObjectDigest]  # named by the records, and gone from the storage before the backup was taken


@dataclass(frozen=True, slots=True)
class Copied:
    """How much was copied."""

    objects: int
    bytes: int
    missing: int
    made_at: datetime


def records_file(engine: Engine) -> Path:
    """Where the records lie. Raises BackupFailed, when PostgreSQL keeps them."""
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        raise BackupFailed(
            "Only records in SQLite are backed up and restored by this program.",
            remedy="Back PostgreSQL up with pg_dump first, and the folder storage.root/objects after it.",
        )
    return Path(engine.url.database)


def back_up(engine: Engine, storage_root: Path, target: Path, now: datetime) -> Copied:
    """Copy records and objects into an empty folder; objects are linked where that is possible. Raises BackupFailed."""
    records_file(engine)
    _make_empty(target)
    named, missing = _copy_all(engine, storage_root, target)
    for path in _objects_in(target):
        if ObjectDigest(path.name) not in named:  # it expired between two copies of the records
            path.unlink()
    _sync_tree(target)
    card = BackupCard(
        version=__version__,
        made_at=now,
        records_sha256=_digest_of(target / RECORDS),
        objects=len(named - missing),
        missing=frozenset(missing),
    )
    _write_durably(target / CARD, card.model_dump_json(indent=1).encode())
    return Copied(card.objects, sum(path.stat().st_size for path in _objects_in(target)), len(missing), now)


def restore(source: Path, storage_root: Path, records: Path) -> Copied:
    """Copy a backup into an empty storage, each object held to its digest. Raises BackupFailed."""
    card = _card_of(source)
    if records.exists() or any(path.name not in MAY_STAND for path in _entries(storage_root)):
        raise BackupFailed(f"{storage_root} is not empty.", remedy="Restore into an empty storage.root.")
    if _digest_of(source / RECORDS) != card.records_sha256:
        raise BackupFailed("The records of the backup are damaged.", remedy="Take another backup.")
    named = _objects_named_in(source / RECORDS) - card.missing
    size = sum(_restore_object(source, storage_root, digest) for digest in sorted(named))
    _sync_tree(storage_root)
    records.parent.mkdir(parents=True, exist_ok=True)
    unfinished = records.with_name(f"{records.name}.restoring")
    shutil.copyfile(source / RECORDS, unfinished)
    _sync(unfinished)
    unfinished.rename(records)  # last: without records nothing serves a storage that is half there
    _sync(records.parent)
    return Copied(len(named), size, len(card.missing), card.made_at)


def _copy_all(engine: Engine, storage_root: Path, target: Path) -> tuple[set[ObjectDigest], set[ObjectDigest]]:
    """Copy records and objects; which objects the records name, and which of them are not there."""
    earlier: set[ObjectDigest] = set()
    for _ in range(MOST_ROUNDS):
        (target / RECORDS).unlink(missing_ok=True)
        copy_sqlite(engine, target / RECORDS)
        named = _objects_named_in(target / RECORDS)
        missing = _copy_missing(storage_root, target, named)
        if missing == earlier:  # none, or such as did not expire meanwhile
            return named, missing
        earlier = missing
    raise BackupFailed("Objects expire faster than they can be copied.", remedy="Try again at a quieter hour.")


def _make_empty(target: Path) -> None:
    try:
        target.mkdir(PRIVATE, parents=True, exist_ok=True)
        is_empty = not any(target.iterdir())
    except OSError as error:
        raise BackupFailed(f"The folder {target} cannot be made.", remedy="Check the path and its rights.") from error
    if not is_empty:
        raise BackupFailed(f"{target} is not empty.", remedy="Name a new folder for each backup.")


def _objects_named_in(records: Path) -> set[ObjectDigest]:
    engine = open_copy(records)
    try:
        with reading(engine) as connection:
            return set(recorded_objects(connection))
    finally:
        engine.dispose()


def _copy_missing(storage_root: Path, target: Path, named: Iterable[ObjectDigest]) -> set[ObjectDigest]:
    """Copy what is not in the backup yet; what was not found."""
    vanished = set()
    for digest in named:
        place = place_of(target / OBJECTS, digest)
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _link_or_copy(place_of(storage_root / OBJECTS, digest), place)
        except FileNotFoundError:
            vanished.add(digest)
    return vanished


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one that knows no links
        shutil.copyfile(source, target)
        _sync(target)


def _restore_object(source: Path, storage_root: Path, digest: ObjectDigest) -> int:
    """Copy an object, and hold what was copied to its name; its size."""
    kept, place = place_of(source / OBJECTS, digest), place_of(storage_root / OBJECTS, digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(kept, place)
        if _digest_of(place) == digest:
            _sync(place)
            return place.stat().st_size
    place.unlink(missing_ok=True)
    raise BackupFailed(
        f"The backup is damaged: an object of it is gone or altered ({digest[:16]}).",
        remedy="Take another backup; nothing serves what was copied so far, which may be deleted.",
    )


def _card_of(source: Path) -> BackupCard:
    try:
        return BackupCard.model_validate_json((source / CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise BackupFailed(f"{source} holds no whole backup.", remedy=f"Name a folder with {CARD} in it.") from error


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _objects_in(target: Path) -> Iterable[Path]:
    return (path for path in (target / OBJECTS).rglob("*") if path.is_file())


def _digest_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write_durably(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    _sync(file)
    _sync(file.parent)


def _sync_tree(root: Path) -> None:
    """Bring the names in all folders to the medium."""
    for folder, _, _ in os.walk(root):
        _sync(Path(folder))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
