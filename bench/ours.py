"""Our side: from the file to probabilities and all heatmap arrays, by the service's own path; nothing is written."""

import os
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.scores_alone import without_maps
from bench.worker import answer, peak_memory_mb
from xray_ai.acceptance import accept_header, accept_pixels
from xray_ai.app import open_reading_room
from xray_ai.config import read_settings
from xray_ai.domain.reading import Reading
from xray_ai.imaging.decode import decode
from xray_ai.imaging.grayscale import grayscale_of
from xray_ai.imaging.header import header_of
from xray_ai.imaging.part10 import open_part10
from xray_ai.imaging.preprocess import PreparedImage, as_input, halved_for, prepare
from xray_ai.inference.heatmap import heatmaps_of
from xray_ai.inference.session import Session
from xray_ai.reading_room import TriagedRadiograph, triage_file
from xray_ai.triage import triage

cv2.setNumThreads(1)
MAP_ROUNDS = 50
SITE = open_reading_room(read_settings(None, dict(os.environ)))
READER = SITE.reader


def read(path: Path) -> dict[str, float]:
    """Read one file by the path as it is; seconds."""
    started = time.perf_counter()
    outcome = triage_file(SITE, path)
    seconds = time.perf_counter() - started
    if not isinstance(outcome, TriagedRadiograph):
        raise outcome.rejection
    return {"total": seconds}


def stages(path: Path) -> dict[str, float]:
    """Go the same way stage by stage; seconds of each."""
    times = [time.perf_counter()]
    dataset = open_part10(path)
    accept_header(header_of(dataset), SITE.acceptance)
    times.append(time.perf_counter())
    stored = decode(dataset, least_side=READER.least_side)
    times.append(time.perf_counter())
    transform = grayscale_of(dataset)
    halved = halved_for(stored, READER.least_side)
    times.append(time.perf_counter())
    accept_pixels(READER.scope.answers(halved, transform) if READER.scope else ())
    times.append(time.perf_counter())
    prepared = prepare(halved, transform, READER.recipe)
    times.append(time.perf_counter())
    reading = READER.judge(prepared)
    times.append(time.perf_counter())
    triage(reading.scores, SITE.policy, SITE.ordered_priority)
    times.append(time.perf_counter())
    names = ("read, header", "decode", "halve", "accept by pixels", "prepare", "network, heatmaps", "triage")
    return dict(zip(names, np.diff(times).tolist(), strict=True))


def change_by_reduced_decoding(path: Path) -> float:
    """Tell the largest change of a probability by reduced decoding against full decoding."""
    dataset = open_part10(path)
    stored = [decode(dataset, least_side=side) for side in (None, READER.least_side)]
    full, less = (_probabilities(READER.read(one, grayscale_of(dataset))) for one in stored)
    return float(np.abs(full - less).max())


def heatmaps(path: Path) -> dict[str, float]:
    """Time the network with and without its maps, in turns; seconds, medians.

    Without: the same weights behind the pooling instead of before it, which gives the scores and nothing else.
    """
    prepared = _prepared(path)
    image = as_input(prepared.grey, READER.recipe)
    session, alone = Session(READER.pack.network, READER.device), without_maps(READER.pack.network)
    logits, activation = session.run(image)
    keys = tuple(card.finding().key for card in READER.pack.card.findings)
    bars = np.zeros(len(keys))
    seconds: dict[str, list[float]] = {"scores alone": [], "scores and maps": [], "heatmaps of maps": []}
    for _ in range(MAP_ROUNDS):
        started = time.perf_counter()
        alone.run(None, {"image": image})
        without = time.perf_counter()
        session.run(image)
        with_maps = time.perf_counter()
        heatmaps_of(activation[0], logits[0], bars, keys, prepared.box)
        ended = time.perf_counter()
        for name, value in zip(seconds, np.diff((started, without, with_maps, ended)), strict=True):
            seconds[name].append(float(value))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _prepared(path: Path) -> PreparedImage:
    dataset = open_part10(path)
    return prepare(decode(dataset, least_side=READER.least_side), grayscale_of(dataset), READER.recipe)


def _probabilities(reading: Reading) -> NDArray[np.float64]:
    return np.array([score.probability for score in reading.scores])


if __name__ == "__main__":
    answer(
        {
            "read": read,
            "stages": stages,
            "reduced": change_by_reduced_decoding,
            "heatmaps": heatmaps,
            "memory": peak_memory_mb,
        }
    )
