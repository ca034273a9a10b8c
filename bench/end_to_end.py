"""One 15 MB radiograph, file to scores and heatmaps: this service beside the way people write it today.

`make bench` runs it. Both sides are warm processes on one thread; they take turns, and only ratios are claimed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.radiograph import FULL_SIZE, WAVELETS, as_detected, real_chest, write_forms
from bench.worker import ROOT, Worker

QUICK_SIZE = (600, 500)
READS_A_TURN = 3  # a turn counts as its median, so that neither side pays for the other's caches
ROUNDS = 3  # with one pair of processes; where a process happens to lie in memory moves its times by a tenth
STARTS = 7
Seconds = dict[str, float]
Turns = dict[str, list[tuple[Seconds, Seconds]]]  # by form: ours, the peer's


@dataclass(frozen=True, slots=True)
class Compared:
    """One form of the radiograph, read by both sides."""

    form: str
    megabytes: float
    ours_ms: float  # median
    peer_ms: float
    ratio: float  # of the medians
    lowest_ratio: float  # of one round
    highest_ratio: float
    ratio_to_scores_alone: float  # to the peer without its Grad-CAM
    our_stages_ms: Seconds
    peer_stages_ms: Seconds


@dataclass(frozen=True, slots=True)
class Measured:
    """All that one run of this command found."""

    pairs: int
    size: tuple[int, int]
    compared: tuple[Compared, ...]
    our_peak_memory_mb: float
    peer_peak_memory_mb: float
    start_to_first_score_s: float
    change_by_reduced_decoding: dict[str, float]  # largest change of a probability, by form
    heatmaps_share: float  # of the time that scores alone take


def measure(folder: Path, pairs: int, rounds: int, size: tuple[int, int]) -> Measured:
    """Write the radiograph in every form, and have pairs of processes read them in turns."""
    paths = write_forms(folder, as_detected(real_chest(), *size))
    turns: Turns = {form: [] for form in paths}
    memory = [_read_in_turns(paths, rounds, turns) for _ in range(pairs)]
    ours = Worker("bench.ours")
    stages = {form: _medians(ours.ask("stages", path) for _ in range(3 * rounds)) for form, path in paths.items()}
    changes = {form.name: ours.ask("reduced", paths[form.name]) for form in WAVELETS}
    network = ours.ask("heatmaps", paths["uncompressed"])
    ours.close()
    return Measured(
        pairs,
        size,
        tuple(_compared(form, path, turns[form], stages[form]) for form, path in paths.items()),
        max(ours for ours, _ in memory),
        max(peer for _, peer in memory),
        statistics.median(_start_to_first_score(paths["uncompressed"]) for _ in range(STARTS if pairs > 1 else 1)),
        changes,
        (network["scores and maps"] + network["heatmaps of maps"]) / network["scores alone"] - 1,
    )


def _read_in_turns(paths: Mapping[str, Path], rounds: int, turns: Turns) -> tuple[float, float]:
    """Start both sides, have them read every form in turns, and note the times; returns their peak memory in MB."""
    ours, peer = Worker("bench.ours"), Worker("bench.peer")
    for path in paths.values():
        ours.ask("read", path)
        peer.ask("read", path)
    for number in range(rounds):
        for form, path in paths.items():
            turns[form].append(_turns(ours, peer, path, ours_first=number % 2 == 0))
    memory = ours.ask("memory"), peer.ask("memory")
    ours.close()
    peer.close()
    return memory


def _turns(ours: Worker, peer: Worker, path: Path, *, ours_first: bool) -> tuple[Seconds, Seconds]:
    taken = [
        _medians(side.ask("read", path) for _ in range(READS_A_TURN))
        for side in ((ours, peer) if ours_first else (peer, ours))
    ]
    return (taken[0], taken[1]) if ours_first else (taken[1], taken[0])


def _medians(times: Iterable[Seconds]) -> Seconds:
    """The median of each stage."""
    rows = list(times)
    return {stage: statistics.median(row[stage] for row in rows) for stage in rows[0]}


def _compared(form: str, path: Path, turns: list[tuple[Seconds, Seconds]], stages: Seconds) -> Compared:
    ours, peer = _medians(our for our, _ in turns), _medians(peer for _, peer in turns)
    ratios = [peer["total"] / our["total"] for our, peer in turns]
    return Compared(
        form=form,
        megabytes=path.stat().st_size / 1e6,
        ours_ms=1e3 * ours["total"],
        peer_ms=1e3 * peer["total"],
        ratio=peer["total"] / ours["total"],
        lowest_ratio=min(ratios),
        highest_ratio=max(ratios),
        ratio_to_scores_alone=(peer["total"] - peer["Grad-CAM"]) / ours["total"],
        our_stages_ms={stage: 1e3 * seconds for stage, seconds in stages.items()},
        peer_stages_ms={stage: 1e3 * seconds for stage, seconds in peer.items() if stage != "total"},
    )


def _start_to_first_score(path: Path) -> float:
    """Seconds from starting the command to the JSON of the first file."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "xray_ai", "triage", str(path), "--json"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - started


def show(measured: Measured) -> None:
    """Print the tables."""
    rows, columns = measured.size
    print(f"One radiograph of {columns} x {rows} pixels; one thread; {measured.pairs} pairs of processes")
    print(f"\n{'form':22} {'MB':>5} {'ours ms':>8} {'peer ms':>8} {'ratio':>6} {'min':>6} {'max':>6} {'no CAM':>7}")
    for one in measured.compared:
        print(
            f"{one.form:22} {one.megabytes:5.1f} {one.ours_ms:8.1f} {one.peer_ms:8.1f}"
            f" {one.ratio:6.1f} {one.lowest_ratio:6.1f} {one.highest_ratio:6.1f} {one.ratio_to_scores_alone:7.1f}"
        )
    for side in ("our", "peer"):
        tables = {one.form: getattr(one, f"{side}_stages_ms") for one in measured.compared}
        names = tuple(next(iter(tables.values())))
        print(f"\n{side + ' stages, ms':22} " + " ".join(f"{name:>17}" for name in names))
        for form, times in tables.items():
            print(f"{form:22} " + " ".join(f"{times[name]:17.2f}" for name in names))
    print(f"\npeak memory, MB            {measured.our_peak_memory_mb:8.0f}   peer {measured.peer_peak_memory_mb:.0f}")
    print(f"start to first score, s    {measured.start_to_first_score_s:8.2f}")
    print(f"heatmaps, share of network {measured.heatmaps_share:8.1%}")
    for form, change in measured.change_by_reduced_decoding.items():
        print(f"reduced decoding changes a probability by at most {change:.4f}   {form}")


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="How many pairs of processes read, one after another.")
    parser.add_argument("--json", type=Path, help="Write all figures into this file too.")
    parser.add_argument("--quick", action="store_true", help="One round on a small image: that it runs, not how fast.")
    arguments = parser.parse_args()

    pairs, rounds, size = (1, 1, QUICK_SIZE) if arguments.quick else (arguments.pairs, ROUNDS, FULL_SIZE)
    with TemporaryDirectory() as folder:
        measured = measure(Path(folder), pairs, rounds, size)
    show(measured)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(asdict(measured), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
