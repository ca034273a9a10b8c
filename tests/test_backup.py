"""A backup is taken while the service runs, and what is restored from it is what there was."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.records.databases import upgraded
from tests.records.rows import NOW, STUDY, a_reading, an_instance, receive
from xray_ai import backup
from xray_ai.backup import CARD, BackupFailed, back_up, restore
from xray_ai.domain.received import ObjectDigest
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.objects import LocalObjects
from xray_ai.records import readings, received_instances, retention, studies
from xray_ai.records.database import copy_sqlite, reading, writing


class Service:
    """A storage with records and objects in it."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine, self.root = engine, root
        self.objects = LocalObjects(root)

    def receive(self, number: int) -> ObjectDigest:
        """Let an image come, and keep its bytes."""
        digest = self.objects.put(f"image {number}".encode() * 1000)
        receive(self.engine, an_instance(f"1.2.3.1.{number}", digest=digest))
        return digest

    def back_up(self, target: Path) -> None:
        back_up(self.engine, self.root, target, NOW)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    root = tmp_path / "storage"
    root.mkdir()
    with upgraded(f"sqlite:///{root}/records.sqlite") as engine:
        yield Service(engine, root)


def restored(source: Path, root: Path) -> set[ObjectDigest]:
    """Restore, and answer with the objects that are named and there."""
    restore(source, root, root / "records.sqlite")
    with upgraded(f"sqlite:///{root}/records.sqlite") as engine, reading(engine) as connection:
        named = retention.recorded_objects(connection)
        assert studies.find(connection, STUDY) is not None
    objects = LocalObjects(root)
    return {digest for digest in named if objects.path(digest).is_file()}


def test_what_is_restored_is_what_there_was(service: Service, tmp_path: Path) -> None:
    images = {service.receive(number) for number in range(3)}
    heatmap = service.objects.put(b"a heatmap")
    with writing(service.engine) as connection:
        readings.record(connection, a_reading("1.2.3.1.1", heatmap_digest=heatmap))

    service.back_up(tmp_path / "backup")

    assert restored(tmp_path / "backup", tmp_path / "new") == {*images, heatmap}


def test_a_backup_may_lie_on_another_file_system(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    image = service.receive(1)
    monkeypatch.setattr(os, "link", no_links)

    service.back_up(tmp_path / "backup")

    assert restored(tmp_path / "backup", tmp_path / "new") == {image}


def test_what_comes_while_the_backup_is_taken_is_in_it_whole_or_not_at_all(service: Service, tmp_path: Path) -> None:
    service.receive(0)
    is_over = threading.Event()

    def go_on_receiving() -> None:
        number = 0
        while not is_over.is_set():
            service.receive(number := number + 1)

    receiving = threading.Thread(target=go_on_receiving)
    receiving.start()
    service.back_up(tmp_path / "backup")
    is_over.set()
    receiving.join()

    there = restored(tmp_path / "backup", tmp_path / "new")
    with upgraded(f"sqlite:///{tmp_path}/new/records.sqlite") as engine, reading(engine) as connection:
        assert {one.digest for one in received_instances.versions_of_study(connection, STUDY)} == there


def test_what_expires_while_the_backup_is_taken_is_not_missed(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.receive(1)
    receive(service.engine, an_instance("1.9", digest=service.objects.put(b"old"), study_instance_uid="1.2.9"))

    def expire_after(engine: Engine, target: Path) -> None:
        copy_sqlite(engine, target)
        with writing(engine) as connection:
            for digest in retention.forget_study(connection, StudyInstanceUID("1.2.9")):
                service.objects.delete(digest)

    monkeypatch.setattr(backup, "copy_sqlite", expire_after)
    service.back_up(tmp_path / "backup")

    assert len(restored(tmp_path / "backup", tmp_path / "new")) == 1


def test_objects_that_no_row_names_are_left_behind(service: Service, tmp_path: Path) -> None:
    service.receive(1)
    service.objects.put(b"nobody knows it")

    service.back_up(tmp_path / "backup")

    assert len([path for path in (tmp_path / "backup" / "objects").rglob("*") if path.is_file()]) == 1


def test_a_storage_that_lost_an_object_is_backed_up_and_restored_without_it(service: Service, tmp_path: Path) -> None:
    lost, kept = service.receive(1), service.receive(2)
    service.objects.delete(lost)

    copied = back_up(service.engine, service.root, tmp_path / "backup", NOW)

    assert (copied.objects, copied.missing) == (1, 1)
    assert restored(tmp_path / "backup", tmp_path / "new") == {kept}


def test_a_backup_is_for_its_owner_alone(service: Service, tmp_path: Path) -> None:
    service.back_up(tmp_path / "backup")

    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["backup.json", "anything"])
def test_a_folder_that_is_not_empty_is_not_written_into(service: Service, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(BackupFailed, match="is not empty"):
        service.back_up(tmp_path)


# ---- what must not be restored


@pytest.fixture
def taken(service: Service, tmp_path: Path) -> Path:
    """A backup with one object in it."""
    service.receive(1)
    service.back_up(tmp_path / "backup")
    return tmp_path / "backup"


def the_object(taken: Path) -> Path:
    (found,) = [path for path in (taken / "objects").rglob("*") if path.is_file()]
    return found


def test_nothing_is_restored_over_a_storage_in_use(taken: Path, service: Service) -> None:
    before = sorted(service.root.rglob("*"))

    with pytest.raises(BackupFailed, match="is not empty"):
        restore(taken, service.root, service.root / "records.sqlite")

    assert sorted(service.root.rglob("*")) == before


def test_a_backup_that_was_not_finished_is_refused(taken: Path, tmp_path: Path) -> None:
    (taken / CARD).unlink()

    with pytest.raises(BackupFailed, match="holds no whole backup"):
        restore(taken, tmp_path / "new", tmp_path / "new" / "records.sqlite")


def test_an_object_that_was_altered_is_found_and_nothing_serves_the_rest(taken: Path, tmp_path: Path) -> None:
    damaged = the_object(taken)
    content = damaged.read_bytes()
    damaged.unlink()  # it is a link: the service's own object stays
    damaged.write_bytes(content[:-1] + b"?")

    with pytest.raises(BackupFailed, match="gone or altered"):
        restore(taken, tmp_path / "new", tmp_path / "new" / "records.sqlite")

    assert not (tmp_path / "new" / "records.sqlite").exists()


def test_an_object_that_is_gone_is_found(taken: Path, tmp_path: Path) -> None:
    the_object(taken).unlink()

    with pytest.raises(BackupFailed, match="gone or altered"):
        restore(taken, tmp_path / "new", tmp_path / "new" / "records.sqlite")


def test_records_that_were_altered_are_found(taken: Path, tmp_path: Path) -> None:
    with (taken / "records.sqlite").open("ab") as file:
        file.write(b"?")

    with pytest.raises(BackupFailed, match="records of the backup are damaged"):
        restore(taken, tmp_path / "new", tmp_path / "new" / "records.sqlite")


def test_a_lock_and_a_mount_points_own_folder_do_not_count(taken: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "lost+found").mkdir(parents=True)
    (tmp_path / "new" / "service.lock").touch()

    assert len(restored(taken, tmp_path / "new")) == 1
