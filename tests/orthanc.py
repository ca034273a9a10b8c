"""A real Orthanc on this machine's loopback, for as long as a test needs it."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

STARTS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Orthanc:
    """Where it listens."""

    http_port: int
    dicom_port: int

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def is_up(self) -> bool:
        try:
            return bool(self._get("/system"))
        except OSError:
            return False

    def objects(self) -> list[Dataset]:
        """Everything it holds, as it gives it back."""
        names = json.loads(self._get("/instances"))
        return [dcmread(BytesIO(self._get(f"/instances/{name}/file"))) for name in names]


@contextmanager
def running_orthanc(folder: Path) -> Iterator[Orthanc]:
    """Start Debian's Orthanc on free ports with its defaults, and stop it afterwards."""
    orthanc = Orthanc(_free_port(), _free_port())
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "HttpPort": orthanc.http_port,
        "DicomPort": orthanc.dicom_port,
        "RemoteAccessAllowed": False,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), "utf-8")
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log)
        try:
            _wait_for(orthanc, process)
            yield orthanc
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(orthanc: Orthanc, process: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTS_WITHIN_S * 10):
        if orthanc.is_up():
            return
        assert process.poll() is None, "Orthanc ended before it was up"
        time.sleep(0.1)
    message = "Orthanc is not up"
    raise TimeoutError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
