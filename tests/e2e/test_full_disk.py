"""A disk that fills up: senders are told, the service stays up, and goes on with everything once there is room."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.peers import a_program
from tests.e2e.serving import held_by, serving, storescp, studies_on_disk, until
from tests.packs import a_pack, absent, present
from tests.scope_packs import a_scope_pack

pytestmark = pytest.mark.e2e

RESULTS_A_STUDY = 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of a service whose storage lies on a disk of 24 MiB."""
    storage = tmp_path / "storage"
    storage.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", storage], check=False)
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", storage], check=True)


def fill(file: Path) -> None:
    """Write until nothing more goes."""
    with file.open("wb", buffering=0) as disk:
        try:
            while True:
                disk.write(bytes(1024))
        except OSError:
            pass


def test_what_was_taken_before_the_disk_was_full_is_read_and_delivered_after(small_disk: Path) -> None:
    a_pack(small_disk / "packs", (present("mass"), absent("pneumothorax")))
    a_scope_pack(small_disk / "packs")
    files = studies_on_disk(small_disk / "sent", 6)
    with (
        a_program(storescp(small_disk), small_disk) as port,
        serving(small_disk, {"pacs": port}, models=small_disk / "packs") as service,
    ):
        assert all(service.push(*files[:4]))
        fill(small_disk / "storage" / "filled")
        assert not any(service.push(*files[4:]))
        (small_disk / "storage" / "filled").unlink()
        assert all(service.push(*files[4:]))
        until(lambda: service.is_done(len(files)), "all is read and delivered")
        refused = [line for line in service.log() if line.get("event") == "object.refused"]

    assert {line["status"] for line in refused} == {"A700"}
    assert len(held_by(small_disk)) == RESULTS_A_STUDY * len(files)
