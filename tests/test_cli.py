"""`xray-ai triage` as a user and a program meet it: its words, its JSON, its exit codes, its pictures."""

import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import dcmread

from tests.command import Command, a_file
from tests.packs import Tree, a_pack, absent, edit_golden
from xray_ai.inference.model_pack import ModelPack, ScopePack

SOP_INSTANCE_UID, STUDY_INSTANCE_UID = "1.2.826.0.1.3680043.10.1", "1.2.826.0.1.3680043.10.2"
BLANK = np.full((100, 100), 7, np.uint16)


# ---- what is printed


def test_a_radiograph_that_is_read_is_one_json_object_with_these_keys(xray_ai: Command, tmp_path: Path) -> None:
    ended = xray_ai("triage", "--json", a_file("chest.dcm"))

    (line,) = ended.json_lines
    identity = ModelPack.open(tmp_path / "packs" / "tiny").identity
    assert isinstance(line.pop("seconds"), float)
    assert len(line.pop("policy")["digest"]) == 64
    scope = line.pop("scope")
    assert scope["digest"] == ScopePack.open(tmp_path / "packs" / "tiny-scope").identity.digest
    assert line == {
        "path": "chest.dcm",
        "sop_instance_uid": SOP_INSTANCE_UID,
        "study_instance_uid": STUDY_INSTANCE_UID,
        "status": "read",
        "reason": None,
        "view_position": "PA",
        "model": {"name": "tiny", "version": "1.2.3", "digest": identity.digest},
        "abnormality": {"probability": 0.047426, "operating_point": 0.5, "positive": False},
        "findings": [
            a_finding("pneumothorax", 0.731059, positive=True),
            a_finding("mass", 0.880797, positive=True),
            a_finding("hernia", 0.047426, positive=False),
        ],
        "priority": "STAT",
        "because": ["pneumothorax", "mass"],
        "image_quality": {"rating": None, "findings": []},
        "notes": [],
    }


def a_finding(key: str, probability: float, *, positive: bool) -> Tree:
    name = key.capitalize()
    code = {"scheme": "99TEST", "value": key, "meaning": name}
    judged = {"probability": probability, "operating_point": 0.5, "positive": positive}
    return {"key": key, "name": name, "code": code, **judged}


def test_a_radiograph_that_is_not_read_says_why_in_json(xray_ai: Command) -> None:
    ended = xray_ai("triage", "--json", a_file("knee.dcm", BodyPartExamined="KNEE"))

    (line,) = ended.json_lines
    assert isinstance(line.pop("seconds"), float)
    text = line["reason"].pop("text")
    assert "The body part examined is KNEE, not CHEST." in text
    assert line == {
        "path": "knee.dcm",
        "sop_instance_uid": SOP_INSTANCE_UID,
        "study_instance_uid": STUDY_INSTANCE_UID,
        "status": "not_read",
        "reason": {"code": "body_part"},
        "view_position": "PA",
        "model": None,
        "scope": None,
        "policy": None,
        "abnormality": None,
        "findings": [],
        "priority": None,
        "because": [],
        "image_quality": None,
        "notes": [],
    }


def test_keys_stand_in_the_order_of_the_contract(xray_ai: Command) -> None:
    (line,) = xray_ai("triage", "--json", "--out", "pictures", a_file("chest.dcm")).json_lines

    contract = [
        *("path", "sop_instance_uid", "study_instance_uid", "status", "reason", "view_position", "model"),
        *("abnormality", "findings", "priority", "because", "seconds", "files"),
    ]
    assert [key for key in line if key in contract] == contract
    assert list(line["files"]) == ["heatmap", "sr", "sc", "gsps"]


def test_each_file_is_one_json_object_in_the_order_given_and_nothing_else_is_printed(xray_ai: Command) -> None:
    Path("b.txt").write_text("no DICOM", "utf-8")
    names = [str(a_file("c.dcm")), "b.txt", "missing.dcm", str(a_file("a.dcm"))]

    ended = xray_ai("triage", "--json", *names)

    assert [line["path"] for line in ended.json_lines] == names
    assert [line["status"] for line in ended.json_lines] == ["read", "not_read", "not_read", "read"]
    assert [line["sop_instance_uid"] is None for line in ended.json_lines] == [False, True, True, False]


def test_a_folder_is_read_at_any_depth_in_the_order_of_names_without_its_directory(xray_ai: Command) -> None:
    for name in ("study/b/2.dcm", "study/b/1.dcm", "study/a/deep/er/3.dcm", "study/0.dcm"):
        a_file(name)
    for folder in ("study", "study/b"):
        Path(folder, "DICOMDIR").write_bytes(b"a directory")

    ended = xray_ai("triage", "--json", "study")

    paths = [line["path"] for line in ended.json_lines]
    assert paths == ["study/0.dcm", "study/a/deep/er/3.dcm", "study/b/1.dcm", "study/b/2.dcm"]


def test_links_between_folders_are_not_followed_round_and_round(xray_ai: Command) -> None:
    a_file("study/1.dcm")
    Path("study/again").symlink_to(Path("study").absolute())

    assert len(xray_ai("triage", "--json", "study").json_lines) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_may_not_be_listed_is_named_among_what_was_not_read(xray_ai: Command) -> None:
    a_file("study/closed/1.dcm")
    Path("study/closed").chmod(0)

    (line,) = xray_ai("triage", "--json", "study").json_lines

    Path("study/closed").chmod(0o700)
    assert (line["path"], line["status"], line["reason"]["code"]) == ("study/closed", "not_read", "file_unreadable")


def test_the_table_says_what_is_urgent_and_why(xray_ai: Command) -> None:
    ended = xray_ai("triage", a_file("chest.dcm", ViewPosition=None))

    assert re.search(r"chest\.dcm +STAT +Pneumothorax 0\.73, Mass 0\.88 +UNKNOWN", ended.out)
    assert "note: The header does not say whether the view is PA or AP." in ended.out
    assert "Model tiny 1.2.3" in ended.out
    assert "Research use only, not for diagnosis." in ended.out


def test_the_table_says_what_was_not_read_by_ai(xray_ai: Command) -> None:
    ended = xray_ai("triage", a_file("knee.dcm", BodyPartExamined="KNEE"))

    assert re.search(r"knee\.dcm +- +not read by AI: The body part examined is KNEE, not CHEST\.", ended.out)


def test_the_table_says_when_nothing_is_flagged(xray_ai: Command, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "packs" / "tiny")
    a_pack(tmp_path / "packs", [absent("mass")])

    ended = xray_ai("triage", a_file("chest.dcm"))

    assert re.search(r"chest\.dcm +ROUTINE +no finding flagged", ended.out)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[bold]x.dcm", "[bold]x.dcm"),
        (":warning:.dcm", ":warning:.dcm"),
        ("Röntgen.dcm", "Röntgen.dcm"),
        (os.fsdecode(b"R\xf6ntgen.dcm"), "R\N{REPLACEMENT CHARACTER}ntgen.dcm"),
    ],
)
def test_any_file_name_can_be_printed(xray_ai: Command, name: str, shown: str) -> None:
    file = a_file(name)

    as_table, as_json = xray_ai("triage", file), xray_ai("triage", "--json", file)

    assert (as_table.code, as_json.code) == (0, 0)
    assert shown in as_table.out
    assert as_json.json_lines[0]["path"] == name


# ---- how it ends


def test_all_read_is_exit_code_0(xray_ai: Command) -> None:
    assert xray_ai("triage", a_file("chest.dcm")).code == 0


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_some_not_read_is_exit_code_1(xray_ai: Command, flags: tuple[str, ...]) -> None:
    ended = xray_ai("triage", *flags, a_file("chest.dcm"), a_file("blank.dcm", BLANK))

    assert ended.code == 1


def test_nothing_found_is_exit_code_1(xray_ai: Command) -> None:
    Path("empty").mkdir()

    ended = xray_ai("triage", "--json", "empty")

    assert (ended.code, ended.out) == (1, "")


def _expect_nothing(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] = 0.0


def test_an_unsound_pack_is_exit_code_2_and_one_sentence(xray_ai: Command, tmp_path: Path) -> None:
    edit_golden(tmp_path / "packs" / "tiny", _expect_nothing)

    ended = xray_ai("triage", "--json", a_file("chest.dcm"))

    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(r"xray-ai: The model pack tiny is unsound: its golden scores are off by .*\n", ended.err)


def test_a_wrong_configuration_is_exit_code_2(xray_ai: Command) -> None:
    Path("xray-ai.toml").write_text('[inference]\ndevise = "cuda"', "utf-8")

    ended = xray_ai("triage", a_file("chest.dcm"))

    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean inference.device?" in ended.err


def test_a_configuration_may_be_named(xray_ai: Command) -> None:
    Path("other.toml").write_text('[triage]\nordered_priority = "STAT"', "utf-8")

    (line,) = xray_ai("triage", "--json", "--config", "other.toml", a_file("chest.dcm")).json_lines

    assert line["priority"] == "STAT"


def test_a_word_that_is_no_option_is_exit_code_2(xray_ai: Command) -> None:
    assert xray_ai("triage", "--jsonl", a_file("chest.dcm")).code == 2


# ---- pictures


def test_each_flagged_finding_has_its_picture_and_the_most_urgent_is_named(xray_ai: Command) -> None:
    (line,) = xray_ai("triage", "--json", "--out", "pictures", a_file("chest.dcm")).json_lines

    names = sorted(path.name for path in Path("pictures").iterdir())
    assert [re.sub(r"[0-9a-f]{16}", "KEY", name) for name in names] == [
        "0001-KEY-mass.png",
        "0001-KEY-pneumothorax.png",
        "KEY-sc.dcm",
        "KEY-sr.dcm",
        "reading-times.json",
    ]
    heatmap, objects = f"pictures/{names[1]}", {dcmread(f"pictures/{name}").Modality for name in names[2:4]}
    assert line["files"]["heatmap"] == heatmap
    assert objects == {"SR", "OT"}


def test_a_picture_is_large_enough_for_its_text(xray_ai: Command) -> None:
    (line,) = xray_ai("triage", "--json", "--out", "pictures", a_file("chest.dcm")).json_lines

    picture = cv2.imread(line["files"]["heatmap"])
    assert picture is not None
    assert picture.shape[1] >= 480


def test_what_is_not_read_or_not_flagged_has_no_picture(xray_ai: Command, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "packs" / "tiny")
    a_pack(tmp_path / "packs", [absent("mass")])

    ended = xray_ai("triage", "--json", "--out", "pictures", a_file("chest.dcm"), a_file("blank.dcm", BLANK))

    kinds = [[kind for kind, file in line["files"].items() if file] for line in ended.json_lines]
    assert kinds == [["sr"], ["sr"]]
    assert list(Path("pictures").glob("*.png")) == []


def test_a_second_run_writes_the_same_objects_again(xray_ai: Command) -> None:
    xray_ai("triage", "--out", "results", a_file("chest.dcm"))
    first = {path.name: path.read_bytes() for path in Path("results").iterdir()}

    xray_ai("triage", "--out", "results", "chest.dcm")

    assert {path.name: path.read_bytes() for path in Path("results").iterdir()} == first


def test_without_localisation_no_result_shows_a_place(xray_ai: Command) -> None:
    Path("xray-ai.toml").write_text("[results]\nlocalisation = false", "utf-8")

    (line,) = xray_ai("triage", "--json", "--out", "results", a_file("chest.dcm")).json_lines

    assert [kind for kind, file in line["files"].items() if file] == ["sr"]


def test_without_a_folder_for_pictures_nothing_is_written(xray_ai: Command) -> None:
    file = a_file("chest.dcm")

    (line,) = xray_ai("triage", "--json", file).json_lines

    assert "files" not in line
    assert list(Path().iterdir()) == [file]


def test_pictures_that_cannot_be_written_need_an_operator(xray_ai: Command) -> None:
    Path("taken").write_text("a file", "utf-8")

    ended = xray_ai("triage", "--json", "--out", "taken", a_file("chest.dcm"))

    assert ended.code == 2
    assert "cannot be written" in ended.err
    assert "--out" in ended.err
