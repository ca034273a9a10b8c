"""Reads the configuration and builds the parts of a site; the only room that knows which parts a site runs with."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from xray_ai.acceptance import SECONDARY_CAPTURE, Acceptance
from xray_ai.config import ConfigurationWrong, DestinationConfig, Settings
from xray_ai.deliver.back_off import BackOff
from xray_ai.deliver.destinations import Destination, check_names
from xray_ai.domain.delivery import Peer, Timeouts
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID
from xray_ai.durable import Job, Jobs, Workflow
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack, PackKind, ScopePack, installed_packs, kind_of
from xray_ai.inference.pack_card import AcceptanceCard
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device
from xray_ai.objects import LocalObjects
from xray_ai.one_core import settle_on_one_core
from xray_ai.pipeline import Site
from xray_ai.reading_room import ReadingRoom
from xray_ai.receive.application_entity import StorageScpSettings
from xray_ai.receive.intake import Intake, ReadQueue, Watermark
from xray_ai.records.database import open_database
from xray_ai.triage import TriagePolicy

_PACKAGE = Path(__file__).parent
DEFAULT_POLICY = _PACKAGE / "triage_policy.toml"
RECORDS_FILE = "records.sqlite"
NO_SCOPE = "none"  # models.scope, where a site wants pixels not checked


def models_root(settings: Settings) -> Path:
    """Where the packs lie: as configured, else inside the installed wheel, else beside the package in a checkout."""
    if settings.models.root is not None:
        return settings.models.root
    in_wheel = _PACKAGE / "models"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / "models"


def default_pack(settings: Settings) -> Path:
    """The folder of the classifier that reads. Raises OperatorNeeded when the choice is not clear."""
    return _chosen(settings, PackKind.CLASSIFIER, "default", settings.models.default)


def scope_pack(settings: Settings) -> Path | None:
    """The folder of the scope pack; None where the site wants none. Raises OperatorNeeded when it is not clear."""
    if settings.models.scope == NO_SCOPE:
        return None
    return _chosen(settings, PackKind.SCOPE, "scope", settings.models.scope)


def _chosen(settings: Settings, kind: PackKind, key: str, name: str | None) -> Path:
    packs = {pack.name: pack for pack in installed_packs(models_root(settings)) if kind_of(pack) is kind}
    word = "model" if kind is PackKind.CLASSIFIER else "scope"
    if name is not None:
        if name not in packs:
            raise ConfigurationWrong(
                f"models.{key} is {name}, but the {word} packs installed are {sorted(packs) or 'none'}."
            )
        return packs[name]
    if len(packs) != 1:
        raise OperatorNeeded(
            f"{len(packs)} {word} packs are installed: {sorted(packs) or 'none'}.",
            remedy=f"Name the one to use in models.{key}, or install one under models.root.",
        )
    return next(iter(packs.values()))


def open_model(settings: Settings, pack: Path) -> Reader | ScopeCheck:
    """Load a pack by itself, of either kind, on the configured device. Raises OperatorNeeded."""
    device = Device(settings.inference.device)
    if kind_of(pack) is PackKind.SCOPE:
        return ScopeCheck(ScopePack.open(pack), device)
    return Reader(ModelPack.open(pack), device)


def open_reader(settings: Settings) -> Reader:
    """Load the classifier that reads, behind the scope check. Raises OperatorNeeded."""
    device = Device(settings.inference.device)
    classifier, scope = default_pack(settings), scope_pack(settings)
    check = ScopeCheck(ScopePack.open(scope), device) if scope else None
    return Reader(ModelPack.open(classifier), device, check)


def open_reading_room(settings: Settings) -> ReadingRoom:
    """Put together what reads, and hold the packs to their golden scores. Raises OperatorNeeded."""
    settle_on_one_core()
    reader = open_reader(settings)
    if settings.inference.check_golden_scores:
        check_both(reader)
    return ReadingRoom(
        reader=reader,
        acceptance=acceptance_of(reader.pack.card.acceptance, settings),
        policy=load_policy(settings.triage.policy or DEFAULT_POLICY),
        ordered_priority=Priority[settings.triage.ordered_priority],
    )


def check_both(reader: Reader) -> None:
    """Hold the classifier and its scope check to their golden scores. Raises PackUnsound."""
    check_golden(reader)
    if reader.scope is not None:
        check_golden(reader.scope)


def acceptance_of(card: AcceptanceCard, settings: Settings) -> Acceptance:
    """The pack's limits, narrowed by the site's."""
    return Acceptance(
        sop_class_uids=frozenset(SOPClassUID(uid) for uid in card.sop_class_uids),
        secondary_capture=settings.acceptance.secondary_capture and SECONDARY_CAPTURE in card.sop_class_uids,
        modalities=card.modalities,
        body_parts=card.body_parts,
        view_positions=card.view_positions,
        youngest_age_years=card.youngest_age_years,
        oldest_age_years=card.oldest_age_years,
    )


def load_policy(file: Path) -> TriagePolicy:
    """Read a triage policy. Raises OperatorNeeded."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationWrong(f"triage.policy names {file}, which cannot be read.") from error
    return TriagePolicy.parse(text)


def result_options(settings: Settings) -> ResultOptions:
    """What is written about a study, as the site chose."""
    return ResultOptions(**settings.results.model_dump())


def utc_now() -> datetime:
    return datetime.now(UTC)


def records_url(settings: Settings) -> str:
    """Where the records are: as configured, else in a file under storage.root."""
    return settings.records.url or f"sqlite:///{settings.storage.root / RECORDS_FILE}"


@contextmanager
def open_records(settings: Settings) -> Iterator[Engine]:
    """Open the database of the records; its tables are made by `service.prepare`. Raises DatabaseUnusable."""
    settings.storage.root.mkdir(parents=True, exist_ok=True)
    engine = open_database(records_url(settings))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def open_jobs(engine: Engine) -> Iterator[Jobs]:
    jobs = Jobs(engine)
    try:
        yield jobs
    finally:
        jobs.close()


@contextmanager
def open_objects(settings: Settings) -> Iterator[LocalObjects]:
    objects = LocalObjects(settings.storage.root)
    try:
        yield objects
    finally:
        objects.close()


@contextmanager
def open_intake(settings: Settings, engine: Engine, objects: LocalObjects, jobs: Jobs) -> Iterator[Intake]:
    """The one door for all that comes; what is to be read is enqueued with its row."""
    watermark = Watermark(settings.storage.least_free_share, settings.storage.least_free_bytes)

    def enqueue(connection: Connection, uid: SOPInstanceUID, priority: Priority) -> None:
        jobs.enqueue_in(connection, Job(Workflow.READ_RADIOGRAPH, (uid,), priority=priority))

    intake = Intake(objects, engine, ReadQueue(enqueue, jobs.ring), utc_now, watermark)
    try:
        yield intake
    finally:
        intake.close()


@contextmanager
def open_site(settings: Settings) -> Iterator[Site]:
    """Put together what the path works with. Raises OperatorNeeded."""
    destinations = destinations_of(settings)
    room = open_reading_room(settings)
    with open_records(settings) as engine, open_jobs(engine) as jobs, open_objects(settings) as objects:
        yield Site(
            engine=engine,
            objects=objects,
            jobs=jobs,
            room=room,
            destinations=destinations,
            options=result_options(settings),
            study_quiet=timedelta(seconds=settings.engine.study_quiet_s),
            back_off=BackOff(**settings.deliveries.model_dump()),
            now=utc_now,
            draw=random.Random().random,  # noqa: S311 - it spreads attempts, it guards nothing
        )


def destinations_of(settings: Settings) -> dict[str, Destination]:
    """All destinations by name. Raises DestinationUnsound."""
    destinations = tuple(_destination(one) for one in settings.destinations)
    check_names(destinations)
    return {destination.name: destination for destination in destinations}


def _destination(config: DestinationConfig) -> Destination:
    timeouts = Timeouts(config.connect_timeout_s, config.association_timeout_s, config.answer_timeout_s)
    return Destination(
        peer=Peer(config.name, config.ae_title, config.host, config.port, config.calling_ae_title, timeouts),
        results=config.results,
        least_priority=Priority[config.least_priority],
        findings=config.findings,
        localisation=config.localisation,
        sr_form=config.sr_form,
        sc_form=config.sc_form,
    )


def storage_scp_settings(settings: Settings) -> StorageScpSettings:
    """Where we listen, to whom, and for what."""
    config = settings.storage_scp
    return StorageScpSettings(
        ae_titles=config.ae_titles,
        ordered_priorities={title: Priority[word] for title, word in config.ordered_priorities.items()},
        host=config.host,
        port=config.port,
        calling_ae_titles=config.calling_ae_titles,
        calling_hosts=frozenset(str(network) for network in config.calling_hosts),
        more_sop_classes=config.more_sop_classes,
        maximum_associations=config.maximum_associations,
        acse_timeout_s=config.acse_timeout_s,
        dimse_timeout_s=config.dimse_timeout_s,
        network_timeout_s=config.network_timeout_s,
    )
