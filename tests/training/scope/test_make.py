"""From drawn data to a pack that the service opens, in seconds; what it learnt is not the point."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.training.scope.scope_runs import a_data_folder, a_scope_run
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import PackKind, ScopePack, kind_of
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.scope.make import Making, make_scope_pack
from xray_ai.training.scope.measure import measure, performance_file
from xray_ai.training.scope.run import ScopeRun
from xray_ai.training.scope.trials import REFUSED, held_out_trials

pytestmark = pytest.mark.training


@cache
def a_making() -> Making:
    folder = Path(mkdtemp(prefix="scope-"))
    return Making.of(a_scope_run(), a_data_folder(folder), folder / "run", "cpu")


@cache
def a_pack() -> ScopePack:
    return make_scope_pack(a_making(), "2.0.0", a_making().folder / "models")


def test_the_service_opens_it_as_a_scope_pack() -> None:
    pack = a_pack()

    assert kind_of(pack.folder) is PackKind.SCOPE
    assert [output.key for output in pack.card.outputs] == list(ScopeQuestion)


def test_its_golden_images_answer_as_when_it_was_made() -> None:
    assert check_golden(ScopeCheck(a_pack(), Device.CPU)) < 1e-4


def test_its_card_names_every_file() -> None:
    files = {file.relative_to(a_pack().folder).as_posix() for file in a_pack().folder.rglob("*") if file.is_file()}

    assert files == {*a_pack().card.files, "pack.json"}


def test_each_point_says_what_it_was_set_on() -> None:
    assert all("tuning chests" in output.measured for output in a_pack().card.outputs)


def test_no_point_is_lower_than_the_run_allows() -> None:
    assert min(output.point for output in a_pack().card.outputs) >= a_scope_run().least_point


def test_the_card_for_people_says_that_it_was_not_measured() -> None:
    text = (a_pack().folder / "MODEL_CARD.md").read_text("utf-8")

    assert text.startswith("# tiny-scope 2.0.0\n")
    assert "Not measured yet." in text


def test_weights_of_the_same_run_are_not_trained_again(tmp_path: Path) -> None:
    a_pack()
    before = (a_making().folder / "weights.pt").stat().st_mtime_ns

    make_scope_pack(a_making(), "2.0.1", tmp_path)

    assert (a_making().folder / "weights.pt").stat().st_mtime_ns == before


def test_weights_are_those_of_another_run_only_where_training_differs() -> None:
    run = a_scope_run()

    assert run.trains_as(a_scope_run(least_point=0.4, limits=["Another word."]))
    assert not run.trains_as(a_scope_run(steps=4))


def test_a_measured_performance_goes_into_the_card(tmp_path: Path) -> None:
    trials = list(held_out_trials(a_making().sources, Split.TUNE))
    performance = measure(ScopeCheck(a_pack(), Device.CPU), trials, "drawings.")
    points = [output.point for output in a_pack().card.outputs]
    file = performance_file(a_making().folder, a_pack().network, points)
    file.write_text(performance.model_dump_json(), "utf-8")

    pack = make_scope_pack(a_making(), "2.0.2", tmp_path)

    file.unlink()
    assert pack.card.performance == performance
    assert f"| {performance.shares[0].images_of} | {REFUSED} |" in (pack.folder / "MODEL_CARD.md").read_text("utf-8")


def test_the_performance_of_other_points_is_not_taken_for_its_own() -> None:
    pack = a_pack()
    points = [output.point for output in pack.card.outputs]

    own = performance_file(pack.folder, pack.network, points)

    assert own != performance_file(pack.folder, pack.network, [0.1, *points[1:]])


def test_the_run_that_ships_asks_for_few_false_refusals() -> None:
    run = ScopeRun.read(Path("scripts/runs/frontal-scope.toml"))

    assert run.one_class_share + 5 * run.refused_share <= 0.01
    assert run.noted_share <= 0.01
