"""The commands of those who run the service: deliveries, destinations, send, backup and restore."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from xray_ai.app import RECORDS_FILE, destinations_of, open_jobs, open_records, utc_now
from xray_ai.backup import Copied, back_up, records_file, restore
from xray_ai.config import Settings
from xray_ai.deliver.destinations import Destination
from xray_ai.deliver.storage_scu import send_files
from xray_ai.deliver.verification_scu import echo as echo_destination
from xray_ai.dicom_files import dicom_files, shown
from xray_ai.domain.delivery import DeliveryRefused, ObjectOutcome, Peer
from xray_ai.errors import OperatorNeeded, PeerUnavailable, XrayAiError
from xray_ai.process_tree import only_service
from xray_ai.records import deliveries as recorded
from xray_ai.records.database import reading
from xray_ai.records.words import DeliveryStatus
from xray_ai.redelivery import redeliver
from xray_ai.terminal import ConfigOption, complaints, console, settings_for_command

EXIT_REJECTED, EXIT_OPERATOR, EXIT_PEER = 1, 2, 3
MEGABYTE = 10**6

commands = typer.Typer()
deliveries = typer.Typer(help="Results on their way: what waits, what was given up and why.", no_args_is_help=True)
destinations = typer.Typer(help="Where results go: what is configured, and whether it answers.", no_args_is_help=True)
commands.add_typer(deliveries, name="deliveries")
commands.add_typer(destinations, name="destinations")


@deliveries.command("list")
def list_deliveries(
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    config: ConfigOption = None,
) -> None:
    """List deliveries, the newest first: where each stands, and what the destination said."""
    with open_records(_settings_of_service(config)) as engine, reading(engine) as connection:
        page = recorded.page(connection, limit, status=status)
    table = Table("number", "study", "result", "destination", "status", "tries", "next try", "what was said")
    for one in page.items:
        tried = (one.status.value, str(one.attempts), _moment(one.next_try_at), one.last_error or "")
        table.add_row(str(one.number), one.study_instance_uid, one.item.split()[0], one.destination, *tried)
    console.print(table)
    console.print(f"{len(page.items)} of {page.total} deliveries.")


@deliveries.command("retry")
def retry_deliveries(
    numbers: Annotated[list[int] | None, typer.Argument(help="Which; absent: all that were given up.")] = None,
    config: ConfigOption = None,
) -> None:
    """Try deliveries again at once: those that were given up, or the ones named.

    Exit code 1: one that was named is delivered already, or unknown.
    """
    with open_records(_settings_of_service(config)) as engine, open_jobs(engine) as jobs:
        again = redeliver(engine, jobs, utc_now(), numbers or None)
    for one in again:
        console.print(f"{one.number}: {one.item.split()[0].upper()} to {one.destination} is tried again.")
    console.print(f"{len(again)} deliveries are tried again.")
    missed = sorted(set(numbers or ()) - {one.number for one in again})
    if missed:
        complaints.print(f"Delivered already, or unknown: {', '.join(map(str, missed))}.")
        raise typer.Exit(EXIT_REJECTED)


@destinations.command("list")
def list_destinations(config: ConfigOption = None) -> None:
    """List the destinations, and which results of which studies each gets."""
    table = Table("name", "AE title", "host", "port", "results", "studies", "we call ourselves")
    for one in destinations_of(settings_for_command(config)).values():
        where = (one.peer.ae_title, one.peer.host, str(one.peer.port))
        results = ", ".join(sorted(kind.value for kind in one.results))
        table.add_row(one.name, *where, results, _studies_of(one), one.peer.calling_ae_title)
    console.print(table)


@destinations.command()
def echo(
    name: Annotated[str | None, typer.Argument(help="Which; absent: each of them.")] = None,
    config: ConfigOption = None,
) -> None:
    """Associate with destinations as for sending, and say in plain words what each takes, or why it does not.

    Exit code 2: a person must change something, here or there; 3: one does not answer now.
    """
    known = destinations_of(settings_for_command(config))
    if name is not None and name not in known:
        raise OperatorNeeded(f"No destination is called {name}.", remedy="See `xray-ai destinations list`.")
    codes = [_echoed(destination) for destination in known.values() if name in {None, destination.name}]
    if not codes:
        console.print("No destination is configured: results stay here.")
    if any(codes):
        raise typer.Exit(EXIT_OPERATOR if EXIT_OPERATOR in codes else EXIT_PEER)


@commands.command()
def send(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them, however nested.")],
    to: Annotated[str, typer.Option(help="The receiver, as AE@HOST:PORT.")],
    calling: Annotated[str, typer.Option(help="What we call ourselves there.")] = "XRAY_AI",
) -> None:
    """Send DICOM files by C-STORE, unchanged, and print what became of each.

    Exit code 1: some were refused; 3: the receiver does not answer, or is short of something: try again later.
    """
    failures = []
    stored = 0
    for outcome in send_files(dicom_files(paths), Peer.at(to, calling)):
        console.print(_line(outcome))
        stored += outcome.is_stored
        failures += [outcome.failure] if outcome.failure else []
    console.print(f"{stored} of {stored + len(failures)} objects are stored at {to}.")
    if not stored or failures:
        may_pass = failures and all(isinstance(failure, PeerUnavailable) for failure in failures)
        raise typer.Exit(EXIT_PEER if may_pass else EXIT_REJECTED)


@commands.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder, or none yet.")],
    config: ConfigOption = None,
) -> None:
    """Copy records and objects into a folder, consistent while the service runs.

    Exit code 2: the backup is made, but some objects are gone from the storage.
    """
    settings = _settings_of_service(config)
    with open_records(settings) as engine:
        copied = back_up(engine, settings.storage.root, folder, utc_now())
    console.print(f"{_sum(copied)} are in {folder}.")
    if copied.missing:
        raise OperatorNeeded(
            f"{copied.missing} objects that the records name are gone from {settings.storage.root}.",
            remedy="The backup holds all others. Look into the disk.",
        )


@commands.command("restore")
def restore_backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A backup.")], config: ConfigOption = None
) -> None:
    """Copy a backup into an empty storage, each object held to its digest; then start the service."""
    settings = settings_for_command(config)
    with only_service(settings.storage.root):
        with open_records(settings) as engine:
            records = records_file(engine)
        copied = restore(folder, settings.storage.root, records)
    console.print(f"{_sum(copied)} of {copied.made_at:%Y-%m-%d %H:%M} UTC are in {settings.storage.root}.")


def _settings_of_service(config: Path | None) -> Settings:
    """Read the configuration of a service that has run. Raises OperatorNeeded."""
    settings = settings_for_command(config)
    if settings.records.url is None and not (settings.storage.root / RECORDS_FILE).exists():
        raise OperatorNeeded(
            f"No service has run on {settings.storage.root} yet.",
            remedy="Check storage.root, or start it with `xray-ai serve`.",
        )
    return settings


def _echoed(destination: Destination) -> int:
    """Try a destination and tell; the exit code that it alone would give."""
    try:
        report = echo_destination(destination)
    except (PeerUnavailable, DeliveryRefused) as refusal:
        console.print(f"{destination.name}: {refusal}\n")
        return EXIT_PEER if isinstance(refusal, PeerUnavailable) else EXIT_OPERATOR
    for sentence in report.sentences():
        console.print(f"{destination.name}: {sentence}")
    console.print()
    return 0 if report.is_ready else EXIT_OPERATOR


def _studies_of(destination: Destination) -> str:
    rules = []
    if destination.least_priority:
        rules.append(f"from {destination.least_priority.name}")
    if destination.findings:
        rules.append(f"with {', '.join(sorted(destination.findings))}")
    return " ".join(rules) or "all"


def _line(outcome: ObjectOutcome) -> str:
    status = "------" if outcome.status is None else f"0x{outcome.status:04X}"
    failure: XrayAiError | None = outcome.failure
    if failure is not None:
        return f"{status} not stored: {shown(outcome.path)}: {failure.found}"
    return f"{status} stored{', with a warning' if outcome.status else ''}: {shown(outcome.path)}"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _sum(copied: Copied) -> str:
    return f"Records and {copied.objects} objects ({copied.bytes / MEGABYTE:.1f} MB)"
