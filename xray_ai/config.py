"""One frozen tree of settings, from xray-ai.toml and the environment; a wrong key gets the nearest right one."""

import difflib
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from xray_ai.domain.evidence import SCForm, SRForm
from xray_ai.errors import OperatorNeeded

DEFAULT_FILE = Path("xray-ai.toml")
ENVIRONMENT_PREFIX = "XRAY_AI_"
NOT_SETTINGS = frozenset({"XRAY_AI_DATA"})  # read by tests, not by the service


class ConfigurationWrong(OperatorNeeded):
    """The configuration cannot be used as it stands; nothing was started."""

    def __init__(self, found: str) -> None:
        super().__init__(found, remedy="docs/configuration.md explains every key.")


class Table(BaseModel):
    """One table of xray-ai.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelsConfig(Table):
    """Which model reads. TOML table: [models]."""

    root: Path | None = Field(None, description="Folder of model packs; absent: those that came with the program.")
    default: str | None = Field(None, description="Name of the classifier that reads; absent: the only one under root.")
    scope: str | None = Field(
        None, description="Name of the scope pack; absent: the only one under root; none: pixels are not checked."
    )


class InferenceConfig(Table):
    """Where the network runs. TOML table: [inference]."""

    device: Literal["cpu", "cuda"] = Field("cpu", description="A device that is not there is an error, never a change.")
    check_golden_scores: bool = Field(
        default=True, description="Score the pack's golden images at start and refuse to start when they differ."
    )


class AcceptanceConfig(Table):
    """What is read beyond the pack's own limits. TOML table: [acceptance]."""

    secondary_capture: bool = Field(
        default=True, description="Read Secondary Capture images (scanned film, teleradiology)."
    )


class TriageConfig(Table):
    """How scores become priorities. TOML table: [triage]."""

    policy: Path | None = Field(None, description="A policy file; absent: the default policy of the program.")
    ordered_priority: Literal["ROUTINE", "HIGH", "STAT"] = Field(
        "ROUTINE", description="Priority of what arrives without an order; results never fall below it."
    )


class ResultsConfig(Table):
    """What is written about a study. TOML table: [results]."""

    localisation: bool = Field(default=True, description="False: no heatmap and no region in any result.")
    sr_form: SRForm = Field(
        SRForm.COMPREHENSIVE_3D, description="Structured report: comprehensive_3d or comprehensive."
    )
    sc_form: SCForm = Field(SCForm.JPEG, description="Pixels of the secondary capture: jpeg, rle or uncompressed.")
    sr_series_number: int = Field(9901, ge=1, le=2**31 - 1, description="Series Number of structured reports.")
    sc_series_number: int = Field(9902, ge=1, le=2**31 - 1, description="Series Number of secondary captures.")


class LogConfig(Table):
    """What is written to standard error. TOML table: [log]."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("WARNING", description="The least severe event shown.")


class Settings(BaseSettings):
    """Everything that a site may set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    models: ModelsConfig = ModelsConfig()
    inference: InferenceConfig = InferenceConfig()
    acceptance: AcceptanceConfig = AcceptanceConfig()
    triage: TriageConfig = TriageConfig()
    results: ResultsConfig = ResultsConfig()
    log: LogConfig = LogConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment overrule the file that `read_settings` hands over."""
        return env_settings, init_settings


def read_settings(file: Path | None, environment: dict[str, str]) -> Settings:
    """Read xray-ai.toml (`file`, or the one in the working directory if it is there) and the environment.

    Raises ConfigurationWrong.
    """
    _refuse_unknown_variables(environment)
    tree = _toml_tree(file)
    for table in sorted(
        tree.keys() - Settings.model_fields.keys()
    ):  # pydantic-settings has meanings of its own for some
        raise ConfigurationWrong(_unknown(table))
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigurationWrong(_in_words(error)) from error


def _toml_tree(file: Path | None) -> dict[str, object]:
    if file is None and not DEFAULT_FILE.exists():
        return {}
    path = file or DEFAULT_FILE
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationWrong(f"The configuration file {path} cannot be read.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationWrong(f"The configuration file {path} is no TOML: {error}.") from error


def _refuse_unknown_variables(environment: dict[str, str]) -> None:
    known = {f"{ENVIRONMENT_PREFIX}{key.upper().replace('.', '__')}" for key in keys()}
    for variable in sorted(environment):
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and variable.upper() not in known | NOT_SETTINGS:
            raise ConfigurationWrong(
                f"The environment variable {variable} is no setting.{_nearest(variable.upper(), sorted(known))}"
            )


def keys() -> tuple[str, ...]:
    """Every key as table.key, for the nearest right one and for the documentation's test."""
    return tuple(
        f"{table}.{key}"
        for table, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table)
        for key in field.annotation.model_fields
    )


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(key)
    return f"The configuration key {key} is wrong: {first['msg']}."


def _unknown(key: str) -> str:
    return f"The configuration key {key} does not exist.{_nearest(key, [*keys(), *Settings.model_fields])}"


def _nearest(word: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else ""
