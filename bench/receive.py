"""Images per second received by C-STORE: this service, durably, beside Orthanc and storescp, which sync nothing.

All take turns on one machine, each started anew for its turn; only ratios are claimed. `raw_scu` is the sender.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.radiograph import FORMS, as_detected, real_chest, write_forms
from bench.worker import ROOT

SIZES = {"DX 15 MB": (3000, 2500), "CR 8 MB": (2000, 2000), "1 MB": (724, 724)}
QUICK_SIZES = {"tiny": (300, 250)}
ASSOCIATIONS = (1, 2, 4, 8)
OBJECTS, QUICK_OBJECTS = 48, 4
ROUNDS = 5
STARTS_WITHIN_S = 60
OURS, ORTHANC, STORESCP, STORESCP_TUNED = "ours, durable", "Orthanc", "storescp", "storescp, TCP_NODELAY"
PEERS = (ORTHANC, STORESCP, STORESCP_TUNED)
BARS = {(ORTHANC, 1): 4.0, (STORESCP, 1): 3.0, (ORTHANC, 8): 1.5}  # of the largest object


@dataclass(frozen=True, slots=True)
class Turn:
    """One receiver, one kind of object, one number of associations."""

    images_per_s: float
    milliseconds: tuple[float, ...]  # of each C-STORE


@dataclass(frozen=True, slots=True)
class Compared:
    """All turns of one receiver in one case."""

    receiver: str
    kind: str
    associations: int
    images_per_s: float  # median of rounds
    p50_ms: float
    p99_ms: float
    ours_times_faster: float  # median of the rounds' ratios
    lowest_ratio: float
    highest_ratio: float


def command_of(receiver: str, port: int, folder: Path) -> list[str]:
    """How it is started on defaults."""
    if receiver == OURS:
        return [sys.executable, "-m", "bench.our_receiver", str(port), str(folder)]
    if receiver == ORTHANC:
        settings = {"StorageDirectory": str(folder), "DicomPort": port, "HttpServerEnabled": False, "Plugins": []}
        (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
        return ["Orthanc", str(folder / "orthanc.json")]
    return ["storescp", "--fork", "+xa", "--max-pdu", "131072", "--output-directory", str(folder), str(port)]


@contextmanager
def running(receiver: str) -> Iterator[int]:
    """Start a receiver with an empty folder; gives its port."""
    with TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        environment = os.environ | ({"TCP_NODELAY": "1"} if receiver == STORESCP_TUNED else {})
        process = subprocess.Popen(
            command_of(receiver, port, Path(folder)),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.communicate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTS_WITHIN_S * 20):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    message = f"{process.args!r} does not listen"
    raise RuntimeError(message)


def turn(receiver: str, file: Path, associations: int, objects: int) -> Turn:
    """Have one receiver take all objects."""
    with running(receiver) as port:
        command = [sys.executable, "-m", "bench.raw_scu", str(file), "--port", str(port)]
        command += ["--called", "XRAY_AI", "--associations", str(associations), "--objects", str(objects)]
        sent = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    took = json.loads(sent.stdout)
    return Turn(len(took["seconds"]) / took["wall_s"], tuple(1e3 * one for one in took["seconds"]))


def compare(kind: str, file: Path, associations: int, rounds: int, objects: int) -> list[Compared]:
    """Let all receivers take turns; every other round the other way round."""
    turns: dict[str, list[Turn]] = {receiver: [] for receiver in (OURS, *PEERS)}
    for number in range(rounds):
        for receiver in list(turns)[:: 1 if number % 2 == 0 else -1]:
            turns[receiver].append(turn(receiver, file, associations, objects))
    return [_compared(receiver, kind, associations, turns) for receiver in turns]


def _compared(receiver: str, kind: str, associations: int, turns: Mapping[str, list[Turn]]) -> Compared:
    theirs = turns[receiver]
    ratios = [ours.images_per_s / their.images_per_s for ours, their in zip(turns[OURS], theirs, strict=True)]
    latencies = sorted(one for their in theirs for one in their.milliseconds)
    return Compared(
        receiver,
        kind,
        associations,
        statistics.median(their.images_per_s for their in theirs),
        statistics.median(latencies),
        latencies[min(int(0.99 * len(latencies)), len(latencies) - 1)],
        statistics.median(ratios),
        min(ratios),
        max(ratios),
    )


def show(found: list[Compared]) -> None:
    """Print the table, and each bar."""
    print(f"{'object':10} {'assoc.':>6} {'receiver':22} {'images/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'ours is x':>10}")
    for one in found:
        print(
            f"{one.kind:10} {one.associations:6} {one.receiver:22} {one.images_per_s:9.1f} {one.p50_ms:8.1f}"
            f" {one.p99_ms:8.1f} {one.ours_times_faster:10.2f} ({one.lowest_ratio:.2f} to {one.highest_ratio:.2f})"
        )
    for one in found:
        bar = BARS.get((one.receiver, one.associations)) if one.kind == found[0].kind else None
        if bar is not None:
            verdict = "held" if one.ours_times_faster >= bar else "MISSED"
            print(f"{one.kind}, {one.associations} associations, beside {one.receiver}: bar {bar:.1f} {verdict}")


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="How often each receiver has its turn.")
    parser.add_argument("--objects", type=int, default=OBJECTS, help="How many objects it takes in a turn.")
    parser.add_argument("--associations", type=int, nargs="+", default=ASSOCIATIONS, help="In parallel.")
    parser.add_argument("--kinds", nargs="+", choices=tuple(SIZES), default=tuple(SIZES), help="Objects to send.")
    parser.add_argument("--json", type=Path, help="Write all figures into this file too.")
    parser.add_argument("--quick", action="store_true", help="One round of small objects: that it runs, not how fast.")
    arguments = parser.parse_args()

    sizes = QUICK_SIZES if arguments.quick else {kind: SIZES[kind] for kind in arguments.kinds}
    rounds, objects = (1, QUICK_OBJECTS) if arguments.quick else (arguments.rounds, arguments.objects)
    found = []
    for kind, (rows, columns) in sizes.items():
        with TemporaryDirectory() as folder:
            file = write_forms(Path(folder), as_detected(real_chest(), rows, columns), FORMS[:1])["uncompressed"]
            for associations in (1, 2) if arguments.quick else arguments.associations:
                found += compare(kind, file, associations, rounds, objects)
    show(found)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps([asdict(one) for one in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
