"""Settings come from the environment, then the file, then the default; a wrong key is refused with the nearest one."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from xray_ai.config import ConfigurationWrong, Settings, keys, read_settings

PACS = '[[destinations]]\nname = "pacs"\nae_title = "PACS1"\nhost = "10.1.0.5"\nport = 104'


def a_file(folder: Path, text: str, name: str = "xray-ai.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def read(file: Path | None = None) -> Settings:
    return read_settings(file, dict(os.environ))


@pytest.fixture(autouse=True)
def _nowhere_in_particular(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test in an empty folder, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.upper().startswith("XRAY_AI_")]:
        monkeypatch.delenv(variable)


def test_everything_works_without_configuration() -> None:
    settings = read()

    assert settings == Settings()
    assert settings.inference.device == "cpu"
    assert settings.inference.check_golden_scores
    assert settings.triage.ordered_priority == "ROUTINE"


def test_the_file_in_the_working_directory_is_read(tmp_path: Path) -> None:
    a_file(tmp_path, '[log]\nlevel = "DEBUG"')

    assert read().log.level == "DEBUG"


def test_a_file_that_is_named_takes_the_place_of_the_one_in_the_working_directory(tmp_path: Path) -> None:
    a_file(tmp_path, '[log]\nlevel = "DEBUG"\n[models]\ndefault = "old"')
    named = a_file(tmp_path, '[log]\nlevel = "ERROR"', "other.toml")

    settings = read(named)

    assert (settings.log.level, settings.models.default) == ("ERROR", None)


def test_the_environment_overrules_the_file_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_file(tmp_path, '[models]\nroot = "from-file"\ndefault = "from-file"')
    monkeypatch.setenv("XRAY_AI_MODELS__DEFAULT", "from-environment")

    models = read().models

    assert (models.root, models.default) == (Path("from-file"), "from-environment")


@pytest.mark.parametrize("word", ["false", "0", "no"])
def test_a_switch_is_turned_off_by_a_word_in_the_environment(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_ACCEPTANCE__SECONDARY_CAPTURE", word)

    assert not read().acceptance.secondary_capture


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[models]\nroute = "x"', "key models.route does not exist. Did you mean models.root?"),
        ('[inference]\ndevise = "cpu"', "key inference.devise does not exist. Did you mean inference.device?"),
        ("[inferrence]\nx = 1", "key inferrence does not exist. Did you mean inference?"),
        ('ordered_priority = "HIGH"', "key ordered_priority does not exist. Did you mean triage.ordered_priority?"),
        ('[[zebra]]\nx = "y"', "key zebra does not exist."),
        ("_env_prefix = 'OTHER_'", "key _env_prefix does not exist."),
        ('[storage]\nrute = "x"', "key storage.rute does not exist. Did you mean storage.root?"),
        (
            f'{PACS}\n[[destinations]]\nnmae = "b"',
            "key destinations.name (entry 2) is wrong: Field required",
        ),
        (
            f'{PACS}\nleast_prioritty = "HIGH"',
            "key destinations.least_prioritty (entry 1) does not exist. Did you mean destinations.least_priority?",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one(tmp_path: Path, text: str, complaint: str) -> None:
    file = a_file(tmp_path, text)

    with pytest.raises(ConfigurationWrong) as wrong:
        read(file)

    assert complaint in wrong.value.found
    assert "docs/configuration.md" in wrong.value.remedy


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("XRAY_AI_MODELS__ROUTE", "XRAY_AI_MODELS__ROOT"),
        ("XRAY_AI_MODELS_ROOT", "XRAY_AI_MODELS__ROOT"),
        ("XRAY_AI_DEVICE", "XRAY_AI_INFERENCE__DEVICE"),
        ("xray_ai_log__levle", "XRAY_AI_LOG__LEVEL"),
        ("XRAY_AI_DESTINATIONS__NAME", "XRAY_AI_DESTINATIONS"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_right_one(
    variable: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "x")

    with pytest.raises(ConfigurationWrong) as wrong:
        read()

    assert wrong.value.found == f"The environment variable {variable} is no setting. Did you mean {nearest}?"


def test_the_data_of_tests_and_scripts_is_no_setting_and_is_tolerated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_DATA", "somewhere")

    assert read() == Settings()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[inference]\ndevice = "tpu"', "key inference.device is wrong: Input should be 'cpu' or 'cuda'"),
        ('[inference]\ncheck_golden_scores = "perhaps"', "key inference.check_golden_scores is wrong"),
        ('[triage]\nordered_priority = "urgent"', "'ROUTINE', 'HIGH' or 'STAT'"),
        ("[models]\ndefault = 3", "key models.default is wrong: Input should be a valid string"),
        ("models = 3", "key models is wrong"),
        ("[models", "is no TOML"),
        ("\udcff", "is no TOML"),
    ],
)
def test_a_wrong_value_is_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "xray-ai.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ConfigurationWrong) as wrong:
        read(file)

    assert complaint in wrong.value.found


def test_a_wrong_value_in_the_environment_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_INFERENCE__DEVICE", "tpu")

    with pytest.raises(ConfigurationWrong, match=r"key inference\.device is wrong: Input should be 'cpu' or 'cuda'"):
        read()


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationWrong, match=r"The configuration file .* cannot be read"):
        read(tmp_path / name)


def test_each_destination_is_a_table_of_its_own(tmp_path: Path) -> None:
    settings = read(a_file(tmp_path, f'{PACS}\n{PACS.replace("pacs", "archive")}\nresults = ["sr"]'))

    assert [destination.name for destination in settings.destinations] == ["pacs", "archive"]
    assert [sorted(destination.results) for destination in settings.destinations] == [["sc", "sr"], ["sr"]]


def test_destinations_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAY_AI_DESTINATIONS", '[{"name": "pacs", "ae_title": "P", "host": "h", "port": 104}]')

    assert [destination.port for destination in read().destinations] == [104]


@pytest.mark.parametrize(
    "text",
    ['[storage_scp]\nae_titles = ["TOO_LONG_FOR_AN_AE"]', "[storage_scp]\nae_titles = []", "[http]\nport = 0"],
)
def test_what_cannot_be_used_is_refused_before_anything_starts(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationWrong, match="is wrong"):
        read(a_file(tmp_path, text))


def test_a_door_to_other_machines_needs_a_token(tmp_path: Path) -> None:
    opened = '[http]\nhost = "0.0.0.0"'
    with pytest.raises(ConfigurationWrong, match=r"reach 0\.0\.0\.0, so http\.token must be set"):
        read(a_file(tmp_path, opened))

    assert read(a_file(tmp_path, f'{opened}\ntoken = "0123456789abcdef"')).http.port == 8080


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_none(tmp_path: Path, host: str) -> None:
    assert read(a_file(tmp_path, f'[http]\nhost = "{host}"')).http.token is None


def test_secrets_do_not_print_themselves(tmp_path: Path) -> None:
    settings = read(a_file(tmp_path, '[http]\ntoken = "0123456789abcdef"\n[records]\nurl = "postgresql://u:pw@h/d"'))

    assert "0123456789abcdef" not in repr(settings)
    assert ":pw@" not in repr(settings)


def test_settings_do_not_change_once_read() -> None:
    settings = read()

    with pytest.raises(ValidationError, match="frozen"):
        settings.inference.device = "cuda"  # type: ignore[misc]  # what must not be done


def test_every_key_has_its_table() -> None:
    assert {"models.root", "inference.device", "triage.policy", "log.level"} <= set(keys())
    assert all(key.count(".") == 1 for key in keys())
