"""One event, one line of JSON on standard error; a study by our key, never a patient."""

import hashlib
import logging
import sys

import structlog
from structlog.typing import EventDict


def configure(level: str, process: str | None = None) -> None:
    """Send events at or above `level` to standard error as JSON Lines, under the name of a process if it has one.

    Each line is written by one call with its end, so that those of processes that share standard error stay whole.
    """

    def name_process(_logger: object, _method: str, facts: EventDict) -> EventDict:
        return facts if process is None else {"process": process, **facts}

    structlog.configure(
        processors=[
            name_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # whatever that is when something happens
    )


def event(name: str, **facts: str | float | None) -> None:
    """Log what happened, as noun.past_participle with facts as keys."""
    structlog.get_logger().info(name, **facts)


def warning(name: str, **facts: str | float | None) -> None:
    """Log something an operator may want to look into."""
    structlog.get_logger().warning(name, **facts)


def key_of(uid: str) -> str:
    """Our key for an object: a digest of its UID, which alone leads nobody to a patient."""
    return hashlib.sha256(uid.encode()).hexdigest()[:16]
