"""Reads the configuration and builds the Site; the only room that knows which parts a site runs with."""

from pathlib import Path

from xray_ai.acceptance import SECONDARY_CAPTURE, Acceptance
from xray_ai.config import ConfigurationWrong, Settings
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.uid import SOPClassUID
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack, installed_packs
from xray_ai.inference.pack_card import AcceptanceCard
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device
from xray_ai.one_core import settle_on_one_core
from xray_ai.pipeline import Site
from xray_ai.triage import TriagePolicy

_PACKAGE = Path(__file__).parent
DEFAULT_POLICY = _PACKAGE / "triage_policy.toml"


def models_root(settings: Settings) -> Path:
    """Where the packs lie: as configured, else inside the installed wheel, else beside the package in a checkout."""
    if settings.models.root is not None:
        return settings.models.root
    in_wheel = _PACKAGE / "models"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / "models"


def default_pack(settings: Settings) -> Path:
    """The folder of the pack that reads. Raises OperatorNeeded when the choice is not clear."""
    root = models_root(settings)
    packs = {pack.name: pack for pack in installed_packs(root)}
    if settings.models.default is not None:
        if settings.models.default not in packs:
            raise ConfigurationWrong(
                f"models.default is {settings.models.default}, but the packs installed are {sorted(packs) or 'none'}."
            )
        return packs[settings.models.default]
    if len(packs) != 1:
        raise OperatorNeeded(
            f"{len(packs)} model packs are installed: {sorted(packs) or 'none'}.",
            remedy="Name the one that reads in models.default, or install one under models.root.",
        )
    return next(iter(packs.values()))


def open_reader(settings: Settings, pack: Path) -> Reader:
    """Load a pack on the configured device. Raises OperatorNeeded."""
    return Reader(ModelPack.open(pack), Device(settings.inference.device))


def build_site(settings: Settings) -> Site:
    """Put together what the path runs with, and hold the pack to its golden scores. Raises OperatorNeeded."""
    settle_on_one_core()
    reader = open_reader(settings, default_pack(settings))
    if settings.inference.check_golden_scores:
        check_golden(reader)
    return Site(
        reader=reader,
        acceptance=acceptance_of(reader.pack.card.acceptance, settings),
        policy=load_policy(settings.triage.policy or DEFAULT_POLICY),
        ordered_priority=Priority[settings.triage.ordered_priority],
    )


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
