"""One frozen tree of settings, from xray-ai.toml and the environment; a wrong key gets the nearest right one."""

import difflib
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from xray_ai.domain.delivery import ResultKind
from xray_ai.domain.evidence import SCForm, SRForm
from xray_ai.domain.finding import FindingKey
from xray_ai.errors import OperatorNeeded

DEFAULT_FILE = Path("xray-ai.toml")
ENVIRONMENT_PREFIX = "XRAY_AI_"
NOT_SETTINGS = frozenset({"XRAY_AI_DATA", "XRAY_AI_LOCK_FD"})  # read by tests; set by `serve` for its children

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
PriorityName = Literal["ROUTINE", "HIGH", "STAT"]
MAX_WAIT_MINUTES: dict[PriorityName, float] = {"STAT": 30.0, "HIGH": 120.0, "ROUTINE": 1440.0}
AETitle = Annotated[str, Field(pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$")]  # PS3.5 6.2, VR AE
UID = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)+$", max_length=64)]


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
    ordered_priority: PriorityName = Field(
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

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None = Field(
        None, description="The least severe event shown; absent: INFO for the service, WARNING for other commands."
    )


class StorageConfig(Table):
    """Where everything is kept. TOML table: [storage]."""

    root: Path = Field(Path("xray-ai-data"), description="Folder of objects and, without records.url, of the records.")
    least_free_share: float = Field(0.05, ge=0, lt=1, description="Below this share of free disk nothing is taken.")
    least_free_bytes: int = Field(2 * 2**30, ge=0, description="Below so many free bytes nothing is taken.")
    keep_days: float | None = Field(
        None, gt=0, description="Days after which a study goes whose results are all delivered; absent: none goes."
    )


class RecordsConfig(Table):
    """Which database keeps the records. TOML table: [records]."""

    url: str | None = Field(
        None, repr=False, description="postgresql://USER@HOST/DATABASE; absent: SQLite under storage.root."
    )


class StorageScpConfig(Table):
    """How modalities and the PACS reach us by C-STORE. TOML table: [storage_scp]."""

    ae_titles: frozenset[AETitle] = Field(frozenset({"XRAY_AI"}), min_length=1, description="Our AE titles.")
    ordered_priorities: dict[AETitle, PriorityName] = Field(
        {}, description="Ordered priority of what is sent to an AE title of ours."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0: all of this machine.")
    port: int = Field(11112, ge=0, le=65535, description="Port to listen on; 0: any that is free.")
    calling_ae_titles: frozenset[AETitle] = Field(
        frozenset(), description="Who may send; if this and calling_hosts are empty: this machine only."
    )
    calling_hosts: frozenset[IPvAnyNetwork] = Field(
        frozenset(), description="From where one may send: addresses, or networks such as 10.1.0.0/16."
    )
    more_sop_classes: frozenset[UID] = Field(
        frozenset(), description="SOP classes to take beside CR, DX and Secondary Capture."
    )
    maximum_associations: int = Field(32, ge=1, le=1000, description="Associations at a time.")
    acse_timeout_s: Seconds = Field(30.0, description="For the whole request for an association.")
    dimse_timeout_s: Seconds = Field(600.0, description="From the first to the last byte of one object.")
    network_timeout_s: Seconds = Field(60.0, description="Silence after which an association is aborted.")


class DestinationConfig(Table):
    """Where results go. TOML list of tables: [[destinations]]."""

    name: str = Field(description="Our name for it, in records, metrics and logs.")
    ae_title: AETitle = Field(description="Its AE title.")
    host: str = Field(min_length=1, description="Its name or address.")
    port: Port = Field(description="Its DICOM port.")
    calling_ae_title: AETitle = Field("XRAY_AI", description="What we call ourselves there.")
    results: frozenset[ResultKind] = Field(frozenset(ResultKind), description="Which results it gets: sr, sc.")
    least_priority: PriorityName = Field("ROUTINE", description="Only studies at or above this priority.")
    findings: frozenset[FindingKey] = Field(
        frozenset(), description="Only studies with one of these flagged; empty: every study."
    )
    localisation: bool | None = Field(None, description="As results.localisation, for it alone; absent: the same.")
    sr_form: SRForm | None = Field(None, description="As results.sr_form; absent: the best that it takes.")
    sc_form: SCForm | None = Field(None, description="As results.sc_form; absent: the best that it takes.")
    connect_timeout_s: Seconds = Field(10.0, description="For the connection.")
    association_timeout_s: Seconds = Field(30.0, description="For its answer to the request for an association.")
    answer_timeout_s: Seconds = Field(60.0, description="For its answer to one object, and for any standstill.")


class DeliveriesConfig(Table):
    """How patient we are with destinations. TOML table: [deliveries]."""

    first_wait_s: Seconds = Field(10.0, description="Longest wait after the first failure; each further one doubles.")
    longest_wait_s: Seconds = Field(900.0, description="Longest wait at all.")
    most_attempts: int = Field(400, ge=1, description="Failures after which a delivery is a dead letter.")


class EngineConfig(Table):
    """How the work is paced. TOML table: [engine]."""

    study_quiet_s: float = Field(10.0, ge=0, description="Silence after which a study is complete and reported.")
    keep_days: float = Field(7.0, gt=0, description="Days after which the engine forgets finished work.")
    drain_s: float = Field(20.0, ge=0, description="How long running work may take to end when the service stops.")


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, can be reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpConfig(Table):
    """The HTTP API. TOML table: [http]."""

    host: str = Field("127.0.0.1", description="Address to listen on; another than this machine's needs a token.")
    port: Port = Field(8080, description="Port to listen on.")
    token: str | None = Field(None, min_length=16, repr=False, description="What callers show as a bearer token.")
    cors_origins: tuple[str, ...] = Field((), description="Whose pages elsewhere may ask, as scheme://host:port.")

    @model_validator(mode="after")
    def _guard_the_open_door(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            message = f"other machines can reach {self.host}, so http.token must be set"
            raise ValueError(message)
        return self


class AccountsConfig(Table):
    """How long people stay signed in. TOML table: [accounts]."""

    idle_minutes: float = Field(
        60.0, gt=0, le=1440, description="Minutes without a request after which a session ends."
    )
    session_hours: float = Field(12.0, gt=0, le=168, description="Hours after which a session ends in any case.")
    invitation_hours: float = Field(24.0, gt=0, le=720, description="Hours in which an invitation can be taken up.")


class WorklistConfig(Table):
    """How long studies may wait for a reader. TOML table: [worklist]."""

    max_wait_minutes: dict[PriorityName, Annotated[float, Field(gt=0)]] = Field(
        {}, validate_default=True, description="By priority, how long a study may wait before it rises by one."
    )

    @field_validator("max_wait_minutes", mode="after")
    @classmethod
    def _complete(cls, said: dict[PriorityName, float]) -> dict[PriorityName, float]:
        return {**MAX_WAIT_MINUTES, **said}


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
    storage: StorageConfig = StorageConfig()
    records: RecordsConfig = RecordsConfig()
    storage_scp: StorageScpConfig = StorageScpConfig()
    destinations: tuple[DestinationConfig, ...] = ()
    deliveries: DeliveriesConfig = DeliveriesConfig()
    engine: EngineConfig = EngineConfig()
    http: HttpConfig = HttpConfig()
    accounts: AccountsConfig = AccountsConfig()
    worklist: WorklistConfig = WorklistConfig()

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
    known = {f"{ENVIRONMENT_PREFIX}{key.upper().replace('.', '__')}" for key in keys() if key not in _list_keys()}
    known |= {f"{ENVIRONMENT_PREFIX}{table.upper()}" for table in _lists()}  # as JSON
    for variable in sorted(environment):
        if variable.upper().startswith(ENVIRONMENT_PREFIX) and variable.upper() not in known | NOT_SETTINGS:
            raise ConfigurationWrong(
                f"The environment variable {variable} is no setting.{_nearest(variable.upper(), sorted(known))}"
            )


def keys() -> tuple[str, ...]:
    """Every key as table.key, for the nearest right one and for the documentation's test."""
    single = tuple(
        f"{table}.{key}"
        for table, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table)
        for key in field.annotation.model_fields
    )
    return single + _list_keys()


def _lists() -> dict[str, type[Table]]:
    """The tables that may come several times, each with its kind."""
    inner = {table: get_args(field.annotation) for table, field in Settings.model_fields.items()}
    return {table: kinds[0] for table, kinds in inner.items() if kinds and issubclass(kinds[0], Table)}


def _list_keys() -> tuple[str, ...]:
    return tuple(f"{table}.{key}" for table, kind in _lists().items() for key in kind.model_fields)


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(part for part in first["loc"] if isinstance(part, str))
    places = [part + 1 for part in first["loc"] if isinstance(part, int)]
    where = f" (entry {places[0]})" if places else ""
    if first["type"] == "extra_forbidden":
        return _unknown(key, where)
    return f"The configuration key {key}{where} is wrong: {first['msg'].removeprefix('Value error, ')}."


def _unknown(key: str, where: str = "") -> str:
    return f"The configuration key {key}{where} does not exist.{_nearest(key, [*keys(), *Settings.model_fields])}"


def _nearest(word: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else ""
