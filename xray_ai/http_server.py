"""The HTTP API as a process: what it asks of the service around it, and how it listens and stops."""

import socket
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import uvicorn
from sqlalchemy import Engine

from xray_ai import log
from xray_ai.api.app import create_app
from xray_ai.api.service import Operations
from xray_ai.app import utc_now
from xray_ai.config import HttpConfig, Settings
from xray_ai.durable import Jobs, Queue
from xray_ai.errors import OperatorNeeded
from xray_ai.housekeeping import SILENT_S
from xray_ai.records import workers
from xray_ai.records.database import reading

NEEDED = {
    "receiver": "No process receives.",
    "reader": "No process reads radiographs.",
    "reporter": "No process reports and delivers.",
}
BACKLOG = 128


class HttpPortNotAvailable(OperatorNeeded):
    """We cannot listen where we are told to."""

    def __init__(self, config: HttpConfig, reason: str) -> None:
        super().__init__(
            f"The HTTP port {config.port} of {config.host} cannot be opened: {reason}.",
            remedy="Stop what uses it, or choose another http.host or http.port.",
        )


def answer(settings: Settings, engine: Engine, jobs: Jobs, stop: threading.Event) -> None:
    """Answer requests until `stop` is set. Raises HttpPortNotAvailable."""
    operations = Operations(
        engine=engine,
        storage_root=settings.storage.root,
        device=settings.inference.device,
        queue_depths=partial(_queue_depths, jobs),
        not_ready=lambda: not_ready(engine, utc_now()),
    )
    app = create_app(operations, settings.http.token)
    with _listening(settings.http) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))

        def serve() -> None:
            try:
                server.run([listener])
            finally:
                stop.set()  # without it this process is of no use

        serving = threading.Thread(target=serve, name="http")
        serving.start()
        log.event("api.started", host=settings.http.host, port=settings.http.port)
        stop.wait()
        server.should_exit = True
        serving.join(settings.engine.drain_s)
        server.force_exit = True
        serving.join()


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
        raise HttpPortNotAvailable(config, error.strerror or type(error).__name__) from error
