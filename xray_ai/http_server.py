"""The HTTP API as a process: what it asks of the service around it, and how it listens and stops."""

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from uvicorn.protocols.http.h11_impl import H11Protocol

from xray_ai import log
from xray_ai.api.app import create_app
from xray_ai.api.changes import Changes
from xray_ai.api.service import Operations
from xray_ai.app import utc_now
from xray_ai.config import HttpConfig, Settings, WorklistConfig
from xray_ai.domain.priority import Priority
from xray_ai.domain.waiting import WaitingCaps
from xray_ai.durable import Jobs, Queue
from xray_ai.errors import OperatorNeeded
from xray_ai.housekeeping import SILENT_S
from xray_ai.records import workers
from xray_ai.records.database import reading
from xray_ai.records.sessions import Lasting

NEEDED = {
    "receiver": "No process receives.",
    "reader": "No process reads radiographs.",
    "reporter": "No process reports and delivers.",
}
BACKLOG = 128
MOST_CONNECTIONS = 1024
ASKS_WITHIN_S = 10.0
LOOKS_EACH_S = 0.1
LIFTS_EACH_S = 1.0


class HttpPortNotAvailable(OperatorNeeded):
    """We cannot listen where we are told to."""

    def __init__(self, config: HttpConfig, reason: str) -> None:
        super().__init__(
            f"The HTTP port {config.port} of {config.host} cannot be opened: {reason}.",
            remedy="Stop what uses it, or choose another http.host or http.port.",
        )


class BoundedConnection(H11Protocol):
    """A connection that goes when it asks nothing in time, or when it is the oldest of too many that ask nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the library's own
        super().connection_made(transport)
        self.silent_since = self.loop.time()
        self.loop.call_later(ASKS_WITHIN_S, self._end_if_silent)
        if len(self.connections) > MOST_CONNECTIONS:
            silent = [one for one in self.connections if isinstance(one, BoundedConnection) and not one.is_asking]
            if silent:
                min(silent, key=lambda one: one.silent_since).transport.abort()

    @property
    def is_asking(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.silent_since = self.loop.time()

    def _end_if_silent(self) -> None:
        if self.transport.is_closing():
            return
        left_s = ASKS_WITHIN_S if self.is_asking else self.silent_since + ASKS_WITHIN_S - self.loop.time()
        if left_s > 0:
            self.loop.call_later(left_s, self._end_if_silent)
            return
        log.event("http.ended", reason="no request in time")
        self.transport.abort()


class _WarningsAsEvents(logging.Handler):
    """What the web server warns of goes to our log as any event does."""

    def emit(self, record: logging.LogRecord) -> None:
        log.warning("http.warned", reason=record.getMessage())


def answer(settings: Settings, engine: Engine, jobs: Jobs, stop: threading.Event) -> None:
    """Answer requests until `stop` is set. Raises HttpPortNotAvailable."""
    config = settings.accounts
    operations = Operations(
        engine=engine,
        storage_root=settings.storage.root,
        device=settings.inference.device,
        queue_depths=partial(_queue_depths, jobs),
        not_ready=lambda: not_ready(engine, utc_now()),
        lasting=Lasting(timedelta(minutes=config.idle_minutes), timedelta(hours=config.session_hours)),
        invitation_lasts=timedelta(hours=config.invitation_hours),
        caps=caps_of(settings.worklist),
    )
    app = create_app(operations, settings.http.token, settings.http.cors_origins)
    with _listening(settings.http) as listener:
        logging.getLogger("uvicorn.error").addHandler(_WarningsAsEvents(logging.WARNING))
        web = uvicorn.Config(app, http=BoundedConnection, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(web)

        def serve() -> None:
            try:
                server.run([listener])
            finally:
                stop.set()  # without it this process is of no use

        serving = threading.Thread(target=serve, name="http")
        watching = threading.Thread(target=_watch, args=(app.state.changes, stop), name="worklist")
        serving.start()
        watching.start()
        log.event("api.started", host=settings.http.host, port=settings.http.port)
        watching.join()
        server.should_exit = True
        serving.join(settings.engine.drain_s)
        server.force_exit = True
        serving.join()


def _watch(changes: Changes, stop: threading.Event) -> None:
    """Tell pages what changes until `stop` is set; records that cannot be asked for a while are asked again."""
    lifted_at = -LIFTS_EACH_S
    while not stop.wait(LOOKS_EACH_S):
        try:
            changes.look()
            if time.monotonic() - lifted_at >= LIFTS_EACH_S:
                changes.lift()
                lifted_at = time.monotonic()
        except DBAPIError as error:
            log.warning("worklist.not_watched", error=type(error).__name__)
            stop.wait(LIFTS_EACH_S)
    changes.close()


def caps_of(config: WorklistConfig) -> WaitingCaps:
    """How long studies may wait, as the site wants it."""
    return WaitingCaps(
        {Priority[name]: timedelta(minutes=minutes) for name, minutes in config.max_wait_minutes.items()}
    )


def not_ready(engine: Engine, now: datetime) -> list[str]:
    """A sentence for each process that was not heard of lately."""
    with reading(engine) as connection:
        alive = set(workers.alive(connection, now, timedelta(seconds=SILENT_S)).values())
    return [sentence for role, sentence in NEEDED.items() if role not in alive]


def _queue_depths(jobs: Jobs) -> Mapping[str, int]:
    return {queue.value: jobs.waiting(queue) for queue in Queue}


def _listening(config: HttpConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise HttpPortNotAvailable(config, os.strerror(error.errno) if error.errno else type(error).__name__) from error
