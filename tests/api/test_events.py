"""A page that listens hears of each change, once, and of nothing else."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.records.rows import NOW, STUDY, after, an_arrival, receive
from xray_ai.api import changes
from xray_ai.api.changes import Changes
from xray_ai.api.service import Operations
from xray_ai.domain.priority import Priority
from xray_ai.records import claims, studies
from xray_ai.records.database import writing

DAY_S = 86_400.0


@pytest.fixture
def watched(engine: Engine, tmp_path: Path) -> Changes:
    return Changes(Operations(engine, tmp_path, "cpu", dict, tuple, now=lambda: after(DAY_S + 60)))


def heard(watched: Changes, *happenings: Sequence[object]) -> list[list[str]]:
    """What a page hears of each happening: the names of the events, with the studies they are about."""

    async def listen() -> list[list[str]]:
        listener, _ = watched.listen()
        watched.look()
        told: list[list[str]] = []
        for do, *rest in happenings:
            do(*rest)  # type: ignore[operator] # a function and what it is given
            watched.look()
            await asyncio.sleep(0)
            told.append([])
            while not listener.queue.empty():
                event = listener.queue.get_nowait()
                uid = json.loads(event.raw_data or "{}").get("study_instance_uid", "") if event else "end"
                told[-1].append(f"{event.event} {uid}".strip() if event else "end")
        watched.leave(listener)
        return told

    return asyncio.run(listen())


def claim(engine: Engine) -> None:
    with writing(engine) as connection:
        claims.claim(connection, STUDY, "maria", NOW)


def many(engine: Engine) -> None:
    with writing(engine) as connection:
        for number in range(changes.MOST_AT_ONCE + 1):
            studies.receive(connection, an_arrival(f"1.9.{number}"), is_to_be_read=True)


def test_a_page_hears_of_a_new_study_and_of_each_change_once(engine: Engine, watched: Changes) -> None:
    assert heard(watched, (receive, engine), (claim, engine), (lambda: None,)) == [
        [f"study {STUDY}"],
        [f"study {STUDY}"],
        [],
    ]


def test_a_page_hears_nothing_of_what_was_there_when_it_came(engine: Engine, watched: Changes) -> None:
    receive(engine)

    assert heard(watched, (lambda: None,)) == [[]]


def test_a_page_hears_when_a_study_rises_because_it_waited(engine: Engine, watched: Changes) -> None:
    receive(engine, ordered_priority=Priority.ROUTINE)

    assert heard(watched, (watched.lift,), (watched.lift,)) == [[f"study {STUDY}"], []]


def test_when_very_much_changes_a_page_is_told_to_ask_anew(engine: Engine, watched: Changes) -> None:
    assert heard(watched, (many, engine)) == [["reload"]]


def test_when_the_service_stops_pages_are_let_go(watched: Changes) -> None:
    assert heard(watched, (watched.close,)) == [["end"]]
