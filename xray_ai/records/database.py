"""Opens the database: SQLite that survives a power cut, or PostgreSQL; brings its tables up to date."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from xray_ai.errors import OperatorNeeded

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 30_000
LOOKS_AGAIN_S = 0.01
ON_CONNECT = (
    "PRAGMA synchronous=FULL",  # a committed row survives a power cut, in WAL too
    "PRAGMA foreign_keys=ON",
)
READS_ONLY = "xray_ai_reads_only"
MIGRATION_LOCK = 0x58524159  # any number, as long as it is ours: 'XRAY'

Insert = sqlite.Insert | postgresql.Insert


class DatabaseUnusable(OperatorNeeded):
    """The records cannot be opened as configured."""


def open_database(url: str) -> Engine:
    """Open the records at sqlite:///PATH or postgresql://...; connects at the first use. Raises DatabaseUnusable."""
    parsed = _parsed(url)
    try:
        engine = create_engine(parsed, hide_parameters=True)  # an error must not quote a patient's name
    except ModuleNotFoundError as error:
        found = f"The driver {error.name} for {parsed.get_backend_name()} is not installed."
        raise DatabaseUnusable(found, remedy="Run `pip install 'xray-ai[postgres]'`.") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_copy(file: Path) -> Engine:
    """Open a copy of SQLite records to look at; it stays as it is, byte for byte."""
    where = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(where, uri=True), hide_parameters=True)


def copy_sqlite(engine: Engine, target: Path) -> None:
    """Copy SQLite records into one file, as they stand at one moment, while others write to them."""
    with closing(engine.raw_connection()) as source, closing(sqlite3.connect(target)) as copy:
        if isinstance(source.driver_connection, sqlite3.Connection):
            source.driver_connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # else part of it would stand in another file


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Look at one consistent state; on SQLite nobody who writes waits for it."""
    with engine.connect().execution_options(**{READS_ONLY: True}) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Write all or nothing; on SQLite one at a time, from the first line on."""
    with engine.begin() as connection:
        yield connection


def one_at_a_time(connection: Connection, table: Table) -> None:
    """Let no one else write to this table until the transaction ends; on SQLite that holds for all tables anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def insert_into(table: Table, dialect: str) -> Insert:
    """INSERT with ON CONFLICT, which both databases have and SQLAlchemy keeps apart."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing, all or none; several processes may start at once."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _parsed(url: str) -> URL:
    remedy = "Write sqlite:///PATH or postgresql://USER@HOST/DATABASE."
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUnusable("The address of the database is none.", remedy=remedy) from error
    if backend not in {"sqlite", "postgresql"}:
        raise DatabaseUnusable(f"Records are not kept in {backend}.", remedy=remedy)
    return parsed.set(drivername="postgresql+psycopg") if backend == "postgresql" else parsed


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}").close()
    _write_ahead(connection)
    for pragma in ON_CONNECT:
        connection.execute(pragma).close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Use a write-ahead log; SQLite itself does not wait for another that opens a new database at the same moment."""
    waited_until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > waited_until:
                raise
            time.sleep(LOOKS_AGAIN_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get(READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
