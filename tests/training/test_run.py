"""A run is one TOML file, and the one that made the shipped pack reads."""

import json
from pathlib import Path

import pytest
import tomli_w
from pydantic import ValidationError

from tests.house.shape import ROOT
from tests.training.cohorts import a_run
from xray_ai.training.datasets.nih_chestxray14 import FINDING_KEYS, SOURCES
from xray_ai.training.finding_table import finding_table
from xray_ai.training.networks import NETWORKS
from xray_ai.training.run import TrainingRun

pytestmark = pytest.mark.training

RUNS = sorted((ROOT / "scripts" / "runs").glob("nih14-*.toml"))


def test_a_run_reads_back_from_its_toml_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"

    file.write_text(tomli_w.dumps(a_run().as_toml_tree()), "utf-8")

    assert TrainingRun.read(file) == a_run()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.stem)
def test_a_run_of_this_house_names_a_network_and_data_that_there_are(run: Path) -> None:
    training = TrainingRun.read(run)

    assert training.name == run.stem
    assert training.network in NETWORKS
    assert all(stage.sources <= SOURCES for stage in training.stages)


@pytest.mark.parametrize("change", [{"momentum": 0.9}, {"ema_decay": 1.0}, {"stages": []}], ids=str)
def test_a_run_that_makes_no_sense_is_refused_by_its_key(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        a_run(**change)


def test_every_finding_that_is_trained_has_a_name_a_code_and_a_prevalence() -> None:
    table = finding_table()

    assert table.keys() >= set(FINDING_KEYS)
    assert all(0 < table[key].prevalence < 1 for key in FINDING_KEYS)
    codes = [(table[key].code.scheme, table[key].code.value) for key in FINDING_KEYS]
    assert len(set(codes)) == len(FINDING_KEYS)


def test_abnormality_is_at_least_as_frequent_as_any_finding() -> None:
    table = finding_table()

    assert table["abnormality"].prevalence >= max(table[key].prevalence for key in FINDING_KEYS)


@pytest.mark.parametrize("card", sorted((ROOT / "models").glob("nih14-*/pack.json")), ids=lambda card: card.parent.name)
def test_a_shipped_pack_can_be_made_again_from_a_run_of_this_house(card: Path) -> None:
    lineage = json.loads(card.read_text("utf-8"))["lineage"]

    made_by = TrainingRun.model_validate(lineage["run"])

    assert made_by in [TrainingRun.read(run) for run in RUNS]
