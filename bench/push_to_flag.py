"""How soon a radiograph is flagged: from the last byte of its C-STORE to its committed row on the worklist.

A Poisson load of 15 MB DX over four associations, results and deliveries on. The peer is Orthanc with a script that
asks it each second and scores with pydicom and torch; both take turns under the same load. Only ratios are claimed.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from bench.push_load import Load, Pushed, Pusher, share
from bench.radiograph import FORMS, FULL_SIZE, as_detected, real_chest, write_forms
from bench.raw_scu import Template
from bench.running_service import Http, free_port, running_service
from bench.watcher import Watcher
from bench.worker import ROOT

PATIENCE_S = 600.0  # after the last push: the peer works off a queue
BAR_P50_MS, BAR_P95_MS, BAR_RATIO = 150.0, 300.0, 3.0
QUICK_SIZE = (300, 250)
OURS, PEER = "ours", "Orthanc, polled each second"
WARM_UP = Load(images=40, images_per_s=10.0, associations=4, first_number=900_000)  # until memory goes round


@dataclass(frozen=True, slots=True)
class Waited:
    """How long images waited for their flag, in milliseconds."""

    images: int
    p50_ms: float
    p95_ms: float
    longest_ms: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Self:
        return cls(len(milliseconds), share(milliseconds, 0.5), share(milliseconds, 0.95), max(milliseconds))


Measure = Callable[[Path, Template, Load], Waited]


def push(port: int, template: Template, load: Load, called: str) -> list[Pushed]:
    """Push a load to its end. Raises ConnectionError, when an image was not stored."""
    pusher = Pusher(port, template, load, called)
    pusher.start()
    pusher.join()
    if not all(one.is_stored for one in pusher.pushed):
        raise ConnectionError
    return pusher.pushed


def ours(folder: Path, template: Template, load: Load) -> Waited:
    """Push a load to the service, and watch its worklist."""
    with running_service(folder, quiet_s=10.0) as service:
        service.wait_until_ready()
        with Watcher(service.records) as watcher:
            flagged(watcher.seen, push(service.dicom_port, template, WARM_UP, "XRAY_AI"))
            return flagged(watcher.seen, push(service.dicom_port, template, load, "XRAY_AI"))


def theirs(folder: Path, template: Template, load: Load) -> Waited:
    """Push the same load to Orthanc, whose script says when it has scored each."""
    with _polled_orthanc(folder) as (dicom_port, scored):
        flagged(scored, push(dicom_port, template, WARM_UP, "ORTHANC"))
        return flagged(scored, push(dicom_port, template, load, "ORTHANC"))


def flagged(seen: Mapping[str, float], pushed: Sequence[Pushed]) -> Waited:
    """Wait until each was seen, by its study or by itself; how long each took. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while missing := [one for one in pushed if _seen_at(seen, one) is None]:
        if time.monotonic() > deadline:
            message = f"{len(missing)} of {len(pushed)} images were not flagged"
            raise TimeoutError(message)
        time.sleep(0.05)
    return Waited.of([1e3 * ((_seen_at(seen, one) or 0.0) - one.last_byte_at) for one in pushed])


def _seen_at(seen: Mapping[str, float], one: Pushed) -> float | None:
    return seen.get(one.study_instance_uid, seen.get(one.sop_instance_uid))


@contextmanager
def _polled_orthanc(folder: Path) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Start Orthanc on its defaults, and its script; the port, and when each object was scored."""
    dicom, web = free_port(), free_port()
    settings = {"StorageDirectory": str(folder / "storage"), "DicomPort": dicom, "HttpPort": web, "Plugins": []}
    (folder / "orthanc.json").write_text(json.dumps(settings), "utf-8")
    command = ["Orthanc", str(folder / "orthanc.json")]
    orthanc = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    scored: dict[str, float] = {}
    try:
        _wait_until_up(Http(web))
        script = subprocess.Popen(
            [sys.executable, "-m", "bench.polled_orthanc", str(web)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=_note, args=(script, scored), daemon=True).start()
        yield dicom, scored
        script.terminate()
        script.wait()
    finally:
        orthanc.terminate()
        orthanc.wait()


def _wait_until_up(asking: Http) -> None:
    for _ in range(600):
        with suppress(OSError, http.client.HTTPException):
            asking.text("/system")
            return
        time.sleep(0.1)
    message = "Orthanc is not up"
    raise TimeoutError(message)


def _note(script: subprocess.Popen[str], scored: dict[str, float]) -> None:
    for line in script.stdout or ():
        said = json.loads(line)
        scored[said["sop_instance_uid"]] = said["at"]


def compare(load: Load, size: tuple[int, int], receivers: Mapping[str, Measure]) -> dict[str, Waited]:
    """Give the same load to each, one after the other."""
    found = {}
    with TemporaryDirectory() as kept:
        words = as_detected(real_chest(), *size)
        template = Template.of(write_forms(Path(kept), words, FORMS[:1])["uncompressed"])
    for name, measure in receivers.items():
        with TemporaryDirectory() as folder:
            waited = found[name] = measure(Path(folder), template, load)
        print(f"{name:28} {waited.images:5} images  p50 {waited.p50_ms:8.0f} ms  p95 {waited.p95_ms:8.0f} ms")
    return found


def show_bars(found: Mapping[str, Waited]) -> None:
    """Print each bar, and whether it is held."""
    mine = found[OURS]
    is_held = mine.p50_ms <= BAR_P50_MS and mine.p95_ms <= BAR_P95_MS
    print(f"bars: p50 {BAR_P50_MS:.0f} ms, p95 {BAR_P95_MS:.0f} ms: {'held' if is_held else 'MISSED'}")
    if PEER in found:
        ratio = found[PEER].p50_ms / mine.p50_ms
        verdict = "held" if ratio >= BAR_RATIO else "MISSED"
        print(f"{ratio:.1f} times sooner at the median; bar {BAR_RATIO:.0f}: {verdict}")


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--images-per-s", type=float, default=5.0)
    parser.add_argument("--associations", type=int, default=4)
    parser.add_argument("--no-peer", action="store_true", help="The service alone: no torch is needed.")
    parser.add_argument("--quick", action="store_true", help="A few small images: to see that it runs.")
    parser.add_argument("--json", type=Path, help="File for the figures.")
    arguments = parser.parse_args()

    load = Load(6 if arguments.quick else arguments.images, arguments.images_per_s, arguments.associations)
    size = QUICK_SIZE if arguments.quick else FULL_SIZE
    found = compare(load, size, {OURS: ours} if arguments.no_peer else {OURS: ours, PEER: theirs})
    show_bars(found)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({name: asdict(one) for name, one in found.items()}, indent=1), "utf-8")


if __name__ == "__main__":
    main()
