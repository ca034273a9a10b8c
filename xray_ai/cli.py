"""The command xray-ai: thin, typed, and the only room that turns errors into exit codes."""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from xray_ai import __version__, account_commands, log, operator_commands
from xray_ai.app import check_both, models_root, open_model, open_reading_room, result_options
from xray_ai.dicom_files import dicom_files, shown
from xray_ai.errors import OperatorNeeded
from xray_ai.evidence_folder import Filed, write_evidence
from xray_ai.imaging.decode import decoders
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack, PackKind, ScopePack, installed_packs, kind_of
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import available_devices
from xray_ai.reading_room import ReadingRoom, UnreadRadiograph, triage_file
from xray_ai.results.triage_json import Read, TriagedFile, as_json
from xray_ai.service_commands import commands
from xray_ai.terminal import (
    EXIT_REJECTED,
    ConfigOption,
    complaints,
    console,
    exit_code_of,
    settings_for_command,
)

RESEARCH_USE = "Research use only, not for diagnosis."

app = typer.Typer(
    help=f"Triage of chest radiographs. {RESEARCH_USE}", no_args_is_help=True, pretty_exceptions_enable=False
)
models = typer.Typer(help="Model packs: what is installed, and whether it is sound.", no_args_is_help=True)
app.add_typer(models, name="models")
app.add_typer(commands)  # of the service
app.add_typer(operator_commands.commands)
app.add_typer(account_commands.commands)


@app.callback(invoke_without_command=True)
def version(*, show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Triage of chest radiographs. Research use only, not for diagnosis."""
    if show:
        console.print(__version__)
        raise typer.Exit


@app.command()
def triage(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files, or folders of them, however nested.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write heatmaps, structured reports and secondary captures here.")
    ] = None,
    as_jsonl: Annotated[bool, typer.Option("--json", help="Print one JSON object a file, and nothing else.")] = False,
    config: ConfigOption = None,
) -> None:
    """Read chest radiographs: findings, where they are, and how soon a radiologist should look.

    Exit code 0: all were read; 1: some were not, each with its reason; 2: the installation needs an operator.
    """
    settings = settings_for_command(config)
    room = open_reading_room(settings)
    triaged = []
    for file in _with_progress(list(dicom_files(paths))):
        triaged.append(_triage(room, file))
        if as_jsonl and out is None:
            _print_json(triaged[-1], with_files=False)
    if out is not None:
        write_evidence(room, [one.filed for one in triaged], out, result_options(settings), datetime.now().astimezone())
    if as_jsonl and out is not None:  # only now is each study's report known
        for one in triaged:
            _print_json(one, with_files=True)
    if not as_jsonl:
        console.print(_triage_table(triaged))
        console.print(_legend(room, out))
    if not triaged or any(isinstance(one.filed.outcome, UnreadRadiograph) for one in triaged):
        raise typer.Exit(EXIT_REJECTED)


@models.command("list")
def list_models(config: ConfigOption = None) -> None:
    """List the model packs that are installed."""
    root = models_root(settings_for_command(config))
    table = Table(
        "pack", "kind", "version", "digest", "outputs", "measured (95 % interval)", "licence", title=str(root)
    )
    for folder in installed_packs(root):
        kind = kind_of(folder)
        pack = ScopePack.open(folder) if kind is PackKind.SCOPE else ModelPack.open(folder)
        table.add_row(
            pack.card.name,
            kind.value,
            pack.card.version,
            pack.identity.digest[:12],
            str(len(pack.card.outputs if isinstance(pack, ScopePack) else pack.card.findings)),
            _measured(pack),
            pack.card.licence,
        )
    console.print(table)


def _measured(pack: ModelPack | ScopePack) -> str:
    if pack.card.performance is None:
        return "not measured"
    if isinstance(pack, ModelPack):
        auroc = pack.card.performance.headline or pack.card.performance.mean_auroc
        return f"mean AUROC {auroc.value:.3f} ({auroc.low:.3f} to {auroc.high:.3f})"
    return "\n".join(
        f"{share.outcome} {share.share:.1%} ({share.low:.1%} to {share.high:.1%}) of {share.images_of}"
        for share in pack.card.performance.shares
    )


@models.command()
def verify(
    pack: Annotated[Path | None, typer.Argument(help="A pack's folder; absent: every installed pack.")] = None,
    config: ConfigOption = None,
) -> None:
    """Check packs: digests, graph, golden scores; print the alerts to expect, or what is refused."""
    settings = settings_for_command(config)
    folders = (pack,) if pack else installed_packs(models_root(settings))
    if not folders:
        raise OperatorNeeded(f"No pack is installed under {models_root(settings)}.", remedy="Set models.root.")
    for folder in folders:
        model = open_model(settings, folder)
        console.print(_scope_table(model) if isinstance(model, ScopeCheck) else _alert_table(model))
        console.print(f"{folder.name} is sound; golden scores within {check_golden(model):.1e} on {model.device}.")


@app.command()
def doctor(config: ConfigOption = None) -> None:
    """Say what this installation can do, and what to install or mend."""
    settings = settings_for_command(config)
    table = Table("transfer syntax", "decoder", "state")
    for decoder in decoders():
        state = "ready" if decoder.is_available else f"missing: pip install {decoder.package}"
        table.add_row(decoder.name, decoder.package, state)
    console.print(table)
    console.print(f"devices offered by ONNX Runtime: {', '.join(sorted(available_devices()))}")
    console.print(f"device configured: {settings.inference.device}")
    reader = open_reading_room(settings).reader
    check_both(reader)
    console.print(f"model pack: {reader.pack.card.name} {reader.pack.card.version}, golden scores hold")
    scope = reader.scope_identity
    checked = f"{scope.name} {scope.version}, golden scores hold" if scope else "none; pixels are not checked"
    console.print(f"scope pack: {checked}")
    if not all(decoder.is_available for decoder in decoders()):
        raise OperatorNeeded("Some transfer syntaxes cannot be decoded.", remedy="Install the packages named above.")
    console.print("All is well.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command (None: as it was called); every error becomes one sentence and an exit code."""
    sys.exit(exit_code_of(lambda: app(arguments)))


def _with_progress(paths: list[Path]) -> Iterable[Path]:
    return track(paths, "Reading", console=complaints, disable=len(paths) < 2, transient=True)  # noqa: PLR2004 - many


@dataclass(frozen=True, slots=True, eq=False)
class _Timed:
    """One file that was triaged, and how long it took."""

    filed: Filed
    seconds: float


def _triage(room: ReadingRoom, path: Path) -> _Timed:
    started = time.perf_counter()
    outcome = triage_file(room, path)
    seconds = time.perf_counter() - started
    if isinstance(outcome, UnreadRadiograph):
        log.event("radiograph.not_read", reason=outcome.rejection.code.value)
        return _Timed(Filed(path, outcome), seconds)
    study = log.key_of(outcome.header.study_instance_uid)
    for note in outcome.notes:
        log.event("radiograph.noted", study=study, code=note.code)
    for note in outcome.reading.notes:  # the header contradicts itself: the sender should know
        log.warning("radiograph.contradicts_itself", study=study, code=note.code)
    log.event("study.triaged", study=study, priority=outcome.decision.priority.name, seconds=round(seconds, 4))
    return _Timed(Filed(path, outcome), seconds)


def _print_json(one: _Timed, *, with_files: bool) -> None:
    path, outcome, files_of = one.filed.path, one.filed.outcome, one.filed.files if with_files else None
    if isinstance(outcome, UnreadRadiograph):
        triaged = TriagedFile(
            path, outcome.header, one.seconds, files_of, rejection=outcome.rejection, refused_by=outcome.refused_by
        )
    else:
        read = Read(outcome.reading, outcome.decision, outcome.policy, outcome.notes)
        triaged = TriagedFile(path, outcome.header, one.seconds, files_of, read=read)
    sys.stdout.write(json.dumps(as_json(triaged)) + "\n")
    sys.stdout.flush()


def _triage_table(triaged: Iterable[_Timed]) -> Table:
    table = Table(
        "file", "priority", "because (probability)", "view", "s", box=None, header_style="bold", pad_edge=False
    )
    for one in triaged:
        name, outcome = shown(one.filed.path), one.filed.outcome
        if isinstance(outcome, UnreadRadiograph):
            table.add_row(name, "-", f"not read by AI: {outcome.rejection.found}", "", "")
            continue
        because = ", ".join(f"{score.finding.name} {score.probability:.2f}" for score in outcome.decision.because)
        notes = "".join(f"\nnote: {note.text}" for note in outcome.notes)
        view, seconds = outcome.header.view_position.value, f"{one.seconds:.2f}"
        table.add_row(name, outcome.decision.priority.name, (because or "no finding flagged") + notes, view, seconds)
    return table


def _legend(room: ReadingRoom, out: Path | None) -> str:
    model, scope = room.reader.pack.identity, room.reader.scope_identity
    checked = f"Scope {scope.name} {scope.version} ({scope.digest[:12]})." if scope else "Pixels are not checked."
    pictures = f"\nHeatmaps, structured reports and secondary captures: {out}" if out else ""
    return f"\nModel {model.name} {model.version} ({model.digest[:12]}). {checked} {RESEARCH_USE}{pictures}"


def _alert_table(reader: Reader) -> Table:
    card = reader.pack.card
    table = Table("finding", "stated prevalence", "present from", "absent below", "alerts per 100 studies")
    table.title = f"{card.name} {card.version}: {card.operating_point_aim}"
    for finding in card.findings:
        table.add_row(
            finding.name,
            f"{finding.stated_prevalence:.1%}",
            f"{finding.operating_point:.3f}",
            f"{finding.rule_out_point:.3f}" if finding.rule_out_point else "never",
            f"{100 * finding.expected_alert_share:.1f}",
        )
    return table


def _scope_table(scope: ScopeCheck) -> Table:
    card = scope.pack.card
    table = Table("what the pixels show", "from", "what follows", "how the point was set and how often it errs")
    table.title = f"{card.name} {card.version}: {card.intended_use}"
    for output in card.outputs:
        follows = "not read" if output.action == "refuse" else "noted"
        table.add_row(output.key.value, f"{output.point:.3f}", follows, output.measured)
    return table
