"""The whole service for a benchmark: `xray-ai serve` on a storage of its own, and a PACS that takes its results."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.worker import ROOT

READY_WITHIN_S = 120
CONFIGURATION = """
[storage]
root = "{folder}/storage"
[storage_scp]
port = {dicom}
ae_titles = ["XRAY_AI", "XRAY_STAT"]
ordered_priorities = {{ XRAY_STAT = "STAT" }}
[http]
port = {http}
[engine]
study_quiet_s = {quiet_s}
[[destinations]]
name = "PACS"
ae_title = "PACS"
host = "127.0.0.1"
port = {pacs}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Http:
    """A program that asks the service again and again, on one connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def text(self, path: str) -> str:
        """The answer, whatever its status. Raises OSError or HTTPException, when there is none."""
        try:
            self._connection.request("GET", path)
            return self._connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens it anew
            raise

    def json(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.text(path))

    def is_ready(self) -> bool:
        with suppress(OSError, http.client.HTTPException, ValueError):
            return bool(self.json("/readyz")["ready"])
        return False


@dataclass(slots=True)
class RunningService:
    """Where the service and its PACS are; it may be killed and started again."""

    folder: Path
    dicom_port: int
    http_port: int
    process: subprocess.Popen[bytes]

    @property
    def http(self) -> Http:
        return Http(self.http_port)

    @property
    def records(self) -> Path:
        return self.folder / "storage" / "records.sqlite"

    @property
    def held(self) -> Path:
        """What the PACS has stored, a file an object."""
        return self.folder / "pacs"

    def start_again(self) -> None:
        self.process = _started(self.folder)

    def wait_until_ready(self) -> float:
        """Seconds until the service says so. Raises TimeoutError."""
        asking, started = self.http, time.monotonic()
        while time.monotonic() - started < READY_WITHIN_S:
            if asking.is_ready():
                return time.monotonic() - started
            time.sleep(0.05)
        raise TimeoutError(asking.text("/readyz"))


@contextmanager
def running_service(folder: Path, quiet_s: float) -> Iterator[RunningService]:
    """Start both, and stop them afterwards; the log of the service is left in the folder."""
    dicom, web, pacs = (free_port() for _ in range(3))
    settings = CONFIGURATION.format(folder=folder, dicom=dicom, http=web, pacs=pacs, quiet_s=quiet_s)
    (folder / "xray-ai.toml").write_text(settings, "utf-8")
    (folder / "pacs").mkdir()
    storescp = ["storescp", "--fork", "+xa", "--output-directory", str(folder / "pacs"), str(pacs)]
    archive = subprocess.Popen(storescp, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    service = RunningService(folder, dicom, web, _started(folder))
    try:
        yield service
    finally:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait()
        archive.terminate()
        archive.wait()


def _started(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "xray_ai", "serve", "--config", str(folder / "xray-ai.toml")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / "service.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
