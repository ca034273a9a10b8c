"""Databases for tests: SQLite in a file, and a private PostgreSQL cluster where its programs are installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from xray_ai.records.database import open_database, upgrade


@contextmanager
def upgraded(url: str) -> Iterator[Engine]:
    """Open records that are up to date."""
    engine = open_database(url)
    upgrade(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def program(name: str) -> str:
    """Find a program of PostgreSQL; Debian keeps them off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(debian[-1]) if debian else shutil.which(name)
    if found is None:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return found


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a private cluster that listens on a socket alone, and stop it afterwards."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory(prefix="xray-ai-pg-") as folder:  # tmp_path may be closed to another user
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

        def run(*command: str) -> None:
            subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

        run(initdb, "--pgdata", f"{folder}/data", "--username", "xray_ai", "--auth", "trust", "--no-sync")
        server = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(pg_ctl, "--pgdata", f"{folder}/data", "--wait", "--log", f"{folder}/log", "--options", server, "start")
        try:
            yield f"postgresql://xray_ai@/{{database}}?host={folder}"
        finally:
            run(pg_ctl, "--pgdata", f"{folder}/data", "--wait", "--mode", "immediate", "stop")


@contextmanager
def a_postgres_database(cluster: str, name: str) -> Iterator[str]:
    """Make a database of its own in a running cluster."""
    server = open_database(cluster.format(database="postgres"))
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield cluster.format(database=name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
