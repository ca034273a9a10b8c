"""The commands of an operator: what is installed, whether it is sound, and what to mend."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Command, a_file
from tests.house.shape import ROOT
from tests.packs import Tree, a_pack, edit_golden
from tests.scope_packs import a_scope_pack, add_performance
from xray_ai import __version__
from xray_ai.imaging.decode import decoders
from xray_ai.inference.session import Device, available_devices

COMMANDS = (
    ("--help",),
    ("triage", "--help"),
    ("models", "--help"),
    ("models", "list"),
    ("models", "verify"),
    ("doctor",),
    ("demo", "--help"),
    ("triage", "chest.dcm"),
    ("triage", "--json", "chest.dcm"),
)


def _expect_nothing(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] = 0.0


def test_the_version_is_that_of_the_package(xray_ai: Command) -> None:
    ended = xray_ai("--version")

    assert (ended.code, ended.out) == (0, f"{__version__}\n")


def test_the_module_is_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "xray_ai", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ended.stdout == f"{__version__}\n"


def test_installed_packs_are_listed_with_what_they_are(xray_ai: Command) -> None:
    ended = xray_ai("models", "list")

    assert ended.code == 0
    assert re.search(r"tiny .* classifier .* 1\.2\.3 .* 4 .* not measured .* Apache-2\.0", ended.out)
    assert re.search(r"tiny-scope .* scope .* 0\.1\.0 .* 9 .* not measured .* Apache-2\.0", ended.out)


def test_a_scope_pack_is_listed_with_what_it_refused(xray_ai: Command, tmp_path: Path) -> None:
    add_performance(tmp_path / "packs" / "tiny-scope")

    ended = xray_ai("models", "list")

    assert "refused 0.5% (0.0% to 2.8%) of drawn chests" in ended.out


def test_a_sound_pack_is_verified_with_the_alerts_to_expect(xray_ai: Command) -> None:
    ended = xray_ai("models", "verify")

    assert ended.code == 0
    assert "alerts per 100 studies" in ended.out
    assert re.search(r"Pneumothorax .* 10\.0% .* 0\.500 .* 0\.100 .* 5\.0", ended.out)
    assert "tiny is sound; golden scores within 0.0e+00 on cpu." in ended.out


def test_a_sound_scope_pack_is_verified_with_what_follows_from_each_answer(xray_ai: Command, tmp_path: Path) -> None:
    ended = xray_ai("models", "verify", tmp_path / "packs" / "tiny-scope")

    assert ended.code == 0
    assert re.search(r"not_frontal_chest .* 0\.500 .* not read .* Set by a test\.", ended.out)
    assert re.search(r"motion .* 0\.500 .* noted .* Set by a test\.", ended.out)
    assert "tiny-scope is sound; golden scores within 0.0e+00 on cpu." in ended.out


def test_a_pack_that_is_not_installed_can_be_verified_by_its_folder(xray_ai: Command, tmp_path: Path) -> None:
    ended = xray_ai("models", "verify", a_pack(tmp_path / "elsewhere", name="new"))

    assert ended.code == 0
    assert "new is sound" in ended.out


def test_a_changed_byte_is_found_by_verify(xray_ai: Command, tmp_path: Path) -> None:
    network = tmp_path / "packs" / "tiny" / "model.onnx"
    network.write_bytes(network.read_bytes() + b"!")

    ended = xray_ai("models", "verify")

    assert ended.code == 2
    assert "model.onnx has not the SHA-256 that its card names" in ended.err


@pytest.mark.parametrize("command", [("models", "verify"), ("doctor",)], ids=" ".join)
def test_golden_scores_are_checked_even_where_the_service_skips_them(
    xray_ai: Command, tmp_path: Path, command: tuple[str, ...]
) -> None:
    edit_golden(tmp_path / "packs" / "tiny", _expect_nothing)
    Path("xray-ai.toml").write_text("[inference]\ncheck_golden_scores = false", "utf-8")

    ended = xray_ai(*command)

    assert ended.code == 2
    assert "golden scores are off" in ended.err


def test_without_a_pack_verify_and_doctor_need_an_operator(xray_ai: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_MODELS__ROOT", "nowhere")

    verified, examined = xray_ai("models", "verify"), xray_ai("doctor")

    assert (verified.code, examined.code) == (2, 2)
    assert "No pack is installed under nowhere" in verified.err
    assert "0 model packs are installed" in examined.err


def test_the_doctor_names_every_decoder_the_device_and_the_pack(xray_ai: Command) -> None:
    ended = xray_ai("doctor")

    assert ended.code == 0
    assert [decoder.name for decoder in decoders() if decoder.name not in ended.out] == []
    assert "device configured: cpu" in ended.out
    assert "model pack: tiny 1.2.3, golden scores hold" in ended.out
    assert "scope pack: tiny-scope 0.1.0, golden scores hold" in ended.out
    assert "All is well." in ended.out


def test_the_doctor_says_when_pixels_are_not_checked(xray_ai: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_MODELS__SCOPE", "none")

    assert "scope pack: none; pixels are not checked" in xray_ai("doctor").out


def _expect_to_be_refused(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["not_frontal_chest"] = 1.0


def test_the_doctor_holds_the_scope_pack_to_its_golden_scores(xray_ai: Command, tmp_path: Path) -> None:
    edit_golden(tmp_path / "packs" / "tiny-scope", _expect_to_be_refused)

    ended = xray_ai("doctor")

    assert ended.code == 2
    assert "tiny-scope is unsound: its golden scores are off" in ended.err


def test_two_scope_packs_need_an_operator_to_choose(xray_ai: Command, tmp_path: Path) -> None:
    a_scope_pack(tmp_path / "packs", name="another-scope")

    ended = xray_ai("triage", a_file("chest.dcm"))

    assert ended.code == 2
    assert "2 scope packs are installed: ['another-scope', 'tiny-scope']" in ended.err


@pytest.mark.skipif(Device.CUDA in available_devices(), reason="this ONNX Runtime was built for CUDA")
def test_the_doctor_says_what_to_install_for_a_device_that_is_not_there(
    xray_ai: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XRAY_AI_INFERENCE__DEVICE", "cuda")

    ended = xray_ai("doctor")

    assert ended.code == 2
    assert "[gpu]" in ended.err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_is_ever_called_normal(xray_ai: Command, arguments: tuple[str, ...]) -> None:
    a_file("chest.dcm")

    ended = xray_ai(*arguments)

    assert ended.code == 0
    assert re.search(r"\bnormal", ended.out + ended.err, re.IGNORECASE) is None
